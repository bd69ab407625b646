// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// sampleRow maps a sample of rtpengine's page to a metric. The attributes are taken from the labels.
type sampleRow struct {
	Point rows.Point[*generated, labels]
	// listed reports whether the metric has attribute values for the labels; nil if it accepts any.
	listed func(labels) bool
	// hasUnknown is set if samples that are not listed are summed and recorded as unknown. Otherwise, they are refused.
	hasUnknown bool
}

// The attribute values that the names of samples imply.
const (
	duplicate     = metadata.AttributeRtpengineRtpAnomalyDuplicate
	reordered     = metadata.AttributeRtpengineRtpAnomalyReordered
	sequenceReset = metadata.AttributeRtpengineRtpAnomalySequenceReset
	skip          = metadata.AttributeRtpengineRtpAnomalySkip

	free = metadata.AttributeRtpenginePortStateFree
	used = metadata.AttributeRtpenginePortStateUsed

	reported = metadata.AttributeRtpengineJitterOriginReported
	measured = metadata.AttributeRtpengineJitterOriginMeasured
	endToEnd = metadata.AttributeRtpengineRoundTripSpanEndToEnd
	oneLeg   = metadata.AttributeRtpengineRoundTripSpanLeg
)

// The attribute values by the value of a label.
var (
	closeReasons = metadata.MapAttributeRtpengineCloseReason
	forwarding   = metadata.MapAttributeRtpengineForwarding
	sessionTypes = metadata.MapAttributeRtpengineSessionType
)

