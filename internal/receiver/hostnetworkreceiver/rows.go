// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/receiver/hostnetworkreceiver/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// builder is the generated builder. Its sums start with the host.
type builder = metadata.MetricsBuilder

// record records a counter of UDP.
type record func(*builder, pcommon.Timestamp, int64, metadata.AttributeNetworkType)

// udpRows maps the names of the kernel, without Udp and Udp6, to metrics. InErrors includes InCsumErrors and RcvbufErrors.
var udpRows = map[string]record{
	"InCsumErrors": (*builder).RecordRtcHostNetworkUDPChecksumErrorsDataPoint,
	"InDatagrams":  datagrams(metadata.AttributeNetworkIoDirectionReceive),
	"InErrors":     (*builder).RecordRtcHostNetworkUDPReceiveErrorsDataPoint,
	"NoPorts":      (*builder).RecordRtcHostNetworkUDPUnclaimedDatagramsDataPoint,
	"OutDatagrams": datagrams(metadata.AttributeNetworkIoDirectionTransmit),
	"RcvbufErrors": (*builder).RecordRtcHostNetworkUDPReceiveBufferErrorsDataPoint,
	"SndbufErrors": (*builder).RecordRtcHostNetworkUDPSendBufferErrorsDataPoint,
}

func datagrams(direction metadata.AttributeNetworkIoDirection) record {
	return rows.WithLast((*builder).RecordRtcHostNetworkUDPDatagramsDataPoint, direction)
}

func recordUDP(mb *builder, now pcommon.Timestamp, counters map[string]int64, version metadata.AttributeNetworkType) {
	for name, record := range udpRows {
		if n, ok := counters[name]; ok {
			record(mb, now, n, version)
		}
	}
}

// recordSoftnet records the sums over all CPUs, and each CPU.
func recordSoftnet(mb *builder, now pcommon.Timestamp, cpus []softnet) {
	var dropped, squeezes int64
	for _, c := range cpus {
		dropped += c.Dropped
		squeezes += c.TimeSqueezes
		mb.RecordRtcHostNetworkSoftnetDroppedPacketsByCPUDataPoint(now, c.Dropped, c.CPU)
		mb.RecordRtcHostNetworkSoftnetTimeSqueezesByCPUDataPoint(now, c.TimeSqueezes, c.CPU)
	}
	if len(cpus) > 0 {
		mb.RecordRtcHostNetworkSoftnetDroppedPacketsDataPoint(now, dropped)
		mb.RecordRtcHostNetworkSoftnetTimeSqueezesDataPoint(now, squeezes)
	}
}
