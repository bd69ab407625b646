// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"io/fs"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

const (
	fieldLedger = "../../testdata/mediasoup/fields.tsv"
	seedLedger  = "../../testdata/compat/mediasoup_exporter.tsv"
)

// eachAnswer calls f for each captured response that the receiver reads. The other files contain the input of agents.
func eachAnswer(t *testing.T, f func(file string, document rtctest.Document)) {
	t.Helper()
	for _, pattern := range []string{"mediasoup/snapshot-*.json", "mediasoup/*.prom"} {
		files, err := fs.Glob(testdata.Files, pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			name := path.Base(file)
			if path.Ext(name) == ".prom" {
				f(name, families{rtctest.Page(captured(t, name))})
			} else {
				f(name, rtctest.ReadJSON(t, []byte(captured(t, name))))
			}
		}
	}
}

func TestFieldLedger(t *testing.T) {
	rtctest.CheckLeaves(t, fieldLedger, "metadata.yaml", func(found func(answer, path string)) {
		eachAnswer(t, func(file string, document rtctest.Document) {
			document.EachLeaf(func(leaf rtctest.Leaf) { found(answerOf(file), leaf.Path) })
		})
	})
}

func TestSeedLedger(t *testing.T) {
	rtctest.CheckSeeds(t, seedLedger, "metadata.yaml")
}

// The seed ledger has every family of the captured pages.
func TestSeedLedgerIsWhole(t *testing.T) {
	listed := map[string]bool{}
	for _, row := range rtctest.Table(t, seedLedger) {
		listed[row[0]] = true
	}
	pages, err := fs.Glob(testdata.Files, "mediasoup/*.prom")
	require.NoError(t, err)
	require.Len(t, pages, 6)
	for _, page := range pages {
		file, err := testdata.Files.Open(page)
		require.NoError(t, err)
		r := exposition.NewReader()
		r.Reset(file, "text/plain")
		require.NoError(t, r.Each(func(s *exposition.Sample) error {
			assert.True(t, listed[string(s.Name)], "%s of %s", s.Name, page)
			return nil
		}))
		require.NoError(t, file.Close())
	}
}
