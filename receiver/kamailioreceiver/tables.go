// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// tables turns into metrics what the server lists: processes, hash tables, destinations, media relays, nodes.
type tables struct {
	*scraper
	processes *selection.Set[struct{}]
	htables   *selection.Set[struct{}]
	targets   *selection.Set[destination]
	key       []byte // of the thing that is looked up
}

func newTables(s *scraper) *tables {
	return &tables{
		scraper:   s,
		processes: selection.New[struct{}](s.cfg.Processes.selection()),
		htables:   selection.New[struct{}](s.cfg.Htables.selection()),
		targets:   selection.New[destination](s.cfg.DispatcherTargets.selection()),
	}
}

func (s *tables) recordProcesses(now pcommon.Timestamp, processes []process) {
	s.mb.RecordKamailioProcessCountDataPoint(now, int64(len(processes)))
	entity, merged := metadata.AttributeRtcEntityProcess, int64(0)
	s.processes.BeginOf(selection.KeysOf(processes, s.processKey))
	for i := range processes {
		p := &processes[i]
		p.Description = selection.Name(p.Description)
		item, first := s.processes.GetKey(s.processKey(p), []byte(p.Description))
		switch {
		case !first:
			merged++
		case item.Kept:
			s.recordProcess(now, p)
		}
	}
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, int64(s.processes.Limited()))
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, merged)
	s.processes.End(true)
}

func (s *tables) processKey(p *process) []byte {
	s.key = strconv.AppendInt(s.key[:0], p.Index, 10)
	return s.key
}

func (s *tables) recordProcess(now pcommon.Timestamp, p *process) {
	if n, ok := p.Size.Get(); ok {
		s.mb.RecordKamailioProcessMemoryLimitDataPoint(now, n, p.Index, p.Description)
	}
	if n, ok := p.Fragments.Get(); ok {
		s.mb.RecordKamailioProcessMemoryFragmentCountDataPoint(now, n, p.Index, p.Description)
	}
	used, isUsed := p.Used.Get()
	if isUsed {
		s.mb.RecordKamailioProcessMemoryUsageDataPoint(now, used, p.Index, p.Description, metadata.AttributeKamailioMemoryStateUsed)
	}
	if realUsed, ok := p.RealUsed.Get(); ok && isUsed && used <= realUsed {
		s.mb.RecordKamailioProcessMemoryUsageDataPoint(now, realUsed-used, p.Index, p.Description, metadata.AttributeKamailioMemoryStateOverhead)
	}
	if n, ok := p.Free.Get(); ok {
		s.mb.RecordKamailioProcessMemoryUsageDataPoint(now, n, p.Index, p.Description, metadata.AttributeKamailioMemoryStateFree)
	}
}

func (s *tables) htableKey(t *htable) []byte {
	s.key = selection.AppendName(s.key[:0], t.Name)
	return s.key
}

func (s *tables) recordHtables(now pcommon.Timestamp, all []htable) {
	entity, merged := metadata.AttributeRtcEntityHtable, int64(0)
	s.htables.BeginOf(selection.KeysOf(all, s.htableKey))
	for i := range all {
		t := &all[i]
		item, first := s.htables.Get(s.htableKey(t))
		if !first {
			merged++
			continue
		}
		if !item.Kept {
			continue
		}
		for _, number := range []struct {
			value  optional.Value[int64]
			record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, string)
		}{
			{t.All, (*metadata.MetricsBuilder).RecordKamailioHtableItemCountDataPoint},
			{t.Slots, (*metadata.MetricsBuilder).RecordKamailioHtableSlotCountDataPoint},
			{t.Min, (*metadata.MetricsBuilder).RecordKamailioHtableSlotFillMinDataPoint},
			{t.Max, (*metadata.MetricsBuilder).RecordKamailioHtableSlotFillMaxDataPoint},
		} {
			if n, ok := number.value.Get(); ok {
				number.record(s.mb, now, n, item.Name)
			}
		}
	}
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, int64(s.htables.Limited()))
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, merged)
	s.htables.End(true)
}

func (s *tables) targetKey(t *target) []byte {
	s.key = append(append(append(s.key[:0], t.Set...), '/'), t.URI...)
	return s.key
}

// destination is an address of a dispatcher set, which may be listed more than once.
type destination struct {
	target                           // as it was listed first
	states map[dispatcherState]int64 // how often it is listed in each state
	probed int64
}

type dispatcherState = metadata.AttributeKamailioDispatcherState

// dispatcherStates are the states of a destination by the first letter of its flags.
var dispatcherStates = map[byte]dispatcherState{
	'A': metadata.AttributeKamailioDispatcherStateActive,
	'T': metadata.AttributeKamailioDispatcherStateTrying,
	'I': metadata.AttributeKamailioDispatcherStateInactive,
	'D': metadata.AttributeKamailioDispatcherStateDisabled,
}

