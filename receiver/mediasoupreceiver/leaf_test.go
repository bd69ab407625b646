// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// constructed is a handwritten snapshot that covers what no captured one has.
const constructed = "snapshot-3.constructed.json"

// agentScene returns a scene of an agent that has no objects at first, so that sums equal the snapshot's counters.
func agentScene(t *testing.T, file string) rtctest.Scene {
	t.Helper()
	return rtctest.Scene{
		Name:    file,
		Answers: map[string]rtctest.Document{file: rtctest.ReadJSON(t, []byte(captured(t, file)))},
		Scrape: func(t *testing.T, answers map[string]rtctest.Document) pmetric.Metrics {
			t.Helper()
			return scrapeSnapshot(t, answers[file].Bytes(), everything)
		},
	}
}

// pageScene returns a scene of a page of edumeet.
func pageScene(t *testing.T, file string) rtctest.Scene {
	t.Helper()
	return rtctest.Scene{
		Name:    file,
		Answers: map[string]rtctest.Document{file: families{rtctest.Page(captured(t, file))}},
		Scrape: func(t *testing.T, answers map[string]rtctest.Document) pmetric.Metrics {
			t.Helper()
			return scrapePage(t, answers[file].Bytes(), edumeetEverything)
		},
	}
}

// families is a page whose samples are identified by their family: one row of the ledger covers all series of a family.
type families struct{ rtctest.Page }

func (d families) EachLeaf(f func(rtctest.Leaf)) {
	d.Page.EachLeaf(func(leaf rtctest.Leaf) {
		if family, _, _ := strings.Cut(leaf.Path, "{"); !strings.Contains(leaf.Path, "{}.") {
			leaf.Path = family
		}
		f(leaf)
	})
}

// scrapeSnapshot returns the result of the second scrape of an agent, whose first scrape found no objects.
func scrapeSnapshot(t *testing.T, snapshot []byte, edit func(*Config)) pmetric.Metrics {
	t.Helper()
	s := newFuzzSystem(t, newFuzzClient(), edit)
	s.SetClock(func() time.Time { return time.UnixMilli(1795217600000) }) // later than the snapshots
	s.client.http = httpapi.New(&http.Client{Transport: asked(withoutObjects(t, snapshot))}, "http://127.0.0.1")
	scrapeOnce(t, s)
	s.client.http = httpapi.New(&http.Client{Transport: asked(snapshot)}, "http://127.0.0.1")
	return scrapeOnce(t, s)
}

// scrapePage returns the result of the first scrape of a page.
func scrapePage(t *testing.T, page []byte, edit func(*Config)) pmetric.Metrics {
	t.Helper()
	s := newFuzzSystem(t, newFuzzClient(), edit)
	s.SetClock(func() time.Time { return time.Unix(1e9, 0) }) // before the receiver was created, which is when sums start
	s.client.http = httpapi.New(&http.Client{Transport: answer(page)}, "http://127.0.0.1")
	return scrapeOnce(t, s)
}

// snapshotMembers decodes a snapshot, changes it and encodes it again.
func snapshotMembers(snapshot []byte, change func(members map[string]any)) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(snapshot))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return nil, err
	}
	change(members)
	return json.Marshal(members)
}

// withoutObjects returns a snapshot of the same application before it created any objects.
func withoutObjects(t *testing.T, snapshot []byte) []byte {
	t.Helper()
	text, err := snapshotMembers(snapshot, func(members map[string]any) {
		for name, member := range members {
			if _, isList := member.([]any); isList {
				members[name] = []any{}
			}
		}
	})
	require.NoError(t, err)
	return text
}

// asked is an agent that returns only the requested statistics.
type asked []byte

func (a asked) RoundTrip(r *http.Request) (*http.Response, error) {
	kinds := strings.Split(r.URL.Query().Get("stats"), ",")
	text, err := snapshotMembers(a, func(members map[string]any) {
		for _, m := range measurable {
			objects, _ := members[lists[m.list].name].([]any)
			for _, object := range objects {
				if object, isObject := object.(map[string]any); isObject && !slices.Contains(kinds, m.statistics) {
					delete(object, "stats")
					delete(object, "resourceUsage")
					delete(object, "statsAgeMs")
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text))}, nil
}

// answerOf returns the name that the ledger uses for the response in a file.
func answerOf(file string) string {
	name, _, _ := strings.Cut(file, ".")
	for _, page := range []string{"edumeet-default", "edumeet-room-server"} {
		if strings.HasPrefix(name, page) {
			return page // captured at another time, or with other options
		}
	}
	return name
}

// A change of a leaf in a captured response changes the metrics that the ledger names, and no others.
func TestLeaves(t *testing.T) {
	rtctest.LeafTest{
		Ledger: fieldLedger, Metadata: "metadata.yaml", Answer: answerOf,
		Expected: filepath.Join("testdata", "expected.tsv"),
		Scenes: []rtctest.Scene{
			agentScene(t, "snapshot-3.12.16-a.json"),
			agentScene(t, constructed),
			pageScene(t, "edumeet-default.prom"),
			pageScene(t, "edumeet-aggregated.prom"),
			pageScene(t, "edumeet-room-server-empty.prom"),
			pageScene(t, "edumeet-room-server.prom"),
		},
	}.Run(t)
}

// Sums start with the objects that appeared after the first scrape. Averages and extremes are over new statistics.
func TestConstructedSnapshot(t *testing.T) {
	metrics := scrapeSnapshot(t, []byte(captured(t, constructed)), everything)
	rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), "constructed", rtctest.Points(t, metrics))
}

func TestExpectedScript(t *testing.T) { rtctest.ExpectedScript(t) }

// A metric that is enabled alone has the same points as when all metrics are enabled.
func TestEachMetricAlone(t *testing.T) {
	seen := map[string]bool{}
	for file, scrapeFile := range map[string]func(*testing.T, []byte, func(*Config)) pmetric.Metrics{
		constructed: scrapeSnapshot, "edumeet-default.prom": scrapePage, "edumeet-aggregated.prom": scrapePage,
	} {
		rtctest.EachMetricAlone(t, func(t *testing.T, enable func(*metadata.MetricsConfig)) pmetric.Metrics {
			t.Helper()
			metrics := scrapeFile(t, []byte(captured(t, file)), func(c *Config) {
				if file != constructed {
					c.Format = FormatEdumeet
				}
				c.Rooms.Labels = []string{"room_id"}
				enable(&c.MetricsBuilderConfig.Metrics)
			})
			for point := range rtctest.Points(t, metrics) {
				name, _, _ := strings.Cut(point, "{")
				seen[name] = true
			}
			return metrics
		}, "mediasoup.agent.coverage") // it depends on the statistics that other metrics need
	}
	for field := range reflect.TypeFor[metadata.MetricsConfig]().Fields() {
		name := field.Tag.Get("mapstructure")
		hasPoint := seen[name] || name == "rtc.scrape.errors" || name == "rtc.target.certificate.remaining" // no call fails or uses TLS
		assert.True(t, hasPoint, "%s has no point", name)
	}
}
