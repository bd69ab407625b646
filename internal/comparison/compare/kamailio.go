// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
)

// kamTimeout is the timeout of a scrape.
const kamTimeout = time.Minute

var (
	kamTargetLabels  = []string{"set", "uri"}
	kamProcessLabels = []string{"index", "description"}
)

// kamDesc describes a metric with the name that our receiver's metric has in Prometheus.
func kamDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kamailio_"+name, help, labels, nil)
}

var (
	kamUp             = kamDesc("up", "Whether the server answers.")
	kamScrapeDuration = kamDesc("scrape_duration_seconds", "Duration of a call.", "method")
	kamStatistic      = kamDesc("statistic_total", "A statistic of a script.", "group", "name")
	kamUptime         = kamDesc("uptime_seconds", "Time since the server started.")

	kamProcesses        = kamDesc("process_count", "Processes.")
	kamProcessMemory    = kamDesc("process_memory_usage_bytes", "Private memory of a process.", append([]string{"state"}, kamProcessLabels...)...)
	kamProcessLimit     = kamDesc("process_memory_limit_bytes", "Size of the private memory of a process.", kamProcessLabels...)
	kamProcessFragments = kamDesc("process_memory_fragment_count", "Fragments of the private memory of a process.", kamProcessLabels...)

	kamTCPReaders = kamDesc("tcp_reader_count", "Processes that read TCP.")
	kamTCPLimit   = kamDesc("tcp_connection_limit", "Maximum number of TCP connections.")
	kamTLSCount   = kamDesc("tls_connection_count", "TLS connections.")
	kamTLSLimit   = kamDesc("tls_connection_limit", "Maximum number of TLS connections.")
	kamTLSQueue   = kamDesc("tls_write_queue_size_bytes", "Bytes waiting to be written.")

	kamDialogs    = kamDesc("dialog_count", "Dialogs in a state.", "state")
	kamRelays     = kamDesc("rtpengine_node_state", "State of an rtpengine.", "set", "node", "state")
	kamRelayCalls = kamDesc("rtpengine_call_count", "Calls assigned to an rtpengine.")
	kamHtables    = kamDesc("htable_item_count", "Items of a hash table.", "htable")
	kamNodes      = kamDesc("dmq_node_state", "State of a DMQ node.", "node", "local", "state")

	kamSets         = kamDesc("dispatcher_set_count", "Dispatcher sets.")
	kamSetTargets   = kamDesc("dispatcher_target_count", "Targets of a set in a state.", "set", "state")
	kamTargetState  = kamDesc("dispatcher_target_state", "State of a target.", append([]string{"state"}, kamTargetLabels...)...)
	kamTargetProbed = kamDesc("dispatcher_target_probing", "Whether a target is probed.", kamTargetLabels...)
	kamTargetLost   = kamDesc("dispatcher_target_timeouts_total", "Unanswered probes.", kamTargetLabels...)
	kamTargetLoad   = kamDesc("dispatcher_target_dialog_count", "Dialogs of a target.", kamTargetLabels...)
	kamLatencies    = map[string]*prometheus.Desc{ // in milliseconds
		"AVG": kamDesc("dispatcher_target_latency_average_seconds", "Average latency of a target.", kamTargetLabels...),
		"STD": kamDesc("dispatcher_target_latency_deviation_seconds", "Standard deviation of the latency.", kamTargetLabels...),
		"EST": kamDesc("dispatcher_target_latency_estimate_seconds", "Estimated latency.", kamTargetLabels...),
		"MAX": kamDesc("dispatcher_target_latency_max_seconds", "Maximum latency.", kamTargetLabels...),
	}
)

// The states in the words of the server.
var (
	kamDialogStates = []string{"starting", "connecting", "answering", "ongoing"}
	kamTargetStates = []string{"A", "T", "I", "D"}
	kamRelayStates  = []string{"0", "1", "1(permanent)"}
	kamNodeStates   = []string{"active", "pending", "disabled", "timeout", "other"}
)

