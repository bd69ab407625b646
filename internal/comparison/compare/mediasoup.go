// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// The fields of a snapshot that the exporter reads.
type (
	soupSnapshot struct {
		Process       struct{ StartTimeUnixMs float64 }
		TimeUnixMs    float64
		Collection    struct{ DurationMs float64 }
		Counters      map[string]float64
		Workers       []soupWorker
		Routers       []soupRouter
		Transports    []soupTransport
		Producers     []soupStream
		Consumers     []soupStream
		DataProducers []soupData
		DataConsumers []soupData
	}
	soupWorker struct {
		ID            string
		ResourceUsage map[string]float64
	}
	soupRouter struct{ ID, WorkerID string }
	soupData   struct{ ID, Type string }
	// soupTransport is a transport. Fields that its type does not have are empty.
	soupTransport struct {
		ID, RouterID, Type, Protocol string
		State                        struct{ Ice, Dtls string }
		Stats                        map[string]any
	}
	// soupStream is a producer or consumer.
	soupStream struct {
		TransportID, Kind, Type, MimeType string
		Paused                            bool
		Stats                             []soupStats
	}
	soupStats struct {
		Bitrate, ByteCount, PacketCount                     float64
		PacketsLost, PacketsRetransmitted                   float64
		FirCount, PliCount, NackCount, Score, RoundTripTime float64
	}
)

// soupExporter serves the default series of our receiver, written in the usual style of exporters.
type soupExporter struct {
	url   string
	descs map[string]*prometheus.Desc // by name
}

func newMediasoupExporter(endpoint string) prometheus.Collector {
	return &soupExporter{endpoint + "/v1/snapshot", map[string]*prometheus.Desc{}}
}

// Describe implements prometheus.Collector.
func (e *soupExporter) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(e, ch) }

// Collect requests a snapshot and computes sums over its objects.
func (e *soupExporter) Collect(ch chan<- prometheus.Metric) {
	s := soupScrape{soupExporter: e, samples: samples{ch}, transports: map[string]string{}, routers: map[string]string{}}
	var snapshot soupSnapshot
	err := e.get(&snapshot)
	if err == nil {
		s.process(&snapshot)
		s.transport(snapshot.Transports)
		s.streams("producer", snapshot.Producers)
		s.streams("consumer", snapshot.Consumers)
		s.data("producer", snapshot.DataProducers)
		s.data("consumer", snapshot.DataConsumers)
	}
	s.one("up", number(err == nil))
}

func (e *soupExporter) get(snapshot *soupSnapshot) error {
	resp, err := http.Get(e.url) //nolint:noctx // the emulator always answers
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(snapshot)
}

// soupScrape is one scrape.
type soupScrape struct {
	*soupExporter
	samples
	transports map[string]string // types by id
	routers    map[string]string // workers by router
}

// soupSums maps label values to sums.
type soupSums map[[4]string]float64

// sums serves the sums of one metric.
func (s *soupScrape) sums(name string, sums soupSums, labels ...string) {
	desc := s.descs[name]
	if desc == nil {
		desc = prometheus.NewDesc("mediasoup_"+name, "A sum.", labels, nil)
		s.descs[name] = desc
	}
	for values, sum := range sums {
		s.gauge(desc, sum, values[:len(labels)]...)
	}
}

func (s *soupScrape) one(name string, value float64) { s.sums(name, soupSums{{}: value}) }

func (s *soupScrape) process(all *soupSnapshot) {
	s.one("uptime_seconds", (all.TimeUnixMs-all.Process.StartTimeUnixMs)/1000)
	s.one("agent_collection_duration_seconds", all.Collection.DurationMs/1000)
	s.one("worker_count", float64(len(all.Workers)))
	s.one("worker_deaths_total", all.Counters["workersDied"])
	s.one("transport_creations_total", all.Counters["transportsCreated"])
	s.one("transport_dtls_failures_total", all.Counters["dtlsFailed"])
	s.one("transport_ice_disconnections_total", all.Counters["iceDisconnected"])
	s.sums("agent_errors_total", soupSums{{"error"}: all.Counters["statsErrors"], {"timeout"}: all.Counters["statsTimeouts"]}, "type")
	cpu, memory, routers := soupSums{}, soupSums{}, soupSums{}
	for _, w := range all.Workers {
		cpu[[4]string{w.ID, "user"}] = w.ResourceUsage["ru_utime"] / 1000
		cpu[[4]string{w.ID, "system"}] = w.ResourceUsage["ru_stime"] / 1000
		memory[[4]string{w.ID}] = w.ResourceUsage["ru_maxrss"] * 1024
		routers[[4]string{w.ID}] = 0
	}
	s.sums("worker_cpu_time_seconds_total", cpu, "worker", "mode")
	s.sums("worker_memory_peak_bytes", memory, "worker")
	used := map[string]bool{}
	for i := range all.Transports {
		used[all.Transports[i].RouterID] = true
	}
	empty := 0.0
	for _, r := range all.Routers {
		s.routers[r.ID] = r.WorkerID
		routers[[4]string{r.WorkerID}]++
		empty += number(!used[r.ID])
	}
	s.sums("router_count", routers, "worker")
	s.one("router_empty_count", empty)
	byWorker := map[string]string{}
	for i := range all.Transports {
		byWorker[all.Transports[i].ID] = s.routers[all.Transports[i].RouterID]
	}
	consumers := soupSums{}
	for i := range all.Consumers {
		consumers[[4]string{byWorker[all.Consumers[i].TransportID]}]++
	}
	s.sums("consumer_count_by_worker", consumers, "worker")
}

