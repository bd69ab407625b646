// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const directory = "../../distribution/dashboards"

// TestUpToDate checks that the directory holds the generated dashboards and no others.
func TestUpToDate(t *testing.T) {
	files, err := Files()
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(directory, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s is out of date: run make generate", name)
	}
	found, err := filepath.Glob(directory + "/*.json")
	require.NoError(t, err)
	assert.Len(t, found, len(files))
}

// readAll reads the dashboards strictly: unknown fields and fields of a wrong type are errors.
func readAll(t *testing.T) map[string]*dashboard.Dashboard {
	t.Helper()
	plugins.RegisterDefaultPlugins()
	all := map[string]*dashboard.Dashboard{}
	for _, b := range boards {
		content, err := os.ReadFile(filepath.Join(directory, b.name+".json"))
		require.NoError(t, err)
		d := &dashboard.Dashboard{}
		require.NoError(t, d.UnmarshalJSONStrict(content), b.name)
		require.NoError(t, d.Validate(), b.name)
		all[b.name] = d
	}
	return all
}

// TestLayout checks the positions of panels and what each panel must have.
func TestLayout(t *testing.T) {
	uids := map[string]bool{}
	for name, d := range readAll(t) {
		t.Run(name, func(t *testing.T) {
			assert.NotEmpty(t, *d.Description)
			assert.False(t, uids[*d.Uid])
			uids[*d.Uid] = true
			g := newCells(t)
			panels := 0
			for _, p := range d.Panels {
				if p.RowPanel != nil {
					g.add(p.RowPanel.Id, *p.RowPanel.GridPos, *p.RowPanel.Title)
					assert.EqualValues(t, 1, p.RowPanel.GridPos.H)
					continue
				}
				panels++
				g.add(*p.Panel.Id, *p.Panel.GridPos, *p.Panel.Title)
				checkPanel(t, p.Panel)
			}
			g.checkFilled()
			assert.GreaterOrEqual(t, panels, 15)
			assert.LessOrEqual(t, panels, 30)
		})
	}
}

// cells are the cells of the grid with the titles of their panels.
type cells struct {
	t       *testing.T
	titles  map[[2]uint32]string
	ids     map[uint32]bool
	unique  map[string]bool
	nextRow uint32
}

func newCells(t *testing.T) *cells {
	t.Helper()
	return &cells{t, map[[2]uint32]string{}, map[uint32]bool{}, map[string]bool{}, 0}
}

// add adds a panel. Its id, its title and its cells must be unique.
func (c *cells) add(id uint32, at dashboard.GridPos, title string) {
	assert.False(c.t, c.ids[id], title)
	assert.False(c.t, c.unique[title], title)
	c.ids[id], c.unique[title] = true, true
	assert.LessOrEqual(c.t, at.X+at.W, uint32(gridWidth), title)
	for x := at.X; x < at.X+at.W; x++ {
		for y := at.Y; y < at.Y+at.H; y++ {
			assert.Empty(c.t, c.titles[[2]uint32{x, y}], "%s overlaps", title)
			c.titles[[2]uint32{x, y}] = title
		}
	}
	c.nextRow = max(c.nextRow, at.Y+at.H)
}

// checkFilled checks that there are no gaps, which means that panels side by side have the same height.
func (c *cells) checkFilled() {
	assert.Len(c.t, c.titles, gridWidth*int(c.nextRow))
}

func checkPanel(t *testing.T, p *dashboard.Panel) {
	t.Helper()
	title := *p.Title
	assert.NotEmpty(t, title)
	assert.Greater(t, len(*p.Description), 30, title)
	assert.NotEmpty(t, *p.FieldConfig.Defaults.Unit, title)
	assert.Contains(t, []string{"stat", "timeseries", "table", "state-timeline"}, p.Type, title)
	assert.GreaterOrEqual(t, p.GridPos.H, uint32(4), title)
	assert.GreaterOrEqual(t, p.GridPos.W, uint32(4), title)
	assert.Equal(t, "${datasource}", *p.Datasource.Uid, title)
	require.NotEmpty(t, p.Targets, title)
	for _, target := range p.Targets {
		query := target.(*prometheus.Dataquery)
		assert.Equal(t, "${datasource}", *query.Datasource.Uid, title)
		if p.Type != "stat" || len(p.Targets) > 1 {
			assert.NotEmpty(t, *query.LegendFormat, title)
		}
	}
}