// sampleRows are the rows for the samples of rtpengine's page.
var sampleRows = map[string]sampleRow{
	"rtpengine_bytes_total":               by("type", forwarding, (*generated).RecordRtpengineNetworkIoDataPoint),
	"rtpengine_call_duration2_total":      decimal((*generated).RecordRtpengineCallSquaredTimeDataPoint),
	"rtpengine_call_duration_avg":         decimal((*generated).RecordRtpengineCallDurationAverageDataPoint),
	"rtpengine_call_duration_total":       decimal((*generated).RecordRtpengineCallTimeDataPoint),
	"rtpengine_closed_sessions_total":     by("reason", closeReasons, (*generated).RecordRtpengineSessionClosuresDataPoint),
	"rtpengine_errors_total":              byText("proxy", (*generated).RecordRtpengineRequestErrorsDataPoint),
	"rtpengine_mediastreams":              by("type", forwarding, (*generated).RecordRtpengineStreamCountDataPoint),
	"rtpengine_mos2_total":                decimal((*generated).RecordRtpengineMosSummedSquaredScoresDataPoint),
	"rtpengine_mos_samples_total":         whole((*generated).RecordRtpengineMosSamplesDataPoint),
	"rtpengine_mos_total":                 decimal((*generated).RecordRtpengineMosSummedScoresDataPoint),
	"rtpengine_one_way_sessions_total":    whole((*generated).RecordRtpengineOneWaySessionsDataPoint),
	"rtpengine_packet_errors_total":       by("type", forwarding, (*generated).RecordRtpengineNetworkPacketErrorsDataPoint),
	"rtpengine_packets_lost":              whole((*generated).RecordRtpengineRtpLostPacketsDataPoint),
	"rtpengine_packets_total":             by("type", forwarding, (*generated).RecordRtpengineNetworkPacketsDataPoint),
	"rtpengine_ports_free":                wholeOn((*generated).RecordRtpenginePortCountDataPoint, free),
	"rtpengine_ports_used":                wholeOn((*generated).RecordRtpenginePortCountDataPoint, used),
	"rtpengine_request_seconds_total":     requestTime(),
	"rtpengine_requests_total":            requests(),
	"rtpengine_rtp_duplicates":            wholeWith((*generated).RecordRtpengineRtpAnomaliesDataPoint, duplicate),
	"rtpengine_rtp_reordered":             wholeWith((*generated).RecordRtpengineRtpAnomaliesDataPoint, reordered),
	"rtpengine_rtp_seq_resets":            wholeWith((*generated).RecordRtpengineRtpAnomaliesDataPoint, sequenceReset),
	"rtpengine_rtp_skips":                 wholeWith((*generated).RecordRtpengineRtpAnomaliesDataPoint, skip),
	"rtpengine_sessions":                  by("type", sessionTypes, (*generated).RecordRtpengineSessionCountDataPoint),
	"rtpengine_sessions_total":            whole((*generated).RecordRtpengineSessionCreationsDataPoint),
	"rtpengine_transcode_bytes_total":     byText("chain", (*generated).RecordRtpengineTranscodingIoDataPoint),
	"rtpengine_transcode_packets_total":   byText("chain", (*generated).RecordRtpengineTranscodingPacketsDataPoint),
	"rtpengine_transcode_samples_total":   byText("chain", (*generated).RecordRtpengineTranscodingSamplesDataPoint),
	"rtpengine_transcoded_media":          whole((*generated).RecordRtpengineTranscodedMediaCountDataPoint),
	"rtpengine_transcoders":               byText("chain", (*generated).RecordRtpengineTranscoderCountDataPoint),
	sampleUptime:                          decimal((*generated).RecordRtpengineUptimeDataPoint),
	"rtpengine_zero_packet_streams_total": whole((*generated).RecordRtpengineZeroPacketStreamsDataPoint),

	"rtpengine_jitter_measured_samples_total": wholeWith((*generated).RecordRtpengineJitterSamplesDataPoint, measured),
	"rtpengine_jitter_measured_total":         decimalWith((*generated).RecordRtpengineJitterTimeDataPoint, measured).in(rows.Milliseconds),
	"rtpengine_jitter_samples_total":          wholeWith((*generated).RecordRtpengineJitterSamplesDataPoint, reported),
	"rtpengine_jitter_total":                  decimalWith((*generated).RecordRtpengineJitterTimeDataPoint, reported).in(rows.Milliseconds),
	"rtpengine_media_cache":                   whole((*generated).RecordRtpengineMediaCacheCountDataPoint),
	"rtpengine_packetloss_samples_total":      whole((*generated).RecordRtpenginePacketLossSamplesDataPoint),
	"rtpengine_packetloss_total":              decimal((*generated).RecordRtpenginePacketLossRatiosDataPoint).in(rows.Percent),
	"rtpengine_player_cache":                  whole((*generated).RecordRtpenginePlayerCacheCountDataPoint),
	"rtpengine_rtt_dsct_samples_total":        wholeWith((*generated).RecordRtpengineRoundTripSamplesDataPoint, oneLeg),
	"rtpengine_rtt_dsct_total":                decimalWith((*generated).RecordRtpengineRoundTripTimeDataPoint, oneLeg).in(rows.Microseconds),
	"rtpengine_rtt_e2e_samples_total":         wholeWith((*generated).RecordRtpengineRoundTripSamplesDataPoint, endToEnd),
	"rtpengine_rtt_e2e_total":                 decimalWith((*generated).RecordRtpengineRoundTripTimeDataPoint, endToEnd).in(rows.Microseconds),

	"rtpengine_interface_bytes":        traffic((*generated).RecordRtpengineInterfaceIoDataPoint),
	"rtpengine_interface_duplicates":   on(rows.WholeOf, (*generated).RecordRtpengineInterfaceDuplicatePacketsDataPoint),
	"rtpengine_interface_errors":       traffic((*generated).RecordRtpengineInterfacePacketErrorsDataPoint),
	"rtpengine_interface_packets":      traffic((*generated).RecordRtpengineInterfacePacketsDataPoint),
	"rtpengine_interface_packets_lost": on(rows.WholeOf, (*generated).RecordRtpengineInterfaceLostPacketsDataPoint),

	"rtpengine_interface_jitter_measured_samples_total": wholeOn((*generated).RecordRtpengineInterfaceJitterSamplesDataPoint, measured),
	"rtpengine_interface_jitter_samples_total":          wholeOn((*generated).RecordRtpengineInterfaceJitterSamplesDataPoint, reported),
	"rtpengine_interface_mos_samples_total":             on(rows.WholeOf, (*generated).RecordRtpengineInterfaceMosSamplesDataPoint),
	"rtpengine_interface_packetloss_samples_total":      on(rows.WholeOf, (*generated).RecordRtpengineInterfacePacketLossSamplesDataPoint),
	"rtpengine_interface_rtt_dsct_samples_total":        wholeOn((*generated).RecordRtpengineInterfaceRoundTripSamplesDataPoint, oneLeg),
	"rtpengine_interface_rtt_e2e_samples_total":         wholeOn((*generated).RecordRtpengineInterfaceRoundTripSamplesDataPoint, endToEnd),

	"rtpengine_interface_jitter_measured_total": decimalOn((*generated).RecordRtpengineInterfaceJitterTimeDataPoint, measured).in(rows.Milliseconds),
	"rtpengine_interface_jitter_total":          decimalOn((*generated).RecordRtpengineInterfaceJitterTimeDataPoint, reported).in(rows.Milliseconds),
	"rtpengine_interface_mos_total":             on(rows.DecimalOf, (*generated).RecordRtpengineInterfaceMosSummedScoresDataPoint),
	"rtpengine_interface_packetloss_total":      on(rows.DecimalOf, (*generated).RecordRtpengineInterfacePacketLossRatiosDataPoint).in(rows.Percent),
	"rtpengine_interface_rtt_dsct_total":        decimalOn((*generated).RecordRtpengineInterfaceRoundTripTimeDataPoint, oneLeg).in(rows.Microseconds),
	"rtpengine_interface_rtt_e2e_total":         decimalOn((*generated).RecordRtpengineInterfaceRoundTripTimeDataPoint, endToEnd).in(rows.Microseconds),
}

