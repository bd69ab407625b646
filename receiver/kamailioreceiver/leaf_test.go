// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// exchanged returns the answers with some replaced by others.
func exchanged(answers, others map[string]rtctest.Document) map[string]rtctest.Document {
	answers = maps.Clone(answers)
	maps.Copy(answers, others)
	return answers
}

// without returns the answers except those with the given names.
func without(answers map[string]rtctest.Document, names ...string) map[string]rtctest.Document {
	answers = maps.Clone(answers)
	for _, name := range names {
		delete(answers, name)
	}
	return answers
}

// notOffered returns the answers of a server that lacks some methods.
func notOffered(answers map[string]rtctest.Document, names ...string) map[string]rtctest.Document {
	answers = without(answers, names...)
	for _, name := range names {
		transport, method, _ := strings.Cut(strings.TrimSuffix(name, "_all"), "/")
		methods := answers[transport+"/"+apiMethods]
		methods.EachLeaf(func(leaf rtctest.Leaf) {
			if leaf.Value == method {
				answers[transport+"/"+apiMethods] = leaf.With(rtctest.Absent)
			}
		})
	}
	return answers
}

// playedScenes returns the captured servers. The first one has every statistic that has a row.
func playedScenes(t *testing.T) map[string]map[string]rtctest.Document {
	t.Helper()
	unix, many, http := repliesOf(t, "unix"), repliesOf(t, "many_modules"), answersOf(t, "")
	one := func(folder, transport, name string) map[string]rtctest.Document {
		if transport == "jsonrpc" {
			text, err := os.ReadFile(filepath.Join(captures, transport, folder, name+".json"))
			require.NoError(t, err)
			return map[string]rtctest.Document{transport + "/" + name: rtctest.ReadJSON(t, text)}
		}
		return map[string]rtctest.Document{transport + "/" + name: readReply(t, filepath.Join(captures, transport, folder, name+".rep.json"))}
	}
	groups := without(many, "binrpc/stats.fetch_all")
	for _, group := range append(capturedGroups(t), "") {
		name := "stats.fetch_group_" + group
		if group == "" {
			name = apiGroups
		}
		maps.Copy(groups, one("many_modules", "binrpc", name))
	}
	return map[string]map[string]rtctest.Document{
		"0 sample":            repliesOf(t, "sample", "unix"),
		"0 sample, JSON":      answersOf(t, "sample", ""),
		"unix":                unix,
		"many modules":        many,
		"its groups":          groups,
		"6.1":                 repliesOf(t, "6.1", "unix"),
		"permanent":           exchanged(without(unix, "binrpc/rtpengine.show_all"), one("unix", "binrpc", "rtpengine.show_permanent")),
		"no statistics":       notOffered(unix, "binrpc/stats.fetch_all"),
		"only core":           notOffered(unix, "binrpc/stats.fetch_all", "binrpc/tls.info"),
		"JSON":                http,
		"many modules, JSON":  answersOf(t, "many_modules"),
		"6.1, JSON":           answersOf(t, "6.1", ""),
		"no statistics, JSON": notOffered(http, "jsonrpc/stats.fetch"),
		"only core, JSON":     notOffered(http, "jsonrpc/stats.fetch", "jsonrpc/tls.info"),
		"rtpengine":           exchanged(unix, map[string]rtctest.Document{"rtpengine.page": readPage(t, "rtpengine")}),
		"a newer rtpengine":   exchanged(unix, map[string]rtctest.Document{"rtpengine.page": readPage(t, "rtpengine_sample")}),
	}
}

// A change of a leaf in a captured reply changes the metrics that the ledger names, and no others.
func TestLeaves(t *testing.T) {
	test := rtctest.LeafTest{
		Ledger: captures + "/fields.tsv", Metadata: "metadata.yaml", Expected: filepath.Join("testdata", "expected.tsv"),
		Answer: func(file string) string { return file },
	}
	scenes := playedScenes(t)
	for _, name := range slices.Sorted(maps.Keys(scenes)) {
		test.Scenes = append(test.Scenes, rtctest.Scene{Name: name, Answers: scenes[name], Scrape: func(t *testing.T, answers map[string]rtctest.Document) pmetric.Metrics {
			t.Helper()
			return play(t, answers, everything)
		}})
	}
	test.Run(t)
}

// A metric that is enabled alone has the same points as when all metrics are enabled.
func TestEachMetricAlone(t *testing.T) {
	scenes := playedScenes(t)
	for _, name := range []string{"0 sample", "many modules", "no statistics", "only core", "rtpengine", "a newer rtpengine", "6.1"} { // have all metrics
		t.Run(name, func(t *testing.T) {
			answers := scenes[name]
			rtctest.EachMetricAlone(t, func(t *testing.T, enable func(*metadata.MetricsConfig)) pmetric.Metrics {
				t.Helper()
				metrics := play(t, answers, func(c *Config) {
					everything(c)
					enable(&c.MetricsBuilderConfig.Metrics)
				})
				if answers["rtpengine.page"] != nil {
					onlyResource(metrics, "rtpengine")
				}
				return metrics
			})
		})
	}
}

func TestExpectedScript(t *testing.T) { rtctest.ExpectedScript(t) }
