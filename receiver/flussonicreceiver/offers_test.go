// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

func aliveOf(stream string) string {
	return "flussonic.stream.alive{flussonic.stream.name=" + stream + "}"
}

// A single 404 for a list that was read before is a normal failure: no stream is considered removed, and the next scrape requests the
// list again.
func TestOneMissingList(t *testing.T) {
	for name, edit := range map[string]func(*Config){"api": onlyAPI, "api and page": func(*Config) {}} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t, flussonic.Options{})
			s, _ := startScraper(t, server.URL(), func(c *Config) { edit(c); c.Streams.Expected = []string{"hockey1", "ondemand", "gone"} })
			before := scrapePoints(t, s)
			require.NoError(t, server.SetFault("html_404", "streams"))
			metrics, err := s.Scrape(t.Context())
			require.ErrorContains(t, err, "streams of "+server.URL()+": HTTP status 404")
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=status,rtc.api=streams}"], 0)
			for point := range points {
				assert.False(t, strings.HasPrefix(point, "flussonic.stream.alive{"), point)
			}
			require.NoError(t, server.SetFault(""))
			after := scrapePoints(t, s)
			delete(after, "rtc.scrape.errors{error.type=status,rtc.api=streams}")
			assert.Equal(t, before, after)
		})
	}
}

// startRelease starts a server that has the list while offered is true, and a page with one stream.
func startRelease(t *testing.T, offered *atomic.Bool, version *atomic.Value, asked *atomic.Int64) string {
	t.Helper()
	return startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStats:
			_, _ = fmt.Fprintf(w, `{"server_version":%q,"build":1}`, version.Load())
		case apiPage:
			_, _ = w.Write([]byte("flussonic_stream_bytes_in{stream=\"a\"} 1\n"))
		case apiPath + apiStreams:
			asked.Add(1)
			if offered.Load() {
				_, _ = w.Write([]byte(`{"streams":[{"name":"a","stats":{"alive":true}}]}`))
				return
			}
			fallthrough
		default:
			http.NotFound(w, r)
		}
	})
}

// A list that disappears is a failure ten times, or until the server reports another version. Streams that are not on the page are
// then still not reported as missing. The page replaces a list that was never offered.
func TestListThatGoesAway(t *testing.T) {
	for _, tt := range []struct {
		name     string
		answered bool
		version  string // after the list disappeared
		failures int
	}{
		{"never offered", false, "25.11", 0},
		{"gone", true, "25.11", askAgainAfter - 1},
		{"gone with an update", true, "26.06", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var offered atomic.Bool
			var version atomic.Value
			var asked atomic.Int64
			offered.Store(tt.answered)
			version.Store("25.11")
			s, logs := startScraper(t, startRelease(t, &offered, &version, &asked), func(c *Config) { c.Streams.Expected = []string{"gone"} })
			if tt.answered {
				_ = scrapePoints(t, s)
			}
			offered.Store(false)
			version.Store(tt.version)
			asked.Store(0)
			failures := 0
			for range 2 * askAgainAfter {
				metrics, err := s.Scrape(t.Context())
				if err != nil {
					require.ErrorContains(t, err, "HTTP status 404")
					failures++
				}
				points := rtctest.Points(t, metrics)
				_, zero := points[aliveOf("gone")]
				assert.Equal(t, !tt.answered, zero)
				assert.InDelta(t, 1, sumOf(points, "flussonic.stream.io"), 0, "the page tells")
			}
			assert.Equal(t, tt.failures, failures)
			assert.EqualValues(t, tt.failures+1+(2*askAgainAfter-tt.failures-1)/askAgainAfter, asked.Load())
			assert.Equal(t, 1, logs.FilterMessageSnippet("does not offer an API").FilterField(zap.String("api", apiStreams)).Len())

			offered.Store(true)
			for range askAgainAfter {
				_, err := s.Scrape(t.Context())
				require.NoError(t, err)
			}
			assert.Contains(t, scrapePoints(t, s), aliveOf("a"), "looked for again")
		})
	}
}

// A 404 from another server does not mean that Flussonic does not offer the API.
func TestForeign404(t *testing.T) {
	for name, tt := range map[string]struct{ header, body, message string }{
		"Flussonic":  {"", string(capture(t, "api-v3/errors/404-jsonapi.json")), ""},
		"nobody":     {"", "no", ""},
		"a web site": {"nginx", "<html>no</html>", "dvrs, dvb_cards, cluster/peers, streams of %s: HTTP status 404 Not Found with an HTML page: `<html>no</html>`: check that the setting endpoint leads to Flussonic"},
		"ZLMediaKit": {"ZLMediaKit(git hash:x)", "", "dvrs, dvb_cards, cluster/peers, streams of %s: HTTP status 404 Not Found from ZLMediaKit: check that the setting endpoint leads to Flussonic"},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == apiPath+apiStats {
					_, _ = w.Write([]byte(`{"server_version":"25.11"}`))
					return
				}
				w.Header().Set("Server", tt.header)
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(tt.body))
			})
			s, logs := startScraper(t, endpoint, onlyAPI)
			for range 2 {
				_, err := s.Scrape(t.Context())
				if tt.message == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, fmt.Sprintf(tt.message, endpoint))
				}
			}
			assert.Equal(t, tt.message == "", logs.FilterMessageSnippet("does not offer an API").Len() > 0)
		})
	}
}

// While all small calls fail, the list is not requested, but still considered offered.
func TestListThatIsNotAskedFor(t *testing.T) {
	server := startServer(t, flussonic.Options{})
	s, _ := startScraper(t, server.URL(), func(c *Config) { c.Streams.Expected = []string{"hockey1"} })
	before := scrapePoints(t, s)
	require.NoError(t, server.SetFault("status_500", "config/stats", "dvrs", "dvb_cards", "cluster/peers", "streams"))
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "not asked, because the server answers nothing else")
	assert.NotContains(t, rtctest.Points(t, metrics), aliveOf("hockey1"))
	require.NoError(t, server.SetFault(""))
	after := scrapePoints(t, s)
	maps.DeleteFunc(after, func(point string, _ float64) bool { return strings.HasPrefix(point, "rtc.scrape.errors") })
	assert.Equal(t, before, after)
}
