// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// listRecorder records the lists of a server: processes, hash tables, destinations, rtpengines, nodes.
type listRecorder struct {
	mb        *builder
	report    *scrape.Report
	processes *selection.Set[struct{}]
	htables   *selection.Set[struct{}]
	targets   *selection.Set[destination]
	pipes     *selection.Set[struct{}]
	key       []byte // reused
}

func newListRecorder(cfg *Config, mb *builder, report *scrape.Report) *listRecorder {
	return &listRecorder{
		mb: mb, report: report,
		processes: selection.New[struct{}](cfg.Processes),
		htables:   selection.New[struct{}](cfg.Htables),
		targets:   selection.New[destination](cfg.DispatcherTargets),
		pipes:     selection.New[struct{}](cfg.Pipes),
	}
}

// omit reports the number of omitted items of a list.
func (r *listRecorder) omit(entity fmt.Stringer, limited int, merged int64) {
	r.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, int64(limited))
	r.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, merged)
}

func (r *listRecorder) recordProcesses(processes []process) {
	processCount.Record(r.mb, int64(len(processes)), rows.None{})
	merged := int64(0)
	r.processes.BeginWith(selection.Keys(processes, r.processKey))
	for i := range processes {
		p := &processes[i]
		p.Description = selection.Name(p.Description)
		item, first := r.processes.GetKey(r.processKey(p), []byte(p.Description))
		switch {
		case !first:
			merged++
		case item.Kept:
			recordNumbers(r.mb, processRows, p)
		}
	}
	r.omit(metadata.AttributeRtcEntityProcess, r.processes.Limited(), merged)
	r.processes.End(true)
}

func (r *listRecorder) processKey(p *process) []byte {
	r.key = strconv.AppendInt(r.key[:0], p.Index, 10)
	return r.key
}

// memoryOverhead returns the memory that the allocator itself uses.
func memoryOverhead(p *process) number {
	used, isUsed := p.Used.Get()
	realUsed, ok := p.RealUsed.Get()
	if !ok || !isUsed || used > realUsed {
		return number{}
	}
	return optional.Of(realUsed - used)
}

func (r *listRecorder) recordHtables(tables []htable) {
	recordNamed(r, r.htables, metadata.AttributeRtcEntityHtable, tables, func(t *htable) *string { return &t.Name }, htableRows)
}

// recordNamed records the numbers of items that are selected by name. If several have the same name, the first one is used.
func recordNamed[T any](
	r *listRecorder, set *selection.Set[struct{}], entity fmt.Stringer, list []T, nameOf func(*T) *string, table []numberRow[T],
) {
	merged := int64(0)
	key := func(one *T) []byte {
		r.key = selection.AppendName(r.key[:0], *nameOf(one))
		return r.key
	}
	set.BeginWith(selection.Keys(list, key))
	for i := range list {
		item, first := set.Get(key(&list[i]))
		switch {
		case !first:
			merged++
		case item.Kept:
			*nameOf(&list[i]) = item.Name
			recordNumbers(r.mb, table, &list[i])
		}
	}
	r.omit(entity, set.Limited(), merged)
	set.End(true)
}

// destination is an address of a dispatcher set. The set may list it more than once.
type destination struct {
	target                           // first occurrence
	states map[dispatcherState]int64 // occurrences by state
	probed int64
}

func (r *listRecorder) recordDispatcher(d dispatcher) {
	if n, ok := d.Sets.Get(); ok {
		setCount.Record(r.mb, n, rows.None{})
	}
	sets := map[string]map[dispatcherState]int64{}
	for i := range d.Targets {
		t := &d.Targets[i]
		t.Set, t.URI = selection.Name(t.Set), selection.Name(t.URI)
	}
	r.targets.BeginWith(selection.Keys(d.Targets, r.targetKey))
	for i := range d.Targets {
		t := &d.Targets[i]
		item, first := r.targets.Get(r.targetKey(t))
		if first {
			item.Value = destination{target: *t, states: map[dispatcherState]int64{}}
		}
		if sets[t.Set] == nil {
			sets[t.Set] = map[dispatcherState]int64{}
		}
		if t.hasState() {
			state := dispatcherStates[t.Flags[0]]
			item.Value.states[state]++
			sets[t.Set][state]++
		}
		item.Value.probed += rows.BoolToInt(strings.HasPrefix(t.Flags[min(1, len(t.Flags)):], "P"))
	}
	for set, counts := range sets {
		for _, state := range dispatcherStates {
			targetCount.Record(r.mb, counts[state], setInState{set, state})
		}
	}
	for _, item := range r.targets.Items() {
		if item.Kept {
			r.recordDestination(&item.Value)
		}
	}
	r.report.Omit(metadata.AttributeRtcEntityDispatcherTarget, metadata.AttributeRtcOmissionReasonLimit, int64(r.targets.Limited()))
	r.targets.End(true)
}

