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
	// Life adds calls that come and go in waves.
	Life emulator.Life
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

var (
	rtpengineUptime  = regexp.MustCompile(`(?m)^rtpengine_uptime_seconds (\d+)$`)
	rtpengineSample  = regexp.MustCompile(`(?m)^(rtpengine_\w+(?:{.*})?) (\d+)((?:\.\d+)?)$`)
	rtpengineAverage = regexp.MustCompile(`(?m)^(rtpengine_call_duration_avg) .*$`)
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
			now.Body = addTraffic(uptime.AdvancePage(page.Body, rtpengineCounter), newTraffic(o.Life, uptime))
			return now
		},
		Denied:  emulator.Unauthorized,
		Restart: uptime.Restart,
	})
}

// addTraffic adds the load to a page. The average duration of calls follows from the totals.
func addTraffic(page []byte, now traffic) []byte {
	if now == (traffic{}) {
		return page
	}
	values := map[string]float64{}
	page = rtpengineSample.ReplaceAllFunc(page, func(line []byte) []byte {
		sample := rtpengineSample.FindSubmatch(line)
		value, _ := strconv.ParseInt(string(sample[2]), 10, 64) // the pattern matches only digits
		if add := rtpengineValues[string(sample[1])]; add != nil {
			value += add(now)
		}
		text := fmt.Sprintf("%d%s", value, sample[3])
		values[string(sample[1])], _ = strconv.ParseFloat(text, 64)
		return fmt.Appendf(nil, "%s %s", sample[1], text)
	})
	average := values["rtpengine_call_duration_total"] / values["rtpengine_sessions_total"]
	return rtpengineAverage.ReplaceAll(page, fmt.Appendf(nil, "$1 %.6f", average))
}
