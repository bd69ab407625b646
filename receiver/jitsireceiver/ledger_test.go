// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

const ledger = captures + "/fields.tsv"

// capturedAnswers returns the files in testdata/jitsi that the receiver reads. Pages exist there in three formats: TestFormatsAgree
// shows that OpenMetrics gives the same points, and the receiver never requests JSON.
func capturedAnswers(t *testing.T) (files []string) {
	t.Helper()
	all, err := fs.Glob(testdata.Files, "jitsi/*/*")
	require.NoError(t, err)
	for _, file := range all {
		isPage := strings.HasPrefix(path.Base(file), "metrics.")
		if isPage && path.Ext(file) == ".txt" && !strings.Contains(file, ".openmetrics.") || !isPage && path.Ext(file) == ".json" {
			files = append(files, strings.TrimPrefix(file, "jitsi/"))
		}
	}
	return files
}

// answerOf returns the name of a file's response in the ledger: jvb.page, or the base name up to its first dot.
func answerOf(file string) string {
	component, name, _ := strings.Cut(file, "/")
	name, _, _ = strings.Cut(name, ".")
	if name == "metrics" {
		return component + ".page"
	}
	return name
}

func document(t *testing.T, file string) rtctest.Document {
	t.Helper()
	text, err := fs.ReadFile(testdata.Files, "jitsi/"+file)
	require.NoError(t, err)
	if path.Ext(file) == ".json" {
		return rtctest.ReadJSON(t, text)
	}
	return rtctest.Page(text)
}

func TestFieldLedger(t *testing.T) {
	rtctest.CheckLeaves(t, ledger, "metadata.yaml", func(found func(answer, path string)) {
		for _, file := range capturedAnswers(t) {
			document(t, file).EachLeaf(func(leaf rtctest.Leaf) { found(answerOf(file), leaf.Path) })
		}
	})
}

func TestSeedLedger(t *testing.T) {
	rtctest.CheckSeeds(t, "../../testdata/compat/jitsi_exporter.tsv", "metadata.yaml")
}

// Every key that any version of a bridge has sent is read or ignored for a reason, even if no captured response has it.
func TestKeyLedger(t *testing.T) {
	known := rtctest.Metadata(t, "metadata.yaml")
	read := newNames(keysOf(jvbRows)).stats
	rows := rtctest.Table(t, filepath.Join("testdata", "keys.tsv"))
	assert.Len(t, rows, 112)
	for _, row := range rows {
		require.Len(t, row, 2, row)
		reason, ignored := strings.CutPrefix(row[1], "ignored: ")
		assert.Equal(t, ignored, reason != row[1])
		assert.True(t, ignored || known[row[1]], row)
		_, isRead := read[row[0]]
		assert.Equal(t, !ignored, isRead, row[0])
		delete(read, row[0])
	}
	assert.Empty(t, read, "keys that no bridge has ever sent")
}
