// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func TestFieldLedger(t *testing.T) {
	answers, err := fs.Sub(testdata.Files, "jitsi")
	require.NoError(t, err)
	rtctest.Fields(t, filepath.Join(captures, "fields.tsv"), answers, "metadata.yaml")
}

func TestSeedLedger(t *testing.T) {
	rtctest.Seeds(t, "../../testdata/compat/jitsi_exporter.tsv", "metadata.yaml")
}

// Every key that a bridge has ever sent is read, also those of versions of which there is no answer, or ignored for a reason.
func TestKeyLedger(t *testing.T) {
	known := rtctest.Metadata(t, "metadata.yaml")
	read := newNames(jvbRows).stats
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