func (s *tables) recordDispatcher(now pcommon.Timestamp, d *dispatcher) {
	if n, ok := d.Sets.Get(); ok {
		s.mb.RecordKamailioDispatcherSetCountDataPoint(now, n)
	}
	sets := map[string]map[dispatcherState]int64{}
	for i := range d.Targets {
		t := &d.Targets[i]
		t.Set, t.URI = selection.Name(t.Set), selection.Name(t.URI)
	}
	s.targets.BeginOf(selection.KeysOf(d.Targets, s.targetKey))
	for i := range d.Targets {
		t := &d.Targets[i]
		item, first := s.targets.Get(s.targetKey(t))
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
		item.Value.probed += scrape.Number(strings.HasPrefix(t.Flags[min(1, len(t.Flags)):], "P"))
	}
	for set, counts := range sets {
		for _, state := range dispatcherStates {
			s.mb.RecordKamailioDispatcherTargetCountDataPoint(now, counts[state], set, state)
		}
	}
	for _, item := range s.targets.Seen() {
		if item.Kept {
			s.recordTarget(now, &item.Value)
		}
	}
	s.report.Omit(metadata.AttributeRtcEntityDispatcherTarget, metadata.AttributeRtcOmissionReasonLimit, int64(s.targets.Limited()))
	s.targets.End(true)
}

func (s *tables) recordTarget(now pcommon.Timestamp, d *destination) {
	if len(d.states) > 0 {
		for _, state := range dispatcherStates {
			s.mb.RecordKamailioDispatcherTargetStateDataPoint(now, d.states[state], d.Set, d.URI, state)
		}
	}
	s.mb.RecordKamailioDispatcherTargetProbingDataPoint(now, d.probed, d.Set, d.URI)
	for _, latency := range []struct {
		value  optional.Value[float64]
		record func(*metadata.MetricsBuilder, pcommon.Timestamp, float64, string, string)
	}{
		{d.Average, (*metadata.MetricsBuilder).RecordKamailioDispatcherTargetLatencyAverageDataPoint},
		{d.Deviation, (*metadata.MetricsBuilder).RecordKamailioDispatcherTargetLatencyDeviationDataPoint},
		{d.Estimate, (*metadata.MetricsBuilder).RecordKamailioDispatcherTargetLatencyEstimateDataPoint},
		{d.Max, (*metadata.MetricsBuilder).RecordKamailioDispatcherTargetLatencyMaxDataPoint},
	} {
		if milliseconds, ok := latency.value.Get(); ok {
			latency.record(s.mb, now, milliseconds/1000, d.Set, d.URI)
		}
	}
	if n, ok := d.Timeouts.Get(); ok {
		s.mb.RecordKamailioDispatcherTargetTimeoutsDataPoint(now, n, d.Set, d.URI)
	}
	if n, ok := d.Dialogs.Get(); ok {
		s.mb.RecordKamailioDispatcherTargetDialogCountDataPoint(now, n, d.Set, d.URI)
	}
}

// relayStates are the known states of an rtpengine.
var relayStates = map[relayState]metadata.AttributeKamailioRtpengineState{
	relayEnabled:  metadata.AttributeKamailioRtpengineStateEnabled,
	relayDisabled: metadata.AttributeKamailioRtpengineStateDisabled,
	relayRemoved:  metadata.AttributeKamailioRtpengineStateDisabledPermanently,
}

// relayNode tells rtpengines apart.
type relayNode struct {
	set int64
	url string
}

// recordRelays records the rtpengines. An address that is listed twice in a set counts as often in the states; all else is
// that of the first.
func (s *tables) recordRelays(now pcommon.Timestamp, relays []relay) {
	states := map[relayNode]map[metadata.AttributeKamailioRtpengineState]int64{}
	for i := range relays {
		r := &relays[i]
		node := relayNode{r.Set, selection.Name(r.URL)}
		if states[node] == nil {
			states[node] = map[metadata.AttributeKamailioRtpengineState]int64{}
			if n, ok := r.Weight.Get(); ok {
				s.mb.RecordKamailioRtpengineNodeWeightDataPoint(now, n, node.set, node.url)
			}
			if seconds, ok := r.RecheckDelay.Get(); ok {
				s.mb.RecordKamailioRtpengineNodeRecheckDelayDataPoint(now, float64(seconds), node.set, node.url)
			}
		}
		if state, known := relayStates[r.State]; known {
			states[node][state]++
			s.recordRelayInfo(now, node, r, state)
		}
	}
	for node, counts := range states {
		if len(counts) == 0 {
			continue
		}
		for _, state := range relayStates {
			s.mb.RecordKamailioRtpengineNodeStateDataPoint(now, counts[state], node.set, node.url, state)
		}
	}
}

func (s *tables) recordRelayInfo(now pcommon.Timestamp, node relayNode, r *relay, state metadata.AttributeKamailioRtpengineState) {
	index, ok := r.Index.Get()
	if weight, both := r.Weight.Get(); ok && both {
		s.mb.RecordKamailioRtpengineNodeInfoDataPoint(now, 1, node.set, node.url, index, weight, state)
	}
}

// dmqIdentity tells nodes of the message queue apart.
type dmqIdentity struct {
	node  string
	local bool
}

func (s *tables) recordDMQ(now pcommon.Timestamp, nodes []dmqNode) {
	states := map[dmqIdentity]map[metadata.AttributeKamailioDmqState]int64{}
	for _, n := range nodes {
		id := dmqIdentity{selection.Name(net.JoinHostPort(n.Host, n.Port)), n.Local}
		if states[id] == nil {
			states[id] = map[metadata.AttributeKamailioDmqState]int64{}
		}
		state, known := metadata.MapAttributeKamailioDmqState[n.Status]
		if !known {
			state = metadata.AttributeKamailioDmqStateOther
		}
		states[id][state]++
	}
	for id, counts := range states {
		for _, state := range metadata.MapAttributeKamailioDmqState {
			s.mb.RecordKamailioDmqNodeStateDataPoint(now, counts[state], id.node, id.local, state)
		}
	}
}
