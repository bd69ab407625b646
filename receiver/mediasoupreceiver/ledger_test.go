// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"io/fs"
	"strings"
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

// snapshots are the captured answers of agents; the others show what such an agent has before it.
type snapshots struct{ fs.FS }

// ReadDir leaves out what is no snapshot.
func (s snapshots) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.FS, name)
	var kept []fs.DirEntry
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "snapshot-") {
			kept = append(kept, entry)
		}
	}
	return kept, err
}

func TestFieldLedger(t *testing.T) {
	captures, err := fs.Sub(testdata.Files, "mediasoup")
	require.NoError(t, err)
	rtctest.Fields(t, fieldLedger, snapshots{captures}, "metadata.yaml")
}

func TestSeedLedger(t *testing.T) {
	rtctest.Seeds(t, seedLedger, "metadata.yaml")
}

// Every family of the captured pages is in the seed ledger.
func TestSeedLedgerIsWhole(t *testing.T) {
	listed := map[string]bool{}
	for _, row := range rtctest.Table(t, seedLedger) {
		listed[row[0]] = true
	}
	pages, err := fs.Glob(testdata.Files, "mediasoup/*.prom")
	require.NoError(t, err)
	require.Len(t, pages, 4)
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
