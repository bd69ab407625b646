// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

const (
	fieldLedger = "../../testdata/flussonic/fields.tsv"
	seedLedger  = "../../testdata/compat/flussonic_exporter.tsv"
)

// Every leaf of every captured JSON document and page is listed in the ledger.
func TestFieldLedger(t *testing.T) {
	rtctest.CheckLeaves(t, fieldLedger, "metadata.yaml", func(found func(answer, path string)) {
		require.NoError(t, fs.WalkDir(testdata.Files, "flussonic", func(file string, _ fs.DirEntry, err error) error {
			if ext := path.Ext(file); err != nil || ext != ".json" && ext != ".prom" && ext != ".txt" {
				return err
			}
			answer, _, _ := strings.Cut(path.Base(file), ".")
			document(t, strings.TrimPrefix(file, "flussonic/")).EachLeaf(func(leaf rtctest.Leaf) { found(answer, leaf.Path) })
			return nil
		}))
	})
}

// Every key that the receiver reads has a ledger line with its metric, so that TestLeaves tests it.
func TestLedgerHasEveryKey(t *testing.T) {
	proved := map[string]bool{}
	for _, row := range rtctest.Table(t, fieldLedger) {
		if !strings.HasPrefix(row[2], "ignored: ") {
			sample, _, _ := strings.Cut(row[1], "{")
			proved[row[1]], proved[sample] = true, true
		}
	}
	for _, source := range streamSources {
		assert.True(t, proved["streams[]."+source.path], source.path)
	}
	for key := range serverPaths {
		assert.True(t, proved[key], key)
	}
	for _, samples := range []map[string]bool{keysOf(pageServer), keysOf(pageStreams), keysOf(pageDevices)} {
		for key := range samples {
			assert.True(t, proved[key], key)
		}
	}
	for _, p := range groupPaths {
		found := false
		for path := range proved {
			found = found || strings.HasPrefix(path, "streams[]."+p.path) && len(path) > len("streams[]."+p.path)
		}
		assert.True(t, found, p.path)
	}
}

func keysOf[V any](m map[string]V) map[string]bool {
	keys := map[string]bool{}
	for key := range m {
		keys[key] = true
	}
	return keys
}

func TestSeedLedger(t *testing.T) {
	rtctest.CheckSeeds(t, seedLedger, "metadata.yaml")
}
