// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// plenty is a timeout that scrapes do not reach, even on a slow machine.
const plenty = 30 * time.Second

func scrapeInTime(t *testing.T, s *system, timeout time.Duration) (map[string]float64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	metrics, err := s.Scrape(ctx)
	deadline, _ := ctx.Deadline()
	assert.Less(t, time.Since(deadline), plenty, "long after the deadline")
	return rtctest.Points(t, metrics), err
}

// If the server is stopped, hangs or is not Kamailio, the target is down, the error says what to check, and the next scrape is
// complete.
func TestServerFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil   func(t *testing.T, f *fakeCtl)
		timeout time.Duration
		message string
		counted scrape.ErrorType
	}{
		"gone": {func(_ *testing.T, f *fakeCtl) { f.stop() }, plenty, "check that kamailio runs", scrape.Connection},
		"mute": {
			func(t *testing.T, f *fakeCtl) {
				t.Helper()
				stop := make(chan struct{})
				t.Cleanup(func() { close(stop) })
				f.answer = func([]string) ([]byte, bool, bool) {
					<-stop
					return nil, false, true
				}
			}, 500 * time.Millisecond, "no complete reply in time", scrape.Timeout,
		},
		"broken": {
			func(_ *testing.T, f *fakeCtl) {
				f.answer = func([]string) ([]byte, bool, bool) { return []byte{0x03, 0x15, 'x'}, false, true }
			}, plenty, "check that the setting endpoint names a socket", scrape.Format,
		},
		"faults": {
			func(_ *testing.T, f *fakeCtl) {
				f.answer = func([]string) ([]byte, bool, bool) { return faultBody("no"), true, true }
			}, plenty, `fault 500 "no"`, scrape.Response,
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := startCtl(t, "unix")
			s, _ := startSystem(t, server.endpoint, nil)
			tt.spoil(t, server)
			points, err := scrapeInTime(t, s, tt.timeout)
			require.True(t, scrapererror.IsPartialScrapeError(err))
			require.ErrorContains(t, err, tt.message)
			require.ErrorContains(t, err, "of "+server.endpoint+": ")
			assert.InDelta(t, 0, points["rtc.target.up{}"], 0)
			assert.Positive(t, points[fmt.Sprintf("rtc.scrape.errors{error.type=%s,rtc.api=core.uptime}", tt.counted)])
			for point := range points {
				assert.True(t, strings.HasPrefix(point, "rtc."), point)
			}
			if name == "mute" {
				return
			}
			server.answer = nil
			server.restart(t)
			points, err = scrapeInTime(t, s, plenty)
			require.NoError(t, err)
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			assert.InDelta(t, 140, points["kamailio.requests{}"], 0)
		})
	}
}

// A method that fails affects only its own metrics.
func TestOneMethodFails(t *testing.T) {
	for method, lost := range map[string]string{
		apiStatistics: "kamailio.requests", apiProcesses: "kamailio.process.count", apiDispatcher: "kamailio.dispatcher.set.count",
		apiRTPEngines: "kamailio.rtpengine.node.state", apiHtables: "kamailio.htable.item.count", apiDMQ: "kamailio.dmq.node.state",
		apiTCP: "kamailio.tcp.reader.count", apiDialogs: "kamailio.dialog.count", apiUptime: "kamailio.uptime",
	} {
		t.Run(method, func(t *testing.T) {
			server := startCtl(t, "unix")
			server.answer = func(words []string) ([]byte, bool, bool) {
				return faultBody("no"), true, words[0] == method || words[0] == apiStatisticLines
			}
			s, _ := startSystem(t, server.endpoint, nil)
			points, err := scrapeInTime(t, s, plenty)
			require.ErrorContains(t, err, method+" of "+server.endpoint+": ")
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			for _, name := range []string{"kamailio.requests", "kamailio.process.count", "kamailio.uptime", "kamailio.htable.item.count"} {
				there := false
				for point := range points {
					there = there || strings.HasPrefix(point, name+"{")
				}
				assert.Equal(t, name != lost, there, name)
			}
		})
	}
}

// A module that is not loaded is not an error. It is logged once.
func TestAbsentModules(t *testing.T) {
	s, logs := startSystem(t, startCtl(t, "minimal").endpoint, everything)
	for range 3 {
		points, err := scrapeInTime(t, s, plenty)
		require.NoError(t, err)
		assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	}
	var absent []any
	for _, entry := range logs.FilterMessageSnippet("does not offer an API").All() {
		absent = append(absent, entry.ContextMap()["api"])
	}
	assert.ElementsMatch(t, []any{
		apiDialogs, apiProfileSize, apiDispatcher, apiRTPEngines, apiRTPEngineCalls, apiHtables, apiPike, apiDMQ, apiTransactions,
		apiDNSMemory, apiDNSStatistics, apiPeers, apiPipes, apiSecfilter,
		apiTCP, // listed, but TCP is disabled
	}, absent)
}

