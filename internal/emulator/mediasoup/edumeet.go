// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

import (
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// EdumeetOptions configures the metrics pages of an emulated edumeet 3 server.
type EdumeetOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Page is the response to GET /: "default" (also if empty), "default-5s-later", "default-quiet" (or "quiet"), or "aggregated".
	// The response to GET /metrics is always "aggregated".
	Page string
	// Secret is the bearer token for /metrics. As on the real server, other paths do not require it.
	Secret string
	// Moving makes byte counts advance with Now. After a restart, this always happens.
	Moving bool
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	metricsPath = "/metrics"

	edumeetFile = "mediasoup/edumeet-%s.prom"
	// edumeetUptime is the age of the streams in seconds at the time of the capture, estimated from their growth until the later
	// capture.
	edumeetUptime = 18
)

var (
	edumeetShort   = map[string]string{"": "default", "quiet": "default-quiet"}
	edumeetCounter = regexp.MustCompile(`(?m)^mediasoup_\w+_byte_count_bytes{.*} (\d+)(?:\.(\d+))?$`)
)

// NewEdumeet starts an emulated edumeet server.
func NewEdumeet(o EdumeetOptions) (*emulator.Server, error) {
	if name, short := edumeetShort[o.Page]; short {
		o.Page = name
	}
	pages := map[string][]byte{"/": nil, metricsPath: nil}
	for path, name := range map[string]string{"/": o.Page, metricsPath: "aggregated"} {
		page, err := fs.ReadFile(testdata.Files, fmt.Sprintf(edumeetFile, name))
		if err != nil {
			return nil, fmt.Errorf("%q is no captured page: %w", name, err)
		}
		pages[path] = page
	}
	uptime, err := emulator.NewUptime(edumeetUptime, o.Now, o.Moving)
	if err != nil {
		return nil, err
	}
	return emulator.NewServer(o.Addr, emulator.Handler{
		API: func(r *http.Request) string { return r.URL.Path },
		Answer: func(r *http.Request) emulator.Answer {
			page, known := pages[r.URL.Path]
			switch {
			case !known:
				return textAnswer(http.StatusNotFound, []byte("Cannot GET "+r.URL.Path+"\n"))
			case r.URL.Path == metricsPath && o.Secret != "" && r.Header.Get("Authorization") != "Bearer "+o.Secret:
				return emulator.Unauthorized()
			}
			return textAnswer(http.StatusOK, uptime.AdvancePage(page, edumeetCounter))
		},
		Denied:  emulator.Unauthorized,
		Restart: uptime.Restart,
	})
}

// textAnswer returns a response with the content type of prom-client.
func textAnswer(status int, body []byte) emulator.Answer {
	header := http.Header{"Content-Type": {"text/plain; version=0.0.4; charset=utf-8"}}
	return emulator.Answer{Status: status, Header: header, Body: body}
}
