// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// RTPEngine are the options of an emulated rtpengine: its page /metrics.
type RTPEngine struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Moving makes uptime and counters advance with Now. They do so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

var (
	rtpengineUptime  = regexp.MustCompile(`(?m)^rtpengine_uptime_seconds (\d+)$`)
	rtpengineCounter = regexp.MustCompile(`(?m)^(?:rtpengine_\w+_total(?:{.*})?|rtpengine_uptime_seconds) (\d+)(?:\.(\d+))?$`)
)

// NewRTPEngine starts an emulated rtpengine.
func NewRTPEngine(o RTPEngine) (*Server, error) {
	page, err := readWithHeaders("kamailio/prometheus/rtpengine", ".txt")
	if err != nil {
		return nil, err
	}
	found := rtpengineUptime.FindSubmatch(page.body)
	if found == nil {
		return nil, errors.New("testdata/kamailio/prometheus/rtpengine.txt lacks the uptime")
	}
	uptime, _ := strconv.ParseInt(string(found[1]), 10, 64) // the pattern has digits only
	var age serverAge
	if err := age.begin(uptime, o.Now, o.Moving); err != nil {
		return nil, fmt.Errorf("testdata/kamailio/prometheus/rtpengine.txt: %w", err)
	}
	return newServer(o.Addr, system{
		api: func(r *http.Request) string { return r.URL.Path },
		answer: func(r *http.Request) answer {
			if r.URL.Path != metricsPath {
				return answer{status: http.StatusNotFound, header: http.Header{"Content-Type": {"text/plain"}}, body: []byte("not found\n")}
			}
			now := page
			now.body = age.advancePage(page.body, rtpengineCounter)
			return now
		},
		denied:  unauthorized,
		restart: age.restart,
	})
}

// advancePage edits the counters of a page: the first group of a match are the digits, the second those after the point.
// A number with decimals grows as a whole number of its last decimal.
func (a *serverAge) advancePage(page []byte, counters *regexp.Regexp) []byte {
	if !a.moves() {
		return page
	}
	var edited []byte
	from := 0
	for _, at := range counters.FindAllSubmatchIndex(page, -1) {
		digits := string(page[at[2]:at[3]])
		decimals := 0
		if at[4] >= 0 {
			decimals = at[5] - at[4]
			digits += string(page[at[4]:at[5]])
		}
		value, _ := strconv.ParseInt(digits, 10, 64) // the pattern has digits only
		edited = append(append(edited, page[from:at[2]]...), withDecimals(a.grown(value), decimals)...)
		from = at[1]
	}
	return append(edited, page[from:]...)
}

// withDecimals puts a point before the last digits.
func withDecimals(n int64, decimals int) string {
	digits := fmt.Sprintf("%0*d", decimals+1, n)
	if decimals == 0 {
		return digits
	}
	return strings.Join([]string{digits[:len(digits)-decimals], digits[len(digits)-decimals:]}, ".")
}
