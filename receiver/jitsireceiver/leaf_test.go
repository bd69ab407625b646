// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// ledgerScenes are the responses whose leaves are changed. If both sources have a value, the statistics take precedence, so the leaves
// of a page are changed in a scene without statistics.
var ledgerScenes = []scene{
	{"jvb_used_page", "jvb", answers{apiMetrics: "metrics.constructed-2.3.149-used.004.txt"}},
	{"jvb_export_page", "jvb", answers{apiMetrics: "metrics.constructed-master-2026-07-export.004.txt"}},
	{"jvb_page", "jvb", answers{apiMetrics: jvbPage}},
	{"jvb_2.3.92_page", "jvb", answers{apiMetrics: jvbPage2}},
	{"jvb", "jvb", answers{apiColibri: jvb3}},
	{"jvb_2.3.92", "jvb", answers{apiColibri: jvb2}},
	{"jvb_2.1.508", "jvb", answers{apiColibri: "colibri-stats.like-real-2.1.508-active.json"}},
	{"jvb_2.1.273", "jvb", answers{apiColibri: "colibri-stats.constructed-2.1.273-octo.json"}},
	{"jvb_2.1.169", "jvb", answers{apiColibri: "colibri-stats.like-real-2.1.169-idle.json"}},
	{"jvb_2.1.157", "jvb", answers{apiColibri: "colibri-stats-2-1-157.constructed.json"}},
	{"jvb_1", "jvb", answers{apiColibri: jvb1}},
	{"jicofo_page", "jicofo", answers{apiMetrics: focusPage}},
	{"jicofo_jingle_page", "jicofo", answers{apiMetrics: "metrics.constructed-jingle.004.txt"}},
	{"jicofo", "jicofo", answers{apiStats: focus}},
	{"jicofo_2022", "jicofo", answers{apiStats: "stats.like-real-2022-07-idle.json"}},
	{"jicofo_2021", "jicofo", answers{apiStats: "stats.like-real-2021-04-two-participants.json"}},
	{"jicofo_2019", "jicofo", answers{apiStats: "stats.constructed-2019.json"}},
	{"jicofo_jingle_names", "jicofo", answers{apiStats: "stats.constructed-jingle-names.json"}},
	{"jicofo_jingle_constants", "jicofo", answers{apiStats: "stats.constructed-jingle-constants.json"}},
	{"jigasi_page", "jigasi", answers{apiMetrics: "metrics.constructed-master-2026-06-17.004.txt"}},
	{"jigasi", "jigasi", answers{apiAboutStats: gateway, apiVersion: gatewayAbout}},
	{"jibri_page", "jibri", answers{apiMetrics: "metrics.constructed-master-2026-08-05.004.txt"}},
	{"jibri", "jibri", answers{apiJibri: "health.idle.json"}},
	{"jibri, busy", "jibri", answers{apiJibri: "health.busy.constructed.json"}},
}

// transport responds to requests by path, without a network. Other paths are not found, except the health check, which passes.
type transport map[string]rtctest.Document

func (a transport) RoundTrip(r *http.Request) (*http.Response, error) {
	document, there := a[r.URL.Path]
	switch {
	case there:
		return sent(document.Bytes()).RoundTrip(r)
	case r.URL.Path == apiHealth:
		return sent("{}").RoundTrip(r)
	}
	return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody}, nil
}

// scrapeOnce scrapes a new component with the responses of a.
func scrapeOnce(t *testing.T, block string, a transport, edit func(*Config)) (pmetric.Metrics, error) {
	t.Helper()
	s, _ := startSystem(t, at(block, components[block].example), edit)
	s.scrapers[0].client.http = httpapi.New(&http.Client{Transport: a}, components[block].example)
	s.SetClock(func() time.Time { return captured })
	return s.Scrape(t.Context())
}

func TestLeaves(t *testing.T) {
	leaves := rtctest.LeafTest{
		Ledger: ledger, Metadata: "metadata.yaml", Answer: answerOf, Expected: filepath.Join("testdata", "expected.tsv"),
	}
	for _, scene := range ledgerScenes {
		documents, paths := map[string]rtctest.Document{}, map[string]string{}
		for apiPath, name := range scene.answers {
			file := scene.block + "/" + name
			documents[file], paths[file] = document(t, file), apiPath
		}
		leaves.Scenes = append(leaves.Scenes, rtctest.Scene{
			Name: scene.name, Answers: documents,
			Scrape: func(t *testing.T, answers map[string]rtctest.Document) pmetric.Metrics {
				t.Helper()
				a := transport{}
				for file, document := range answers {
					a[paths[file]] = document
				}
				metrics, err := scrapeOnce(t, scene.block, a, everything)
				require.NoError(t, err)
				return metrics
			},
		})
	}
	leaves.Run(t)
}

// A metric that is enabled alone has the same points as with all others, from either source.
func TestEachMetricAlone(t *testing.T) {
	for _, scene := range append(ledgerScenes, scene{"jvb_both", "jvb", answers{apiColibri: jvb3, apiMetrics: jvbPage}}) {
		t.Run(scene.name, func(t *testing.T) {
			a := transport{}
			for apiPath, name := range scene.answers {
				a[apiPath] = document(t, scene.block+"/"+name)
			}
			rtctest.EachMetricAlone(t, func(t *testing.T, enable func(*metadata.MetricsConfig)) pmetric.Metrics {
				t.Helper()
				// A missing source is an error if it is the only one that has the metric.
				metrics, _ := scrapeOnce(t, scene.block, a, func(c *Config) { enable(&c.MetricsBuilderConfig.Metrics) })
				return metrics
			})
		})
	}
}

func TestExpectedScript(t *testing.T) { rtctest.ExpectedScript(t) }
