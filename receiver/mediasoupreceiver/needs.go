// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// statistics says which of the agent's statistics the metrics need whose names begin so. What is not here needs the lists only.
var statistics = []struct {
	kind    string
	metrics []string
}{
	{"workers", []string{
		"mediasoup.worker.block_operations", "mediasoup.worker.context_switches", "mediasoup.worker.cpu.", "mediasoup.worker.memory.",
		"mediasoup.worker.page_faults",
	}},
	{"transports", []string{
		"mediasoup.transport.available_throughput.", "mediasoup.transport.io", "mediasoup.transport.packet_loss.", "mediasoup.transport.probation.",
		"mediasoup.transport.rtp.", "mediasoup.transport.rtx.", "mediasoup.transport.throughput",
	}},
	{"producers", append(streamStatistics("mediasoup.producer."), "mediasoup.stream.")},
	{"consumers", append(streamStatistics("mediasoup.consumer."), "mediasoup.stream.")},
	{"data", []string{"mediasoup.data.buffer.", "mediasoup.data.io", "mediasoup.data.messages"}},
}

// streamStatistics are the metrics of producers or consumers that need their statistics.
func streamStatistics(prefix string) (metrics []string) {
	for _, name := range []string{
		"discarded_packets", "io", "jitter.", "lost_packets", "packet_loss.", "packets", "repaired_packets", "retransmitted_packets",
		"round_trip_time.", "rtcp.", "score.", "silent.", "stream.", "throughput",
	} {
		metrics = append(metrics, prefix+name)
	}
	return metrics
}

// pageMetrics are the metrics that edumeet's pages have.
var pageMetrics = []string{
	"edumeet.", "mediasoup.worker.count", "mediasoup.producer.io", "mediasoup.consumer.io", "mediasoup.producer.score.", "mediasoup.consumer.score.",
	"mediasoup.producer.stream.count", "mediasoup.consumer.stream.count", "mediasoup.producer.throughput", "mediasoup.consumer.throughput",
}

// needs counts the enabled metrics that the format has, and names the statistics that the agent is asked for.
func needs(cfg *Config) (wanted int, stats []string) {
	has := func(prefixes []string, name string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	}
	names := scrape.EnabledMetrics(&cfg.MetricsBuilderConfig.Metrics)
	for _, name := range names {
		ofPage := has(pageMetrics, name)
		ofAgent := strings.HasPrefix(name, "mediasoup.")
		if cfg.Format == FormatEdumeet && ofPage || cfg.Format == FormatSnapshot && ofAgent {
			wanted++
		}
	}
	for _, s := range statistics {
		if slices.ContainsFunc(names, func(name string) bool { return has(s.metrics, name) }) {
			stats = append(stats, s.kind)
		}
	}
	return wanted, stats
}