// sampleUptime is the sample from which the start time of an rtpengine is derived.
const sampleUptime = "rtpengine_uptime_seconds"

func hasSampleRow(name string) bool {
	_, ok := sampleRows[name]
	return ok
}

// unknownLabel replaces all label values that are not listed.
const unknownLabel = "unknown"

// whole maps an integer.
func whole(record func(*generated, timestamp, int64)) sampleRow {
	return sampleRow{Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, _ labels) { record(mb, start, n) })}
}

// decimal maps a floating-point number.
func decimal(record func(*generated, timestamp, float64)) sampleRow {
	return sampleRow{Point: rows.DecimalOf(func(mb *generated, start timestamp, v float64, _ labels) { record(mb, start, v) })}
}

// wholeWith maps an integer with a fixed attribute.
func wholeWith[A any](record func(*generated, timestamp, int64, A), a A) sampleRow {
	return whole(rows.With(record, a))
}

// decimalWith maps a floating-point number with a fixed attribute.
func decimalWith[A any](record func(*generated, timestamp, float64, A), a A) sampleRow {
	return decimal(rows.With(record, a))
}

// by maps an integer with an attribute that has a fixed set of values, one of which is unknown.
func by[A any](name string, values map[string]A, record func(*generated, timestamp, int64, A)) sampleRow {
	return sampleRow{
		Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, l labels) {
			value, ok := values[l.get(name)]
			if !ok {
				value = values[unknownLabel]
			}
			record(mb, start, n, value)
		}),
		listed: func(l labels) bool {
			_, ok := values[l.get(name)]
			return ok && l.get(name) != unknownLabel
		},
		hasUnknown: true,
	}
}

// byText maps an integer with the value of a label as its attribute.
func byText(name string, record func(*generated, timestamp, int64, string)) sampleRow {
	return sampleRow{Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, l labels) { record(mb, start, n, l.get(name)) })}
}

// in returns a row whose values are in the given unit.
func (r sampleRow) in(unit rows.Unit) sampleRow {
	r.Point = r.Point.In(unit)
	return r
}

// on maps a value of an interface. point is rows.WholeOf or rows.DecimalOf.
func on[V any](
	point func(func(*generated, timestamp, V, labels)) rows.Point[*generated, labels],
	record func(mb *generated, start timestamp, v V, name, address string),
) sampleRow {
	return sampleRow{Point: point(func(mb *generated, start timestamp, v V, l labels) {
		record(mb, start, v, l.get("name"), l.get("address"))
	})}
}

// wholeOn maps an integer of an interface with a fixed attribute.
func wholeOn[A any](record func(mb *generated, start timestamp, n int64, name, address string, a A), a A) sampleRow {
	return on(rows.WholeOf, func(mb *generated, start timestamp, n int64, name, address string) {
		record(mb, start, n, name, address, a)
	})
}

// decimalOn maps a floating-point number of an interface with a fixed attribute.
func decimalOn[A any](record func(mb *generated, start timestamp, v float64, name, address string, a A), a A) sampleRow {
	return on(rows.DecimalOf, func(mb *generated, start timestamp, v float64, name, address string) {
		record(mb, start, v, name, address, a)
	})
}

type direction = metadata.AttributeNetworkIoDirection

var directions = map[string]direction{
	"egress":  metadata.AttributeNetworkIoDirectionTransmit,
	"ingress": metadata.AttributeNetworkIoDirectionReceive,
}

// traffic maps an integer of an interface and a direction.
func traffic(record func(mb *generated, start timestamp, n int64, name, address string, d direction)) sampleRow {
	return sampleRow{
		Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, l labels) {
			record(mb, start, n, l.get("name"), l.get("address"), directions[l.get("direction")])
		}),
		listed: func(l labels) bool { return directions[l.get("direction")] != 0 },
	}
}

func requests() sampleRow {
	return sampleRow{Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, l labels) {
		mb.RecordRtpengineRequestsDataPoint(start, n, l.get("proxy"), l.get("request"))
	})}
}

func requestTime() sampleRow {
	return sampleRow{Point: rows.DecimalOf(func(mb *generated, start timestamp, v float64, l labels) {
		mb.RecordRtpengineRequestTimeDataPoint(start, v, l.get("proxy"), l.get("request"))
	})}
}
