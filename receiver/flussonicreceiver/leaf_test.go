// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// scene is a server whose responses do not change, with the configuration to scrape it.
type scene struct {
	name  string
	files []string // patterns below testdata/flussonic
	edit  func(*Config)
}

var scenes = []scene{
	{"25.11", []string{"api-v3/25.11/*.json"}, onlyAPI},
	{"23.10", []string{"api-v3/23.10/*.json"}, onlyAPI},
	{"23.01", []string{"api-v3/23.01/*.json"}, onlyAPI},
	{"full-23.10", []string{"api-v3/full-23.10/*.json"}, onlyAPI},
	{"edge", []string{"api-v3/edge/*.json"}, onlyAPI},
	{"legacy", []string{"legacy/server.json"}, func(*Config) {}},
	{"typed", []string{"prometheus/metrics-typed.prom"}, onlyPage},
	{"bare", []string{"prometheus/metrics-bare.prom"}, onlyPage},
	{"other labels", []string{"prometheus/metrics-other-labels.prom"}, onlyPage},
	{"aliases", []string{"prometheus/metrics-aliases.prom"}, onlyPage},
	{"openmetrics", []string{"prometheus/openmetrics-config.txt", "prometheus/openmetrics-streams.txt"}, onlyPage},
	{"openmetrics, later", []string{"prometheus/openmetrics-later.txt"}, onlyPage},
}

// sceneTime is the time at which all scenes are scraped. It is later than the times in the responses.
var sceneTime = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// document reads one captured response.
func document(t *testing.T, file string) rtctest.Document {
	t.Helper()
	text := capture(t, file)
	if path.Ext(file) == ".json" {
		return rtctest.ReadJSON(t, text)
	}
	return rtctest.Page(text)
}

// answers returns the documents of a scene by file.
func (s *scene) answers(t *testing.T) map[string]rtctest.Document {
	t.Helper()
	answers := map[string]rtctest.Document{}
	for _, pattern := range s.files {
		files, err := fs.Glob(testdata.Files, "flussonic/"+pattern)
		require.NoError(t, err)
		for _, file := range files {
			file = strings.TrimPrefix(file, "flussonic/")
			answers[file] = document(t, file)
		}
	}
	require.NotEmpty(t, answers)
	return answers
}

// scrape scrapes a server with the answers before and then with answers, with the metrics that enable selects, and returns the result of
// the second scrape: some metrics count growth.
func (s *scene) scrape(t *testing.T, before, answers map[string]rtctest.Document, enable func(*metadata.MetricsConfig)) (metrics pmetric.Metrics) {
	t.Helper()
	cfg := createDefaultConfig()
	rtctest.EnableAll(&cfg.MetricsBuilderConfig.ResourceAttributes)
	enable(&cfg.MetricsBuilderConfig.Metrics)
	s.edit(cfg)
	system := newTestSystem(cfg, receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, system.Start(t.Context(), componenttest.NewNopHost()))
	system.SetClock(func() time.Time { return sceneTime })
	for _, current := range []map[string]rtctest.Document{before, answers} {
		server := httpapi.New(&http.Client{Transport: &documents{answers: current}}, "http://127.0.0.1")
		system.scraper.client = newClientOf(server, cfg.PageSize)
		var err error
		if metrics, err = system.Scrape(t.Context()); err != nil {
			t.Log(err) // it is also in the metrics
		}
	}
	return metrics
}

// documents is a transport that returns documents, and 404 for paths without one.
type documents struct {
	answers map[string]rtctest.Document
	page    int // page of the list of streams
}

// files maps paths to the documents that are returned for them. The pages of the list of streams are returned one after another.
var files = map[string]string{
	apiStats: "*/config_stats.json", apiDVRs: "*/dvrs.json", apiCards: "*/dvb_cards.json", apiPeers: "*/peers.json",
	apiSessions: "*/sessions.json", apiFiles: "*/opened_files.json", apiStreams: "*/streams*.json", apiOldServer: "legacy/server.json",
	apiPage: "prometheus/*",
}

// RoundTrip implements http.RoundTripper.
func (d *documents) RoundTrip(r *http.Request) (*http.Response, error) {
	api := strings.TrimPrefix(r.URL.Path, apiPath)
	var bodies [][]byte
	for _, file := range slices.Sorted(maps.Keys(d.answers)) {
		if ok, _ := path.Match(files[api], strings.TrimPrefix(file, "api-v3/")); ok {
			bodies = append(bodies, d.answers[file].Bytes())
		}
	}
	response := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody}
	if len(bodies) == 0 {
		return response, nil
	}
	body := bytes.Join(bodies, nil)
	if api == apiStreams {
		body = bodies[d.page]
		d.page++
	}
	response.StatusCode, response.Body = http.StatusOK, io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// A change of a leaf in a captured response changes the metrics that the ledger names, and no others.
func TestLeaves(t *testing.T) {
	test := rtctest.LeafTest{Ledger: fieldLedger, Metadata: "metadata.yaml", Expected: "testdata/expected.tsv"}
	for _, s := range scenes {
		before := s.answers(t)
		test.Scenes = append(test.Scenes, rtctest.Scene{
			Name: s.name, Answers: before,
			Scrape: func(t *testing.T, answers map[string]rtctest.Document) pmetric.Metrics {
				t.Helper()
				return s.scrape(t, before, answers, func(m *metadata.MetricsConfig) { rtctest.EnableAll(m) })
			},
		})
	}
	test.Run(t)
}

// A metric that is enabled alone has the same points as when all metrics are enabled.
func TestEachMetricAlone(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			answers := s.answers(t)
			rtctest.EachMetricAlone(t, func(t *testing.T, enable func(*metadata.MetricsConfig)) pmetric.Metrics {
				t.Helper()
				return s.scrape(t, answers, answers, enable)
			})
		})
	}
}

func TestExpectedScript(t *testing.T) {
	rtctest.ExpectedScript(t)
}
