// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const gridWidth = 24

// size is that of a panel on the grid.
type size struct{ w, h uint32 }

var sizes = map[kind]size{stat: {4, 4}, timeSeries: {8, 8}, stacked: {8, 8}, table: {12, 9}, states: {24, 7}}

func (p *panel) size() size {
	s := sizes[p.kind]
	if p.width > 0 {
		s.w = uint32(p.width) //nolint:gosec // a width is at most 24
	}
	return s
}

// grid places panels from left to right and from top to bottom.
type grid struct {
	x, y, lineHeight, id uint32
}

// addRow returns the title of a row in a line of its own.
func (g *grid) addRow(title string) dashboard.PanelOrRowPanel {
	g.endLine()
	g.id++
	r := dashboard.NewRowPanel()
	r.Title, r.Id, r.GridPos = &title, g.id, &dashboard.GridPos{W: gridWidth, H: 1, Y: g.y}
	g.y++
	return dashboard.PanelOrRowPanel{RowPanel: r}
}

// place sets the position of a panel. If the next panel does not fit beside it, it takes the rest of the line.
func (g *grid) place(p *dashboard.Panel, s, next size) {
	last := next.h != s.h || g.x+s.w+next.w > gridWidth
	if last {
		s.w = gridWidth - g.x
	}
	g.id++
	p.Id, p.GridPos = new(g.id), &dashboard.GridPos{X: g.x, Y: g.y, W: s.w, H: s.h}
	g.x, g.lineHeight = g.x+s.w, s.h
	if last {
		g.endLine()
	}
}

func (g *grid) endLine() {
	g.y += g.lineHeight
	g.x, g.lineHeight = 0, 0
}
