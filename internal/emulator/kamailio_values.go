// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// kamCounters says which named values of a reply grow with the uptime.
var kamCounters = map[string]*regexp.Regexp{
	"core.uptime": regexp.MustCompile(`^uptime$`),
	"sl.stats":    regexp.MustCompile(`.`),
	"stats.fetch": regexp.MustCompile(`^((core|dns|sl|scriptcnt|tenant1)\.` +
		`|dialog\.(expired|failed|processed)_|registrar\.(accepted|rejected)_|usrloc\..*_expires$` +
		`|script\.(My-Mixed\.Case_seconds|my_custom_value_total|my_negative|extra_.*_total)$` +
		`|tcp\.(con_|connect_|established|local_|passive_|send)|tmx\.([2-6]xx|UAC|UAS|rpl)_)`),
	"tm.stats": regexp.MustCompile(`^(.xx|created|delayed_free|freed|rpl_.*|total.*)$`),
}

// serverAge is how long a server has been up. What it counted up to the capture grows in proportion, so that sums go on
// being sums.
type serverAge struct {
	now      func() time.Time
	captured int64 // seconds, in the capture

	mu      sync.Mutex
	moving  bool
	started time.Time
}

// begin begins with what was captured.
func (a *serverAge) begin(captured int64, now func() time.Time, moving bool) error {
	if captured <= 0 {
		return errors.New("no uptime was captured")
	}
	if now == nil {
		now = time.Now
	}
	a.now, a.captured, a.moving = now, captured, moving
	a.started = now().Add(-time.Duration(captured) * time.Second)
	return nil
}

// restart forgets the past: everything counts from 0.
func (a *serverAge) restart() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moving, a.started = true, a.now()
}

func (a *serverAge) moves() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.moving
}

// grown is what has become of a captured counter.
func (a *serverAge) grown(captured int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.moving {
		return captured
	}
	uptime := max(int64(a.now().Sub(a.started)/time.Second), 0)
	return captured/a.captured*uptime + captured%a.captured*uptime/a.captured
}

// advance edits the counters of a reply.
func (a *serverAge) advance(p binrpcPacket, counters *regexp.Regexp) binrpcPacket {
	if counters == nil || !a.moves() {
		return p
	}
	records, _ := cutBINRPCAll(p.body) // captures are whole
	var body []byte
	var name string
	for _, r := range records {
		if r.typ == binrpcInt && counters.MatchString(name) {
			body = appendBINRPCInt(body, uint32(a.grown(int64(bigEndian(r.value))))) //nolint:gosec // wraps around as the real one
		} else {
			body = append(body, r.raw...)
		}
		if name = ""; r.typ == binrpcName {
			name = r.text()
		}
	}
	p.body = body
	return p
}

// kamStatistic is a statistic as it was captured; the server prints negative ones as unsigned numbers.
type kamStatistic struct {
	group, name string
	label       []byte // the record with both
	value       int64
	counts      bool
}

func newKamStatistic(group, name string, value int64) kamStatistic {
	whole := group + "." + name
	return kamStatistic{
		group: group, name: name, value: value,
		label:  appendBINRPCText(nil, binrpcName, whole),
		counts: kamCounters["stats.fetch"].MatchString(whole),
	}
}

// prepare reads from the captures what is rendered anew.
func (k *kamailio) prepare() error {
	uptime, err := k.member("core.uptime", "uptime")
	if err == nil {
		err = k.age.begin(uptime, k.Now, k.Moving)
	}
	if err != nil {
		return err
	}
	records, _ := cutBINRPCAll(k.all.body) // member has shown that captures are whole
	for i, r := range records {
		if r.typ == binrpcName {
			group, name, _ := strings.Cut(r.text(), ".")
			value, _ := strconv.ParseUint(records[i+1].text(), 10, 64)                      // so %lu was printed
			k.statistics = append(k.statistics, newKamStatistic(group, name, int64(value))) //nolint:gosec // the sign is that bit
		}
	}
	for i := range k.Statistics {
		name := fmt.Sprintf("extra_statistic_number_%04d_total", i)
		k.statistics = append(k.statistics, newKamStatistic("script", name, uptime*int64(i%5+1)))
	}
	slices.SortFunc(k.statistics, func(a, b kamStatistic) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.name, b.name))
	})
	for i, s := range slices.Backward(k.statistics) {
		k.named[s.name] = i
	}
	if list, known := k.captures["dispatcher.list"]; known && k.Targets > 0 {
		k.captures["dispatcher.list"] = scaleTargets(list, k.Targets)
	}
	return nil
}