// A dispatcher without sets reports 0 sets and no error.
func TestNoDispatcherSets(t *testing.T) {
	server := startCtl(t, "unix")
	server.answer = func(words []string) ([]byte, bool, bool) {
		return faultBody("No Destination Sets"), true, words[0] == apiDispatcher
	}
	s, _ := startSystem(t, server.endpoint, nil)
	points, err := scrapeInTime(t, s, plenty)
	require.NoError(t, err)
	assert.InDelta(t, 0, points["kamailio.dispatcher.set.count{}"], 0)
	assert.Contains(t, points, "kamailio.dispatcher.set.count{}")
}

// A profile that does not exist affects no other profile.
func TestUnknownProfile(t *testing.T) {
	s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) {
		c.MetricsBuilderConfig.Metrics.KamailioDialogCountByProfile.Enabled = true
		c.DialogProfiles = []string{"nosuch", "inbound"}
	})
	points, err := scrapeInTime(t, s, plenty)
	require.ErrorContains(t, err, `fault 404 "Profile not found: nosuch": check the setting dialog_profiles`)
	assert.InDelta(t, 3, points["kamailio.dialog.count_by_profile{kamailio.dialog.profile=inbound,kamailio.dialog.value=}"], 0)
}

// JSON-RPC responses other than a result are errors that say what to check.
func TestForeignAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		status                  int
		contentType, body, want string
		counted                 scrape.ErrorType
	}{
		"a fault":        {500, "application/json", `{"jsonrpc":"2.0","error":{"code":500,"message":"Internal error"},"id":1}`, `fault 500 "Internal error"`, scrape.Response},
		"another API":    {200, "application/json", `{"status":"ok"}`, "neither result nor error in it", scrape.Format},
		"a web page":     {200, "text/html", `<html>`, "an HTML page instead of the API's answer", scrape.Format},
		"a login":        {401, "text/plain", `no`, "HTTP status 401 Unauthorized", scrape.Authentication},
		"a proxy":        {502, "text/html", `<html>`, "HTTP status 502 Bad Gateway with an HTML page", scrape.Status},
		"broken":         {200, "application/json", `{"result":{`, "cannot be decoded", scrape.Format},
		"too deep":       {200, "application/json", `{"result":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "values more than 32 deep in a reply", scrape.Size},
		"too large":      {200, "application/json", `{"result":"` + strings.Repeat("x", 16<<20) + `"}`, "more than 16 MiB in a reply", scrape.Size},
		"another result": {200, "application/json", `{"result":{"now":"x"}}`, "no uptime in it", scrape.Format},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			s, _ := startSystem(t, server.URL, nil)
			_, err := get(t.Context(), s.client, ask(apiUptime, readUptime))
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.counted, scrape.TypeOf(err))
		})
	}
}

// The credentials of JSON-RPC and those in addresses that the server reports do not appear in errors, logs or metrics.
func TestSecrets(t *testing.T) {
	const secret = "s3cr3t/+&="
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Contains(t, r.Header.Get("Authorization"), base64.StdEncoding.EncodeToString([]byte(secret)))
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	s, logs := startSystem(t, server.URL, func(c *Config) {
		c.ClientConfig.Headers.Set("Authorization", configopaque.String("Basic "+base64.StdEncoding.EncodeToString([]byte(secret))))
	})
	metrics, err := s.Scrape(t.Context())
	require.Error(t, err)
	rtctest.NoSecret(t, secret, err.Error(), rtctest.Text(t, metrics))
	for _, entry := range logs.All() {
		rtctest.NoSecret(t, secret, entry.Message, fmt.Sprint(entry.ContextMap()))
	}
	for uri, want := range map[string]string{
		"sip:10.0.0.1:5060;transport=tcp":              "sip:10.0.0.1:5060;transport=tcp",
		"sip:gw@10.0.0.1":                              "sip:gw@10.0.0.1",
		"sip:gw:hunter2@10.0.0.1;lr;token=hunter2":     "sip:gw@10.0.0.1;lr",
		"sip:gw;pw=hunter2:hunter2@[::1]:5060":         "sip:gw@[::1]:5060",
		"sip:10.0.0.1?Authorization=hunter2":           "sip:10.0.0.1",
		"sips:a@b@10.0.0.1;Transport=TLS;auth=hunter2": "sips:a@b@10.0.0.1;Transport=TLS",
	} {
		assert.Equal(t, want, withoutSecrets(uri), uri)
	}
}
