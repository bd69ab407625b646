// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// CheckFields compares a field ledger with the captured JSON answers in captures: every leaf of every answer must have a line, and every
// line must have a leaf. A line has the columns answer, path, and the metrics or attributes that the leaf becomes, or "ignored: "
// and the reason. LeafTest describes further columns. The answer is the name of the captured file up to its first dot.
func CheckFields(t *testing.T, ledger string, captures fs.FS, metadata string) {
	t.Helper()
	CheckLeaves(t, ledger, metadata, func(found func(answer, path string)) {
		require.NoError(t, fs.WalkDir(captures, ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(file) != ".json" || d.Name() == "index.json" {
				return err
			}
			text, err := fs.ReadFile(captures, file)
			require.NoError(t, err)
			var answer any
			require.NoError(t, json.Unmarshal(text, &answer), file)
			name, _, _ := strings.Cut(d.Name(), ".")
			Leaves(answer, func(leaf string) { found(name, leaf) })
			return nil
		}))
	})
}

// CheckLeaves is like CheckFields for answers in any format. leaves must call found for every leaf of every answer.
func CheckLeaves(t *testing.T, ledger, metadata string, leaves func(found func(answer, path string))) {
	t.Helper()
	listed := map[string]string{}
	for _, row := range Table(t, ledger) {
		require.GreaterOrEqual(t, len(row), 3, "%s: %q", ledger, row)
		listed[row[0]+"\t"+row[1]] = row[2]
	}
	found := map[string]bool{}
	leaves(func(answer, path string) { found[answer+"\t"+path] = true })
	known := Metadata(t, metadata)
	for _, leaf := range slices.Sorted(maps.Keys(found)) {
		_, isListed := listed[leaf]
		assert.True(t, isListed, "%s does not list %q", ledger, leaf)
	}
	for leaf, becomes := range listed {
		assert.True(t, found[leaf], "%s lists %q, which no captured answer has", ledger, leaf)
		checkNames(t, ledger, becomes, known)
	}
}

// checkNames requires that becomes lists metrics or attributes of the receiver, or says why a leaf is ignored.
func checkNames(t *testing.T, ledger, becomes string, known map[string]bool) {
	t.Helper()
	if reason, ignored := strings.CutPrefix(becomes, "ignored: "); ignored {
		assert.NotEmpty(t, reason)
		return
	}
	if becomes == startTimes {
		return
	}
	for name := range strings.SplitSeq(becomes, ", ") {
		assert.True(t, known[name], "%s: %q is not a metric or attribute of the receiver", ledger, name)
	}
}

// Leaves calls f for the path of every leaf of a JSON document. Empty objects and lists are leaves, too.
func Leaves(document any, f func(path string)) { leaves(document, "", f) }

func leaves(v any, path string, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			leaves(member, strings.TrimPrefix(path+"."+k, "."), f)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for _, element := range v {
			leaves(element, path+"[]", f)
		}
		if len(v) > 0 {
			return
		}
	}
	f(path)
}

// CheckSeeds compares a seed ledger with the metadata of the receiver. Its columns are a metric of the replaced exporter, its labels, and
// the metrics or attributes of the receiver that replace it, or "ignored: " and the reason.
func CheckSeeds(t *testing.T, ledger, metadata string) {
	t.Helper()
	known := Metadata(t, metadata)
	for _, row := range Table(t, ledger) {
		require.Len(t, row, 3, "%s: %q", ledger, row)
		checkNames(t, ledger, row[2], known)
	}
}

// Metadata returns the names of the metrics, attributes and resource attributes in a metadata.yaml.
func Metadata(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a file of this repository
	require.NoError(t, err)
	var md struct {
		Metrics    map[string]any `yaml:"metrics"`
		Attributes map[string]any `yaml:"attributes"`
		Resource   map[string]any `yaml:"resource_attributes"`
	}
	require.NoError(t, yaml.Unmarshal(text, &md))
	known := map[string]bool{}
	for _, names := range []map[string]any{md.Metrics, md.Attributes, md.Resource} {
		for name := range names {
			known[name] = true
		}
	}
	return known
}