func (r *listRecorder) targetKey(t *target) []byte {
	r.key = append(append(append(r.key[:0], t.Set...), '/'), t.URI...)
	return r.key
}

func (r *listRecorder) recordDestination(d *destination) {
	if len(d.states) > 0 {
		for _, state := range dispatcherStates {
			targetState.Record(r.mb, d.states[state], targetInState{d.Set, d.URI, state})
		}
	}
	targetProbing.Record(r.mb, d.probed, &d.target)
	for i := range latencyRows {
		if v, ok := latencyRows[i].of(&d.target).Get(); ok {
			latencyRows[i].Point.RecordFloat(r.mb, v, &d.target)
		}
	}
	recordNumbers(r.mb, targetRows, &d.target)
}

// recordRelays records the rtpengines. An address that a set lists twice counts twice in the states; all other values are those of
// the first occurrence.
func (r *listRecorder) recordRelays(relays []relay) {
	states := map[relayNode]map[rtpengineState]int64{}
	for i := range relays {
		one := &relays[i]
		node := relayNode{one.Set, selection.Name(one.URL)}
		weight, hasWeight := one.Weight.Get()
		if states[node] == nil {
			states[node] = map[rtpengineState]int64{}
			if hasWeight {
				relayWeight.Record(r.mb, weight, node)
			}
			if seconds, ok := one.RecheckDelay.Get(); ok {
				relayRecheckDelay.Record(r.mb, seconds, node)
			}
		}
		state, known := relayStates[one.State]
		if !known {
			continue
		}
		states[node][state]++
		if index, ok := one.Index.Get(); ok && hasWeight {
			relayInfo.Record(r.mb, 1, relayAttributes{node, index, weight, state})
		}
	}
	for node, counts := range states {
		if len(counts) == 0 {
			continue
		}
		for _, state := range relayStates {
			relayStateCount.Record(r.mb, counts[state], relayAttributes{relayNode: node, state: state})
		}
	}
}

// recordNodes records the nodes of the distributed message queue. A node that is listed twice counts twice in the states; its failures are
// those of the first occurrence.
func (r *listRecorder) recordNodes(nodes []dmqNode) {
	counts := map[nodeInState]int64{}
	for _, n := range nodes {
		of := nodeInState{node: selection.Name(net.JoinHostPort(n.Host, n.Port)), local: n.Local}
		_, seen := counts[of]
		if failures, ok := n.Failures.Get(); ok && !seen {
			nodeFailures.Record(r.mb, failures, of)
		}
		for _, of.state = range metadata.MapAttributeKamailioDmqState {
			counts[of] += 0
		}
		of.state = metadata.AttributeKamailioDmqStateOther
		if state, known := metadata.MapAttributeKamailioDmqState[n.Status]; known {
			of.state = state
		}
		counts[of]++
	}
	for of, n := range counts {
		nodeState.Record(r.mb, n, of)
	}
}

// recordPipes records the pipes of the module pipelimit.
func (r *listRecorder) recordPipes(pipes []pipe) {
	recordNamed(r, r.pipes, metadata.AttributeRtcEntityPipe, pipes, func(p *pipe) *string { return &p.Name }, pipeRows)
}

// messageLimit returns the number of messages that a pipe accepts. The limits of the other algorithms are loads.
func messageLimit(p *pipe) number {
	if p.Algorithm != "TAILDROP" && p.Algorithm != "RED" {
		return number{}
	}
	return p.Limit
}

// recordSecfilter records the matches of the module secfilter. Lists that are not known count as other; fields that are not known are
// refused.
func (r *listRecorder) recordSecfilter(counts []secfilterCount) {
	matches := map[secfilterMatch]int64{}
	for _, c := range counts {
		list, known := secfilterLists[c.List]
		if !known {
			list = metadata.AttributeKamailioSecfilterListOther
		}
		field, known := secfilterFields[c.Field]
		if !known {
			r.mb.Refuse(1)
			continue
		}
		matches[secfilterMatch{list, field}] += c.Matches
	}
	for of, n := range matches {
		secfilterMatches.Record(r.mb, n, of)
	}
}

// recordDNSMemory records the memory of the DNS cache.
func (r *listRecorder) recordDNSMemory(m dnsMemory) {
	dnsCacheUsage.Record(r.mb, m.Usage, rows.None{})
	dnsCacheLimit.Record(r.mb, m.Limit, rows.None{})
}

// recordProfiles records the numbers of dialogs in profiles.
func (r *listRecorder) recordProfiles(sizes []profileSize) {
	for i := range sizes {
		p := &sizes[i]
		p.Profile, p.Value = selection.Name(p.Profile), selection.Name(p.Value)
		profileDialogs.Record(r.mb, p.Dialogs, p)
	}
}

// recordPike records the numbers of addresses by status.
func (r *listRecorder) recordPike(counts map[string]int64) {
	for status, row := range pikeRows {
		row.Record(r.mb, counts[status], rows.None{})
	}
}