// kamExporter serves the default series of our receiver, written in the usual style of exporters. Like other Kamailio exporters, it
// uses BINRPC. The codec is ours, which is not slower than theirs.
type kamExporter struct {
	endpoint   string
	statistics map[string]*prometheus.Desc // by group.name
}

func newKamailioExporter(endpoint string) prometheus.Collector {
	return &kamExporter{endpoint, map[string]*prometheus.Desc{}}
}

// Describe implements prometheus.Collector.
func (e *kamExporter) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(e, ch) }

// Collect calls all methods one after the other on a new connection.
func (e *kamExporter) Collect(ch chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), kamTimeout)
	defer stop()
	s := kamScrape{kamExporter: e, samples: samples{ch}}
	conn, err := binrpc.Dial(ctx, e.endpoint)
	if err != nil {
		s.gauge(kamUp, 0)
		return
	}
	defer func() { _ = conn.Close() }()
	for _, step := range []struct {
		method string
		args   []string
		serve  func(kamRecords)
	}{
		{"core.uptime", nil, func(r kamRecords) { s.gauge(kamUptime, r.first().number("uptime")) }},
		{"stats.fetch", []string{"all"}, s.all},
		{"pkg.stats", nil, s.processes},
		{"core.tcp_info", nil, s.tcp},
		{"tls.info", nil, s.tls},
		{"dlg.stats_active", nil, s.dialogs},
		{"dispatcher.list", nil, s.dispatcher},
		{"rtpengine.show", []string{"all"}, s.relays},
		{"rtpengine.get_hash_total", nil, func(r kamRecords) { s.gauge(kamRelayCalls, toFloat(r[0].value)) }},
		{"htable.stats", nil, s.htables},
		{"dmq.list_nodes", nil, s.nodes},
	} {
		start := time.Now()
		var reply kamRecords
		if err := conn.Call(ctx, binrpc.NewRequest(step.method, step.args...), func(r binrpc.Records) error {
			reply = newKamRecords(r)
			return nil
		}); err != nil {
			continue // the module is not loaded
		}
		s.gauge(kamScrapeDuration, time.Since(start).Seconds(), step.method)
		step.serve(reply)
	}
	s.gauge(kamUp, 1)
}

// kamRecord is a value and its name in a struct. The value is an int64, float64, string or kamRecords.
type kamRecord struct {
	name  string
	value any
}

// kamRecords is a reply, struct or array.
type kamRecords []kamRecord

func newKamRecords(records binrpc.Records) (all kamRecords) {
	for name, v := range records.All() {
		r := kamRecord{name: string(name)}
		switch v.Type() {
		case binrpc.Struct, binrpc.Array:
			r.value = newKamRecords(v.Records())
		default:
			if n, ok := v.Int(); ok {
				r.value = n
			} else if f, ok := v.Float(); ok {
				r.value = f
			} else if text, ok := v.Text(); ok {
				r.value = string(text)
			}
		}
		all = append(all, r)
	}
	return all
}

// first returns the members of the first struct. Most replies have only this one.
func (r kamRecords) first() kamRecords {
	if len(r) == 0 {
		return nil
	}
	members, _ := r[0].value.(kamRecords)
	return members
}

// get returns the value of a member of a struct, or nil.
func (r kamRecords) get(name string) any {
	for i := range r {
		if r[i].name == name {
			return r[i].value
		}
	}
	return nil
}

func (r kamRecords) number(name string) float64 { return toFloat(r.get(name)) }

