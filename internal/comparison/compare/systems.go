// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver"
)

// system is a server and the ways to scrape it.
type system struct {
	name  string
	fixed bool // the server cannot be scaled
	// serve starts the server, scaled to size streams, bridges, consumers or statistics.
	serve func(size int, now func() time.Time) (*emulator.Server, error)
	// factory and settings are those of our receiver. The caller adds the interval.
	factory  receiver.Factory
	settings func(endpoint string, size int) map[string]any
	// exporter returns an exporter with the series of our receiver. If it is nil, the server has a metrics page at the path page.
	exporter func(endpoint string) prometheus.Collector
	page     string
}

// systems lists the comparisons. It does not use internal/emulator/systems, because only systems with an alternative are compared, and
// some of them in several variants.
var systems = []system{
	{
		name:    "ZLMediaKit, all schemas",
		serve:   serveZLMediaKit,
		factory: zlmediakitreceiver.NewFactory(),
		settings: func(endpoint string, _ int) map[string]any {
			return map[string]any{"endpoint": endpoint, "streams": map[string]any{"schemas": "all"}}
		},
		exporter: func(endpoint string) prometheus.Collector { return newZLMediaKitExporter(endpoint, "") },
	},
	{
		name:    "ZLMediaKit, one schema", // the default setting selects one schema if there are many streams
		serve:   serveZLMediaKit,
		factory: zlmediakitreceiver.NewFactory(),
		settings: func(endpoint string, _ int) map[string]any {
			return map[string]any{"endpoint": endpoint, "streams": map[string]any{"schemas": []any{"rtsp"}}}
		},
		exporter: func(endpoint string) prometheus.Collector { return newZLMediaKitExporter(endpoint, "rtsp") },
	},
	{
		name: "Kamailio", // size: number of script statistics
		serve: func(size int, now func() time.Time) (*emulator.Server, error) {
			return kamailio.NewCtl(kamailio.CtlOptions{Statistics: size, StructLimit: math.MaxInt, Now: now})
		},
		factory: kamailioreceiver.NewFactory(),
		settings: func(endpoint string, size int) map[string]any {
			return map[string]any{"endpoint": endpoint, "statistics": map[string]any{"limit": 1000 + size}}
		},
		exporter: newKamailioExporter,
	},
	{
		name: "mediasoup", // size: number of consumers
		serve: func(size int, now func() time.Time) (*emulator.Server, error) {
			return mediasoup.NewAgent(mediasoup.AgentOptions{Consumers: size, Now: now})
		},
		factory: mediasoupreceiver.NewFactory(),
		settings: func(endpoint string, _ int) map[string]any {
			return map[string]any{"endpoint": endpoint, "metrics": mediasoupWithoutGroups}
		},
		exporter: newMediasoupExporter,
	},
	{
		name: "Flussonic",
		serve: func(size int, now func() time.Time) (*emulator.Server, error) {
			return flussonic.New(flussonic.Options{Streams: size, Now: now})
		},
		factory: flussonicreceiver.NewFactory(),
		settings: func(endpoint string, _ int) map[string]any {
			return map[string]any{"endpoint": endpoint, "sources": []any{"prometheus"}}
		},
		page: "/flussonic/api/metrics",
	},
	{
		name:  "Jitsi, JVB",
		fixed: true,
		serve: func(_ int, now func() time.Time) (*emulator.Server, error) {
			return jitsi.NewJVB(jitsi.JVBOptions{Now: now})
		},
		factory: jitsireceiver.NewFactory(),
		settings: func(endpoint string, _ int) map[string]any {
			return map[string]any{"jvb": map[string]any{"endpoint": endpoint, "source": "metrics"}}
		},
		page: "/metrics",
	},
	{
		name: "Jitsi, Jicofo", // size: number of bridges
		serve: func(size int, now func() time.Time) (*emulator.Server, error) {
			return jitsi.NewJicofo(jitsi.JicofoOptions{Bridges: size, Now: now})
		},
		factory: jitsireceiver.NewFactory(),
		settings: func(endpoint string, size int) map[string]any {
			return map[string]any{"jicofo": map[string]any{"endpoint": endpoint, "source": "metrics"}, "bridges": map[string]any{"limit": 1000 + size}}
		},
		page: "/metrics",
	},
}

// mediasoupWithoutGroups disables counts by bucket and metrics of workers, which the exporter does not have.
var mediasoupWithoutGroups = func() map[string]any {
	disabled := map[string]any{}
	for _, name := range []string{
		"mediasoup.consumer.stream.count_by_packet_loss", "mediasoup.consumer.stream.count_by_round_trip_time",
		"mediasoup.consumer.stream.count_by_score", "mediasoup.producer.stream.count_by_packet_loss", "mediasoup.producer.stream.count_by_score",
		"mediasoup.consumer.count_by_worker", "mediasoup.producer.count_by_worker", "mediasoup.transport.count_by_worker",
		"mediasoup.worker.memory.usage", "mediasoup.worker.responsive", "mediasoup.worker.throughput", "mediasoup.worker.uptime",
	} {
		disabled[name] = map[string]any{"enabled": false}
	}
	return disabled
}()

func serveZLMediaKit(size int, now func() time.Time) (*emulator.Server, error) {
	return zlmediakit.New(zlmediakit.Options{Streams: size, Now: now})
}
