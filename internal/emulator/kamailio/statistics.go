// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// counterPatterns matches, for each method, the names of the reply's values that grow with the uptime.
var counterPatterns = map[string]*regexp.Regexp{
	"core.uptime": regexp.MustCompile(`^uptime$`),
	"sl.stats":    regexp.MustCompile(`.`),
	"stats.fetch": regexp.MustCompile(`^((core|dns|sl|scriptcnt|tenant1)\.` +
		`|dialog\.(expired|failed|processed)_|registrar\.(accepted|rejected)_|usrloc\..*_expires$` +
		`|script\.(My-Mixed\.Case_seconds|my_custom_value_total|my_negative|extra_.*_total)$` +
		`|tcp\.(con_|connect_|established|local_|passive_|send)|tmx\.([2-6]xx|UAC|UAS|rpl)_)`),
	"tm.stats": regexp.MustCompile(`^(.xx|created|delayed_free|freed|rpl_.*|total.*)$`),
}

// advance advances the counters in the reply of a method, and adds the load.
func (k *ctl) advance(method string, p packet) packet {
	if !k.uptime.IsMoving() {
		return p
	}
	counters, now := counterPatterns[method], newTraffic(k.Life, k.uptime)
	records, _ := cutRecords(p.body) // captures are complete
	var body []byte
	var name string
	for _, r := range records {
		captured := int64(bigEndian(r.value)) //nolint:gosec // four bytes
		value := captured
		if r.typ == recordInt && counters != nil && counters.MatchString(name) {
			value = k.uptime.Advance(captured)
		}
		if add := trafficValues[method+"."+name]; r.typ == recordInt && add != nil {
			value += add(now)
		}
		if value != captured {
			body = appendInt(body, uint32(value)) //nolint:gosec // wraps around like the real one
		} else {
			body = append(body, r.raw...)
		}
		if name = ""; r.typ == recordName {
			name = r.text()
		}
	}
	p.body = body
	return p
}

// statistic is a captured statistic. The server prints negative values as unsigned numbers.
type statistic struct {
	group, name string
	label       []byte // the record with group and name
	value       int64
	counter     bool
	add         func(traffic) int64 // nil if the load does not add to it
}

func newStatistic(group, name string, value int64) statistic {
	whole := group + "." + name
	return statistic{
		group: group, name: name, value: value,
		label:   appendText(nil, recordName, whole),
		counter: counterPatterns["stats.fetch"].MatchString(whole),
		add:     trafficValues[whole],
	}
}

// prepare reads the values from which replies are rendered.
func (k *ctl) prepare() error {
	uptime, err := k.member("core.uptime", "uptime")
	if err == nil {
		k.uptime, err = emulator.NewUptime(uptime, k.Now, k.Moving)
	}
	if err != nil {
		return err
	}
	records, _ := cutRecords(k.all.body) // member has verified that captures are complete
	for i, r := range records {
		if r.typ == recordName {
			group, name, _ := strings.Cut(r.text(), ".")
			value, _ := strconv.ParseUint(records[i+1].text(), 10, 64)                   // was printed with %lu
			k.statistics = append(k.statistics, newStatistic(group, name, int64(value))) //nolint:gosec // a negative number was printed as unsigned
		}
	}
	for i := range k.Statistics {
		name := fmt.Sprintf("extra_statistic_number_%04d_total", i)
		k.statistics = append(k.statistics, newStatistic("script", name, uptime*int64(i%5+1)))
	}
	slices.SortFunc(k.statistics, func(a, b statistic) int {
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

// member returns a number in a captured reply by its name.
func (k *ctl) member(call, name string) (int64, error) {
	records, err := cutRecords(k.captures[call].body)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(records, func(r record) bool { return r.typ == recordName && r.text() == name })
	if at < 0 || at+1 == len(records) {
		return 0, fmt.Errorf("the reply to %s lacks %s", call, name)
	}
	return int64(bigEndian(records[at+1].value)), nil //nolint:gosec // four bytes
}

// rendered maps methods to functions that render their replies from the statistics if the call has arguments.
var rendered = map[string]func(*ctl, rpcCall) packet{
	"stats.fetch":  (*ctl).fetch,
	"cnt.var_list": (*ctl).varList,
}

// fetch returns the reply to stats.fetch for "all", for groups such as "core:" and for names. It omits unknown ones.
func (k *ctl) fetch(call rpcCall) packet {
	body := make([]byte, 0, defaultStructLimit)
	body = append(body, structBegin)
	now := newTraffic(k.Life, k.uptime)
	for _, asked := range call[1:] {
		group, isGroup := strings.CutSuffix(asked, ":")
		if at, known := k.named[asked]; known {
			body = k.appendStatistic(body, k.statistics[at], now)
			continue
		}
		for _, s := range k.statistics {
			if asked == "all" || isGroup && s.group == group {
				body = k.appendStatistic(body, s, now)
			}
		}
	}
	if len(body) > k.StructLimit {
		return newFault(http.StatusInternalServerError, "Internal error")
	}
	return packet{typ: typeReply, body: append(body, structEnd)}
}

func (k *ctl) appendStatistic(body []byte, s statistic, now traffic) []byte {
	value := s.value
	if s.counter {
		value = k.uptime.Advance(value)
	}
	if s.add != nil {
		value += s.add(now)
	}
	var digits [20]byte
	body = append(body, s.label...)
	return appendText(body, recordString, strconv.AppendUint(digits[:0], uint64(value), 10)) //nolint:gosec // as the server prints it
}

// varList returns the reply to cnt.var_list with the names of a group.
func (k *ctl) varList(call rpcCall) packet {
	reply := packet{typ: typeReply}
	for _, s := range k.statistics {
		if s.group == call[1] {
			reply.body = appendText(reply.body, recordString, s.name)
		}
	}
	return reply
}

// scaleTargets scales a captured dispatcher.list to a number of targets. Copies follow their original. Their URIs differ in the user,
// because receivers omit unknown parameters.
func scaleTargets(list packet, targets int) packet {
	name, uri := appendText(nil, recordName, "DEST"), appendText(nil, recordName, "URI")
	parts := bytes.Split(list.body, name)
	originals := len(parts) - 1
	body := slices.Clone(parts[0])
	for i, part := range parts[1:] {
		end := endOfStruct(part)
		before, value, _ := bytes.Cut(part[:end], uri)
		r, after, _ := cutRecord(value) // captures are complete
		for n := i; n < targets; n += originals {
			own := r.text()
			if n > i {
				own = strings.Replace(own, ":", fmt.Sprintf(":target%05d@", n), 1)
			}
			body = append(append(append(body, name...), before...), uri...)
			body = append(appendText(body, recordString, own), after...)
		}
		body = append(body, part[end:]...)
	}
	list.body = body
	return list
}

// endOfStruct returns the length of the struct at the start of a body.
func endOfStruct(body []byte) int {
	depth, rest := 0, body
	for len(rest) > 0 {
		r, next, _ := cutRecord(rest) // captures are complete
		rest = next
		switch r.raw[0] {
		case structBegin:
			depth++
		case structEnd:
			if depth--; depth == 0 {
				return len(body) - len(rest)
			}
		}
	}
	return len(body)
}