func (r kamRecords) text(name string) string {
	switch v := r.get(name).(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

func (r kamRecords) members(name string) kamRecords {
	members, _ := r.get(name).(kamRecords)
	return members
}

func toFloat(value any) float64 {
	switch v := value.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	case string:
		f, _ := strconv.ParseFloat(v, 64)
		return f
	}
	return 0
}

// kamScrape is one scrape.
type kamScrape struct {
	*kamExporter
	samples
}

// kamNotInNames matches characters that names of metrics cannot contain.
var kamNotInNames = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// all serves all statistics. Except for script statistics, each has its own metric.
func (s *kamScrape) all(reply kamRecords) {
	for _, statistic := range reply.first() {
		if group, name, _ := strings.Cut(statistic.name, "."); group == "script" {
			s.counter(kamStatistic, toFloat(statistic.value), group, name)
			continue
		}
		desc := s.statistics[statistic.name]
		if desc == nil {
			desc = kamDesc(kamNotInNames.ReplaceAllString(statistic.name, "_"), "A statistic.")
			s.statistics[statistic.name] = desc
		}
		s.gauge(desc, toFloat(statistic.value))
	}
}

func (s *kamScrape) processes(reply kamRecords) {
	s.gauge(kamProcesses, float64(len(reply)))
	for i := range reply {
		p := reply[i : i+1].first()
		index, description := p.text("entry"), p.text("desc")
		s.gauge(kamProcessMemory, p.number("used"), "used", index, description)
		s.gauge(kamProcessMemory, p.number("real_used")-p.number("used"), "overhead", index, description)
		s.gauge(kamProcessMemory, p.number("free"), "free", index, description)
		s.gauge(kamProcessLimit, p.number("total_size"), index, description)
		s.gauge(kamProcessFragments, p.number("total_frags"), index, description)
	}
}

func (s *kamScrape) tcp(reply kamRecords) {
	s.gauge(kamTCPReaders, reply.first().number("readers"))
	s.gauge(kamTCPLimit, reply.first().number("max_connections"))
}

func (s *kamScrape) tls(reply kamRecords) {
	s.gauge(kamTLSCount, reply.first().number("opened_connections"))
	s.gauge(kamTLSLimit, reply.first().number("max_connections"))
	s.gauge(kamTLSQueue, reply.first().number("clear_text_write_queued_bytes"))
}

func (s *kamScrape) dialogs(reply kamRecords) {
	for _, state := range kamDialogStates {
		s.gauge(kamDialogs, reply.first().number(state), state)
	}
}

func (s *kamScrape) dispatcher(reply kamRecords) {
	s.gauge(kamSets, reply.first().number("NRSETS"))
	for _, one := range reply.first().members("RECORDS") {
		set, _ := one.value.(kamRecords)
		id, counts := set.text("ID"), map[string]float64{}
		for _, destination := range set.members("TARGETS") {
			target, _ := destination.value.(kamRecords)
			counts[s.target(id, target)]++
		}
		for _, state := range kamTargetStates {
			s.gauge(kamSetTargets, counts[state], id, state)
		}
	}
}

// target serves one target and returns its state.
func (s *kamScrape) target(set string, target kamRecords) (state string) {
	uri, flags := target.text("URI"), target.text("FLAGS")
	if flags != "" {
		state = flags[:1]
	}
	for _, known := range kamTargetStates {
		s.gauge(kamTargetState, number(known == state), known, set, uri)
	}
	s.gauge(kamTargetProbed, number(strings.HasSuffix(flags, "P")), set, uri)
	if latency := target.members("LATENCY"); latency != nil {
		for name, desc := range kamLatencies {
			s.gauge(desc, latency.number(name)/1000, set, uri)
		}
		s.counter(kamTargetLost, latency.number("TIMEOUT"), set, uri)
	}
	if runtime := target.members("RUNTIME"); runtime != nil {
		s.gauge(kamTargetLoad, runtime.number("DLGLOAD"), set, uri)
	}
	return state
}

func (s *kamScrape) relays(reply kamRecords) {
	for i := range reply {
		r := reply[i : i+1].first()
		for _, state := range kamRelayStates {
			s.gauge(kamRelays, number(r.text("disabled") == state), r.text("set"), r.text("url"), state)
		}
	}
}

func (s *kamScrape) htables(reply kamRecords) {
	for i := range reply {
		t := reply[i : i+1].first()
		s.gauge(kamHtables, t.number("all"), t.text("name"))
	}
}

func (s *kamScrape) nodes(reply kamRecords) {
	for i := range reply {
		n := reply[i : i+1].first()
		for _, state := range kamNodeStates {
			s.gauge(kamNodes, number(n.text("status") == state), net.JoinHostPort(n.text("host"), n.text("port")), n.text("local"), state)
		}
	}
}
