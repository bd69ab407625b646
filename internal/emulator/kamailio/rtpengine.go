// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// RTPEngineOptions configures the page /metrics of an emulated rtpengine.
type RTPEngineOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Moving makes uptime and counters advance with Now. After a restart, this always happens.
	Moving bool
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

var (
	rtpengineUptime  = regexp.MustCompile(`(?m)^rtpengine_uptime_seconds (\d+)$`)
	rtpengineCounter = regexp.MustCompile(`(?m)^(?:rtpengine_\w+_total(?:{.*})?|rtpengine_uptime_seconds) (\d+)(?:\.(\d+))?$`)
)

// NewRTPEngine starts an emulated rtpengine.
func NewRTPEngine(o RTPEngineOptions) (*emulator.Server, error) {
	page, err := readWithHeaders("kamailio/prometheus/rtpengine", ".txt")
	if err != nil {
		return nil, err
	}
	found := rtpengineUptime.FindSubmatch(page.Body)
	if found == nil {
		return nil, errors.New("testdata/kamailio/prometheus/rtpengine.txt lacks the uptime")
	}
	captured, _ := strconv.ParseInt(string(found[1]), 10, 64) // the pattern matches only digits
	uptime, err := emulator.NewUptime(captured, o.Now, o.Moving)
	if err != nil {
		return nil, fmt.Errorf("testdata/kamailio/prometheus/rtpengine.txt: %w", err)
	}
	return emulator.NewServer(o.Addr, emulator.Handler{
		API: func(r *http.Request) string { return r.URL.Path },
		Answer: func(r *http.Request) emulator.Answer {
			if r.URL.Path != metricsPath {
				return emulator.Answer{Status: http.StatusNotFound, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("not found\n")}
			}
			now := page
			now.Body = uptime.AdvancePage(page.Body, rtpengineCounter)
			return now
		},
		Denied:  emulator.Unauthorized,
		Restart: uptime.Restart,
	})
}
