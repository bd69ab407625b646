// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// Every leaf of every captured answer becomes a metric or attribute, or is ignored for a reason.
func TestFieldLedger(t *testing.T) {
	const ledger = captures + "/fields.tsv"
	known := rtctest.Metadata(t, "metadata.yaml")
	listed := map[string]bool{}
	for _, row := range rtctest.Table(t, ledger) {
		require.Len(t, row, 3, row)
		listed[row[0]+"\t"+row[1]] = true
		if reason, ignored := strings.CutPrefix(row[2], "ignored: "); ignored {
			assert.NotEmpty(t, reason)
			continue
		}
		for name := range strings.SplitSeq(row[2], ", ") {
			assert.True(t, known[name], "%q is no metric or attribute of the receiver", name)
		}
	}
	found := capturedLeaves(t)
	for _, leaf := range slices.Sorted(maps.Keys(found)) {
		assert.Contains(t, listed, leaf, "a leaf that %s does not list", ledger)
	}
	for leaf := range listed {
		assert.True(t, found[leaf], "%s lists %q, which no captured answer has", ledger, leaf)
	}
}

func TestSeedLedger(t *testing.T) {
	rtctest.Seeds(t, "../../testdata/compat/kamailio_exporter.tsv", "metadata.yaml")
}

// capturedLeaves returns the paths of all leaves, with the transport and the name of the answer before them.
func capturedLeaves(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(captures, "binrpc", "*", "*.rep.json"))
	require.NoError(t, err)
	for _, file := range files {
		reply := readDecoded(t, file)
		name := "binrpc/" + strings.TrimSuffix(filepath.Base(file), ".rep.json")
		if reply.Type == "fault" {
			name += " (fault)"
		}
		for _, d := range reply.Records {
			binrpcLeaves(t, d, "", func(leaf string) { found[name+"\t"+leaf] = true })
		}
	}
	files, err = filepath.Glob(filepath.Join(captures, "jsonrpc", "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var answer any
		require.NoError(t, json.Unmarshal(text, &answer), file)
		name := "jsonrpc/" + strings.TrimSuffix(filepath.Base(file), ".json")
		jsonLeaves(answer, "", func(leaf string) { found[name+"\t"+leaf] = true })
	}
	return found
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

func jsonLeaves(v any, at string, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			jsonLeaves(m, strings.TrimPrefix(at+"."+k, "."), f)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for _, element := range v {
			jsonLeaves(element, at+"[]", f)
		}
		if len(v) > 0 {
			return
		}
	}
	f(at)
}
