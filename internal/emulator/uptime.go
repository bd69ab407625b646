// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Uptime is the time since the start of an emulated server. Counters grow in proportion to it, so that totals remain consistent.
type Uptime struct {
	now      func() time.Time
	captured int64 // seconds at the time of the capture

	mu        sync.Mutex
	moving    bool
	restarted bool
	started   time.Time
}

// NewUptime returns the uptime of a server that was captured after captured seconds. It advances with now (time.Now if nil) if moving
// is true, and always after Restart.
func NewUptime(captured int64, now func() time.Time, moving bool) (*Uptime, error) {
	if captured <= 0 {
		return nil, errors.New("no uptime was captured")
	}
	if now == nil {
		now = time.Now
	}
	return &Uptime{now: now, captured: captured, moving: moving, started: now().Add(-time.Duration(captured) * time.Second)}, nil
}

// Restart sets the uptime to 0 and makes it advance.
func (u *Uptime) Restart() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.moving, u.restarted, u.started = true, true, u.now()
}

// IsMoving reports whether the uptime advances.
func (u *Uptime) IsMoving() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.moving
}

// Elapsed returns the time since the start of the emulated server or its restart. It is 0 if the uptime does not advance.
func (u *Uptime) Elapsed() (elapsed time.Duration, restarted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.moving {
		elapsed = u.now().Sub(u.started)
	}
	if u.moving && !u.restarted {
		elapsed -= time.Duration(u.captured) * time.Second
	}
	return max(elapsed, 0), u.restarted
}

// Advance returns the current value of a captured counter.
func (u *Uptime) Advance(captured int64) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.moving {
		return captured
	}
	uptime := max(int64(u.now().Sub(u.started)/time.Second), 0)
	return captured/u.captured*uptime + captured%u.captured*uptime/u.captured
}

// AdvancePage advances the counters of a page of metrics. The first group of counters matches the digits of a value, the second one
// those after the decimal point. The number of decimal places does not change.
func (u *Uptime) AdvancePage(page []byte, counters *regexp.Regexp) []byte {
	if !u.IsMoving() {
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
		value, _ := strconv.ParseInt(digits, 10, 64) // the pattern matches only digits
		edited = append(append(edited, page[from:at[2]]...), formatDecimal(u.Advance(value), decimals)...)
		from = at[1]
	}
	return append(edited, page[from:]...)
}

// formatDecimal writes n with a decimal point before its last digits.
func formatDecimal(n int64, decimals int) string {
	digits := fmt.Sprintf("%0*d", decimals+1, n)
	if decimals == 0 {
		return digits
	}
	return strings.Join([]string{digits[:len(digits)-decimals], digits[len(digits)-decimals:]}, ".")
}
