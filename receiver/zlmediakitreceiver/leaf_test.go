// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"bytes"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// leafServer is a transport that responds with documents, by file name.
type leafServer map[string]rtctest.Document

// lossFiles holds the getMediaInfo responses of streams whose loss has a different unit than that of other streams, by the prefix
// of their names.
var lossFiles = map[string]string{
	"p1": "getMediaInfo_pull.json", "p2": "getMediaInfo_pull.json", // captured
	"pull": "getMediaInfo_pull.json", "silent": "getMediaInfo_pull.json", "rtc": "getMediaInfo_rtc.json",
}

func (s leafServer) RoundTrip(r *http.Request) (*http.Response, error) {
	file := strings.TrimPrefix(r.URL.Path, apiPath) + ".json"
	for stream, other := range lossFiles {
		if file == "getMediaInfo.json" && strings.HasPrefix(r.URL.Query().Get("stream"), stream) {
			file = other
			break
		}
	}
	response := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody}
	if document := s[file]; document != nil {
		response.StatusCode, response.Body = http.StatusOK, body{bytes.NewReader(document.Bytes())}
	}
	return response, nil
}

// leafScene returns a scene of captured responses by file, which may come from several folders. All streams have the same getMediaInfo
// and listRtpSender responses, except those in lossFiles.
func leafScene(t *testing.T, folder string, more map[string]string) rtctest.Scene {
	t.Helper()
	answers := map[string]rtctest.Document{}
	read := func(name, file string) {
		text, err := fs.ReadFile(testdata.Files, path.Join("zlmediakit", file))
		require.NoError(t, err)
		answers[name] = rtctest.ReadJSON(t, text)
	}
	files, err := fs.Glob(testdata.Files, path.Join("zlmediakit", folder, "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		if name := path.Base(file); name != "index.json" && strings.Count(name, ".") == 1 {
			read(name, path.Join(folder, name))
		}
	}
	for name, file := range more {
		read(name, file)
	}
	return rtctest.Scene{Name: folder, Answers: answers, Scrape: func(t *testing.T, changed map[string]rtctest.Document) pmetric.Metrics {
		t.Helper()
		return scrapeDocuments(t, everything, answers, changed)
	}}
}

// scrapeDocuments scrapes a server once with each of the given sets of responses and returns the last metrics.
func scrapeDocuments(t *testing.T, edit func(*Config), answers ...map[string]rtctest.Document) pmetric.Metrics {
	t.Helper()
	s, _ := startScraper(t, "http://127.0.0.1:80", edit)
	s.client.isOwn = func(*session) bool { return false }
	var metrics pmetric.Metrics
	for i, documents := range answers {
		s.SetClock(func() time.Time { return time.Unix(1795280000+30*int64(i), 0) }) // after all captures
		s.client.http = httpapi.New(&http.Client{Transport: leafServer(documents)}, "http://127.0.0.1:80")
		s.version.current, s.apis.current, s.config.current = false, false, false // as after an outage: everything is requested
		s.streams.listing.wait, s.streams.listing.maxSpacing = 0, 1               // a slow machine must not look like a slow server
		var err error
		metrics, err = s.Scrape(t.Context())
		require.NoError(t, err)
	}
	return metrics
}

// leafScenes returns scenes that together have all leaves. In the first one, each stream has a single schema, as captured.
func leafScenes(t *testing.T) []rtctest.Scene {
	t.Helper()
	return []rtctest.Scene{
		leafScene(t, "busy", map[string]string{
			"getMediaList.json": "busy/getMediaList.schema_rtsp.json", "getMediaInfo.json": "busy/getMediaInfo.04.json",
			"getMediaInfo_pull.json": "sample/getMediaInfo_pull.json", "listRtpSender.json": "busy/listRtpSender.10.json",
		}),
		leafScene(t, "all_on_demand_later", map[string]string{
			"getMediaInfo.json": "all_on_demand_later/getMediaInfo.02.json", "getMediaInfo_pull.json": "sample/getMediaInfo_pull.json",
			"listRtpSender.json": "busy/listRtpSender.10.json",
		}),
		leafScene(t, "sample", map[string]string{"listRtpSender.json": "busy/listRtpSender.10.json"}),
	}
}

// A change of a leaf changes exactly the metrics that the ledger lists for it.
func TestLeaves(t *testing.T) {
	rtctest.LeafTest{
		Ledger:   fieldLedger,
		Metadata: "metadata.yaml",
		Scenes:   leafScenes(t),
		Expected: "testdata/expected.tsv",
		Uncovered: map[string]string{
			"zlmediakit.media_list.age": "depends on the clock alone: TestMediaListAge",
		},
	}.Run(t)
}

func TestEachMetricAlone(t *testing.T) {
	for _, scene := range leafScenes(t) {
		t.Run(scene.Name, func(t *testing.T) {
			rtctest.EachMetricAlone(t, func(t *testing.T, enable func(*metadata.MetricsConfig)) pmetric.Metrics {
				t.Helper()
				edit := func(c *Config) {
					expectSome(c)
					enable(&c.MetricsBuilderConfig.Metrics)
				}
				return scrapeDocuments(t, edit, scene.Answers, maps.Clone(scene.Answers))
			})
		})
	}
}

func TestExpectedScript(t *testing.T) { rtctest.ExpectedScript(t) }
