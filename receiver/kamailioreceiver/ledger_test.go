// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// Every leaf of every captured reply is listed in the ledger: as a metric or attribute, or as ignored with a reason.
func TestFieldLedger(t *testing.T) {
	rtctest.CheckLeaves(t, captures+"/fields.tsv", "metadata.yaml", func(found func(answer, path string)) { capturedLeaves(t, found) })
}

func TestSeedLedger(t *testing.T) {
	rtctest.CheckSeeds(t, "../../testdata/compat/kamailio_exporter.tsv", "metadata.yaml")
}

// capturedLeaves calls found for the leaves of all replies, whose names include their transport.
func capturedLeaves(t *testing.T, found func(answer, path string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(captures, "binrpc", "*", "*.rep.json"))
	require.NoError(t, err)
	for _, file := range files {
		reply := readDecoded(t, file)
		name := "binrpc/" + strings.TrimSuffix(filepath.Base(file), ".rep.json")
		if reply.Type == "fault" {
			name += " (fault)"
		}
		for _, d := range reply.Records {
			binrpcLeaves(t, d, "", func(leaf string) { found(name, leaf) })
		}
	}
	files, err = filepath.Glob(filepath.Join(captures, "jsonrpc", "*.json"))
	require.NoError(t, err)
	others, err := filepath.Glob(filepath.Join(captures, "jsonrpc", "*", "*.json"))
	require.NoError(t, err)
	for _, file := range append(files, others...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var answer any
		require.NoError(t, json.Unmarshal(text, &answer), file)
		name := "jsonrpc/" + strings.TrimSuffix(filepath.Base(file), ".json")
		rtctest.Leaves(answer, func(leaf string) { found(name, leaf) })
	}
	for page, answer := range map[string]string{"rtpengine": "rtpengine.page", "rtpengine_sample": "rtpengine.page", "xhttp_prom": "xhttp_prom.page"} {
		readPage(t, page).EachLeaf(func(leaf rtctest.Leaf) { found(answer, leaf.Path) })
	}
}

func binrpcLeaves(t *testing.T, d datum, at string, f func(string)) {
	t.Helper()
	members := d.members(t)
	for _, m := range members {
		name := m.name
		if name == "" {
			name = "[]"
		}
		binrpcLeaves(t, m.value, strings.TrimPrefix(at+"."+name, "."), f)
	}
	if len(members) == 0 {
		f(at)
	}
}