func (s *soupScrape) transport(transports []soupTransport) {
	count, ice, dtls, protocols := soupSums{}, soupSums{}, soupSums{}, soupSums{}
	bytes, rtx, speed := soupSums{}, soupSums{}, soupSums{}
	for i := range transports {
		t := &transports[i]
		s.transports[t.ID] = t.Type
		count[[4]string{t.Type}]++
		for state, sums := range map[string]soupSums{t.State.Ice: ice, t.State.Dtls: dtls, t.Protocol: protocols} {
			if state != "" {
				sums[[4]string{state}]++
			}
		}
		for direction, words := range map[string][2]string{"receive": {"Received", "recv"}, "transmit": {"Sent", "send"}} {
			key := [4]string{t.Type, direction}
			bytes[key] += toFloat(t.Stats["bytes"+words[0]])
			rtx[key] += toFloat(t.Stats["rtxBytes"+words[0]])
			speed[key] += toFloat(t.Stats[words[1]+"Bitrate"]) / 8
		}
	}
	s.sums("transport_count", count, "type")
	s.sums("transport_count_by_ice_state", ice, "state")
	s.sums("transport_count_by_dtls_state", dtls, "state")
	s.sums("transport_count_by_protocol", protocols, "protocol")
	s.sums("transport_io_bytes_total", bytes, "type", "direction")
	s.sums("transport_rtx_io_bytes_total", rtx, "type", "direction")
	s.sums("transport_throughput_bytes_per_second", speed, "type", "direction")
}

// soupScores aggregates the scores or round trip times of a kind.
type soupScores struct{ n, sum, min, max float64 }

func (s *soupScores) add(value float64) {
	if s.n == 0 || value < s.min {
		s.min = value
	}
	s.n, s.sum, s.max = s.n+1, s.sum+value, max(s.max, value)
}

func (s *soupScrape) streams(what string, streams []soupStream) {
	count, silent, speed, rtcp := soupSums{}, soupSums{}, soupSums{}, soupSums{}
	bytes, packets, lost, again := soupSums{}, soupSums{}, soupSums{}, soupSums{}
	scores, trips := map[string]*soupScores{}, map[string]*soupScores{}
	for _, kind := range []string{"audio", "video"} {
		silent[[4]string{kind}] = 0
	}
	for i := range streams {
		o := &streams[i]
		transport := s.transports[o.TransportID]
		count[[4]string{o.Kind, o.Type, transport, strconv.FormatBool(o.Paused)}]++
		key, flows := [4]string{o.Kind, o.MimeType, transport}, 0.0
		if scores[o.Kind] == nil {
			scores[o.Kind], trips[o.Kind] = &soupScores{}, &soupScores{}
		}
		for _, one := range o.Stats {
			bytes[key] += one.ByteCount
			packets[key] += one.PacketCount
			lost[key] += one.PacketsLost
			again[key] += one.PacketsRetransmitted
			speed[[4]string{o.Kind, transport}] += one.Bitrate / 8
			rtcp[[4]string{o.Kind, "fir"}] += one.FirCount
			rtcp[[4]string{o.Kind, "pli"}] += one.PliCount
			rtcp[[4]string{o.Kind, "nack"}] += one.NackCount
			scores[o.Kind].add(one.Score)
			trips[o.Kind].add(one.RoundTripTime / 1000)
			flows += one.Bitrate
		}
		silent[[4]string{o.Kind}] += number(flows == 0 && !o.Paused)
	}
	s.sums(what+"_count", count, "kind", "type", "transport", "paused")
	s.sums(what+"_silent_count", silent, "kind")
	s.sums(what+"_throughput_bytes_per_second", speed, "kind", "transport")
	s.sums(what+"_rtcp_messages_total", rtcp, "kind", "type")
	s.sums(what+"_io_bytes_total", bytes, "kind", "codec", "transport")
	s.sums(what+"_packets_total", packets, "kind", "codec", "transport")
	s.sums(what+"_lost_packets", lost, "kind", "codec", "transport")
	s.sums(what+"_packet_losses_total", lost, "kind", "codec", "transport")
	s.sums(what+"_retransmitted_packets_total", again, "kind", "codec", "transport")
	s.scores(what+"_score", scores, true)
	if what == "consumer" {
		s.scores(what+"_round_trip_time_seconds", trips, false)
	}
}

// scores serves averages, and minima or maxima.
func (s *soupScrape) scores(name string, all map[string]*soupScores, lowest bool) {
	average, extremes, extreme := soupSums{}, soupSums{}, "_max"
	for kind, one := range all {
		average[[4]string{kind}], extremes[[4]string{kind}] = one.sum/one.n, one.max
		if lowest {
			extreme, extremes[[4]string{kind}] = "_min", one.min
		}
	}
	s.sums(name+"_average", average, "kind")
	s.sums(name+extreme, extremes, "kind")
}

func (s *soupScrape) data(what string, all []soupData) {
	count := soupSums{}
	for i := range all {
		count[[4]string{all[i].Type}]++
	}
	s.sums("data_"+what+"_count", count, "type")
}