// member is a named number in a captured reply.
func (k *kamailio) member(call, name string) (int64, error) {
	records, err := cutBINRPCAll(k.captures[call].body)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(records, func(r binrpcRecord) bool { return r.typ == binrpcName && r.text() == name })
	if at < 0 || at+1 == len(records) {
		return 0, fmt.Errorf("the reply to %s lacks %s", call, name)
	}
	return int64(bigEndian(records[at+1].value)), nil //nolint:gosec // four bytes
}

// kamRendered are the methods whose replies are put together from the statistics, when they have arguments.
var kamRendered = map[string]func(*kamailio, binrpcCall) binrpcPacket{
	"stats.fetch":  (*kamailio).fetch,
	"cnt.var_list": (*kamailio).varList,
}

// fetch answers stats.fetch for all, a group: or names. What is unknown is left out.
func (k *kamailio) fetch(call binrpcCall) binrpcPacket {
	body := make([]byte, 0, kamStructLimit)
	body = append(body, binrpcStructBegin)
	for _, asked := range call[1:] {
		group, isGroup := strings.CutSuffix(asked, ":")
		if at, known := k.named[asked]; known {
			body = k.appendStatistic(body, k.statistics[at])
			continue
		}
		for _, s := range k.statistics {
			if asked == "all" || isGroup && s.group == group {
				body = k.appendStatistic(body, s)
			}
		}
	}
	if len(body) > k.StructLimit {
		return newBINRPCFault(http.StatusInternalServerError, "Internal error")
	}
	return binrpcPacket{typ: binrpcReply, body: append(body, binrpcStructEnd)}
}

func (k *kamailio) appendStatistic(body []byte, s kamStatistic) []byte {
	value := s.value
	if s.counts {
		value = k.age.grown(value)
	}
	var digits [20]byte
	body = append(body, s.label...)
	return appendBINRPCText(body, binrpcString, strconv.AppendUint(digits[:0], uint64(value), 10)) //nolint:gosec // as the server prints it
}

// varList answers cnt.var_list: the names of a group.
func (k *kamailio) varList(call binrpcCall) binrpcPacket {
	reply := binrpcPacket{typ: binrpcReply}
	for _, s := range k.statistics {
		if s.group == call[1] {
			reply.body = appendBINRPCText(reply.body, binrpcString, s.name)
		}
	}
	return reply
}

// scaleTargets makes so many targets of a captured dispatcher.list. Copies follow their original, under its URI with a
// user of their own, because receivers leave unknown parameters out.
func scaleTargets(list binrpcPacket, targets int) binrpcPacket {
	name, uri := appendBINRPCText(nil, binrpcName, "DEST"), appendBINRPCText(nil, binrpcName, "URI")
	parts := bytes.Split(list.body, name)
	originals := len(parts) - 1
	body := slices.Clone(parts[0])
	for i, part := range parts[1:] {
		end := structEnd(part)
		before, value, _ := bytes.Cut(part[:end], uri)
		r, after, _ := cutBINRPC(value) // captures are whole
		for n := i; n < targets; n += originals {
			own := r.text()
			if n > i {
				own = strings.Replace(own, ":", fmt.Sprintf(":target%05d@", n), 1)
			}
			body = append(append(append(body, name...), before...), uri...)
			body = append(appendBINRPCText(body, binrpcString, own), after...)
		}
		body = append(body, part[end:]...)
	}
	list.body = body
	return list
}

// structEnd is where the struct with which a body begins ends.
func structEnd(body []byte) int {
	depth, rest := 0, body
	for len(rest) > 0 {
		r, next, _ := cutBINRPC(rest) // captures are whole
		rest = next
		switch r.raw[0] {
		case binrpcStructBegin:
			depth++
		case binrpcStructEnd:
			if depth--; depth == 0 {
				return len(body) - len(rest)
			}
		}
	}
	return len(body)
}
