// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Edumeet are the options of the emulated metrics pages of an edumeet 3 server.
type Edumeet struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Page is what GET / answers: "default" (when empty), "default-5s-later", "default-quiet" or "aggregated". "quiet" is
	// short for "default-quiet". GET /metrics always answers "aggregated".
	Page string
	// Secret is what a bearer has to show for /metrics; the real server asks for it there alone.
	Secret string
	// Moving makes byte counts advance with Now. They do so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	edumeetFile = "mediasoup/edumeet-%s.prom"
	// edumeetUptime is how old the streams were at the capture, in seconds, by their growth until the later one.
	edumeetUptime = 18
)

var (
	edumeetShort   = map[string]string{"": "default", "quiet": "default-quiet"}
	edumeetCounter = regexp.MustCompile(`(?m)^mediasoup_\w+_byte_count_bytes{.*} (\d+)(?:\.(\d+))?$`)
)

// NewEdumeet starts an emulated edumeet server.
func NewEdumeet(o Edumeet) (*Server, error) {
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
	var age serverAge
	if err := age.begin(edumeetUptime, o.Now, o.Moving); err != nil {
		return nil, err
	}
	return newServer(o.Addr, system{
		api: func(r *http.Request) string { return r.URL.Path },
		answer: func(r *http.Request) answer {
			page, known := pages[r.URL.Path]
			switch {
			case !known:
				return textAnswer(http.StatusNotFound, []byte("Cannot GET "+r.URL.Path+"\n"))
			case r.URL.Path == metricsPath && o.Secret != "" && r.Header.Get("Authorization") != "Bearer "+o.Secret:
				return unauthorized()
			}
			return textAnswer(http.StatusOK, age.advancePage(page, edumeetCounter))
		},
		denied:  unauthorized,
		restart: age.restart,
	})
}

// textAnswer is a page as prom-client announces it.
func textAnswer(status int, body []byte) answer {
	header := http.Header{"Content-Type": {"text/plain; version=0.0.4; charset=utf-8"}}
	return answer{status: status, header: header, body: body}
}
