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
	// listed reports whether the metric has attribute values for the labels; nil if it accepts any. All other samples are summed and
	// recorded as unknown.
	listed func(labels) bool
}

// sampleRows are the rows for the samples of rtpengine's page.
var sampleRows = map[string]sampleRow{
	"rtpengine_bytes_total":               by("type", metadata.MapAttributeRtpengineForwarding, (*generated).RecordRtpengineNetworkIoDataPoint),
	"rtpengine_call_duration2_total":      decimal((*generated).RecordRtpengineCallSquaredTimeDataPoint),
	"rtpengine_call_duration_avg":         decimal((*generated).RecordRtpengineCallDurationAverageDataPoint),
	"rtpengine_call_duration_total":       decimal((*generated).RecordRtpengineCallTimeDataPoint),
	"rtpengine_closed_sessions_total":     by("reason", metadata.MapAttributeRtpengineCloseReason, (*generated).RecordRtpengineSessionClosuresDataPoint),
	"rtpengine_errors_total":              byText("proxy", (*generated).RecordRtpengineRequestErrorsDataPoint),
	"rtpengine_mediastreams":              by("type", metadata.MapAttributeRtpengineForwarding, (*generated).RecordRtpengineStreamCountDataPoint),
	"rtpengine_mos2_total":                decimal((*generated).RecordRtpengineMosSummedSquaredScoresDataPoint),
	"rtpengine_mos_samples_total":         whole((*generated).RecordRtpengineMosSamplesDataPoint),
	"rtpengine_mos_total":                 decimal((*generated).RecordRtpengineMosSummedScoresDataPoint),
	"rtpengine_one_way_sessions_total":    whole((*generated).RecordRtpengineOneWaySessionsDataPoint),
	"rtpengine_packet_errors_total":       by("type", metadata.MapAttributeRtpengineForwarding, (*generated).RecordRtpengineNetworkPacketErrorsDataPoint),
	"rtpengine_packets_lost":              whole((*generated).RecordRtpengineRtpLostPacketsDataPoint),
	"rtpengine_packets_total":             by("type", metadata.MapAttributeRtpengineForwarding, (*generated).RecordRtpengineNetworkPacketsDataPoint),
	"rtpengine_ports_free":                ports(metadata.AttributeRtpenginePortStateFree),
	"rtpengine_ports_used":                ports(metadata.AttributeRtpenginePortStateUsed),
	"rtpengine_request_seconds_total":     requestTime(),
	"rtpengine_requests_total":            requests(),
	"rtpengine_rtp_duplicates":            whole(rows.With((*generated).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalyDuplicate)),
	"rtpengine_rtp_reordered":             whole(rows.With((*generated).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalyReordered)),
	"rtpengine_rtp_seq_resets":            whole(rows.With((*generated).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalySequenceReset)),
	"rtpengine_rtp_skips":                 whole(rows.With((*generated).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalySkip)),
	"rtpengine_sessions":                  by("type", metadata.MapAttributeRtpengineSessionType, (*generated).RecordRtpengineSessionCountDataPoint),
	"rtpengine_sessions_total":            whole((*generated).RecordRtpengineSessionCreationsDataPoint),
	"rtpengine_transcode_bytes_total":     byText("chain", (*generated).RecordRtpengineTranscodingIoDataPoint),
	"rtpengine_transcode_packets_total":   byText("chain", (*generated).RecordRtpengineTranscodingPacketsDataPoint),
	"rtpengine_transcode_samples_total":   byText("chain", (*generated).RecordRtpengineTranscodingSamplesDataPoint),
	"rtpengine_transcoded_media":          whole((*generated).RecordRtpengineTranscodedMediaCountDataPoint),
	"rtpengine_transcoders":               byText("chain", (*generated).RecordRtpengineTranscoderCountDataPoint),
	sampleUptime:                          decimal((*generated).RecordRtpengineUptimeDataPoint),
	"rtpengine_zero_packet_streams_total": whole((*generated).RecordRtpengineZeroPacketStreamsDataPoint),
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
	}
}

// byText maps an integer with the value of a label as its attribute.
func byText(name string, record func(*generated, timestamp, int64, string)) sampleRow {
	return sampleRow{Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, l labels) { record(mb, start, n, l.get(name)) })}
}

func ports(state metadata.AttributeRtpenginePortState) sampleRow {
	return sampleRow{Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, l labels) {
		mb.RecordRtpenginePortCountDataPoint(start, n, l.get("name"), l.get("address"), state)
	})}
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
