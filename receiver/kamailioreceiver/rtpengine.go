// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// rtpengine turns the page of an rtpengine into metrics: a process, and so a resource, of its own.
type rtpengine struct {
	cfg    *Config
	mb     *metadata.MetricsBuilder
	page   *page
	target scrape.Target
	starts cumulative.Starts
	report *report
	uptime cumulative.Uptime
	wanted int // enabled metrics

	// Of the current scrape.
	seen     map[string]bool    // series, because a page may repeat them
	unlisted map[string]float64 // sums over labels of unlisted values, by sample
	refused  []string           // samples whose values cannot be
	metrics  pmetric.Metrics
	up       bool
	err      error
}

func newRTPEngine(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (*rtpengine, error) {
	r := &rtpengine{
		cfg: cfg, mb: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		wanted: countWanted(&cfg.MetricsBuilderConfig.Metrics)[pageRTPEngine],
		seen:   map[string]bool{}, unlisted: map[string]float64{},
	}
	r.report = newReport(&r.starts)
	var err error
	if r.target, err = scrape.NewTarget(cfg.RTPEngine.Endpoint, "/metrics"); err != nil {
		return nil, err
	}
	r.page, err = newPage(ctx, "rtpengine", &cfg.RTPEngine, host, set.TelemetrySettings)
	return r, err
}

// scrape reads the page once.
func (r *rtpengine) scrape(ctx context.Context, now pcommon.Timestamp) {
	clear(r.seen)
	clear(r.unlisted)
	r.refused = nil
	results := scrape.Run(ctx, nil, func() []scrape.Part {
		return []scrape.Part{{API: r.page.path, Metrics: max(1, r.wanted), Call: func(ctx context.Context) (func(), error) {
			err := r.page.Each(ctx, func(s *exposition.Sample) error {
				r.record(now, s)
				return nil
			})
			if err != nil && !scrape.IsPartial(err) {
				r.mb.Emit() // what came of a page that broke off is dropped
				return nil, err
			}
			r.recordUnlisted(now)
			return func() {}, errors.Join(err, r.refusals())
		}}}
	})
	r.up, r.err = scrape.Up(results), scrape.Err(r.cfg.RTPEngine.Endpoint, results)
	r.report.Record(r.mb, now, r.up, results)
	start := min(cmp.Or(r.uptime.Start(), r.report.Began()), now)
	r.metrics = r.mb.Emit(metadata.WithResource(r.resource()), metadata.WithStartTimeOverride(start))
	r.starts.Apply(r.metrics)
}

func (r *rtpengine) resource() pcommon.Resource {
	rb := r.mb.NewResourceBuilder()
	rb.SetServiceName("rtpengine")
	rb.SetServiceInstanceID(r.target.Instance)
	rb.SetServerAddress(r.target.Address)
	rb.SetServerPort(r.target.Port)
	return rb.Emit()
}

// labels are those of a sample. Without one, each is unknown.
type labels struct{ sample *exposition.Sample }

// unknownLabel stands for values of a label that are not listed.
const unknownLabel = "unknown"

// get returns a label as an attribute may have it.
func (l labels) get(name string) string {
	if l.sample == nil {
		return unknownLabel
	}
	return selection.Name(l.sample.Label(name))
}

// samplePoint records a sample, and reports whether its labels have listed values.
type samplePoint = func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, l labels) bool

func double(record func(*metadata.MetricsBuilder, pcommon.Timestamp, float64)) samplePoint {
	return func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, _ labels) bool {
		record(mb, now, v)
		return true
	}
}

func whole(record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64)) samplePoint {
	return func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, _ labels) bool {
		record(mb, now, int64(v))
		return true
	}
}

// always records a whole number with a fixed attribute.
func always[A any](record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, A), attribute A) samplePoint {
	return whole(func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v int64) { record(mb, now, v, attribute) })
}

// by records a whole number with an attribute of known values, which a label tells.
func by[A any](label string, values map[string]A, record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, A)) samplePoint {
	return func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, l labels) bool {
		value := l.get(label)
		attribute, listed := values[value]
		if !listed || value == unknownLabel && l.sample != nil {
			return false
		}
		record(mb, now, int64(v), attribute)
		return true
	}
}

// byText records a whole number with the text of a label.
func byText(label string, record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, string)) samplePoint {
	return func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, l labels) bool {
		record(mb, now, int64(v), l.get(label))
		return true
	}
}

func ports(state metadata.AttributeRtpenginePortState) samplePoint {
	return func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, l labels) bool {
		mb.RecordRtpenginePortCountDataPoint(now, int64(v), l.get("name"), l.get("address"), state)
		return true
	}
}

// samplePoints are the samples of the page. What is not here has no metric.
var samplePoints = map[string]samplePoint{
	"rtpengine_bytes_total":               by("type", metadata.MapAttributeRtpengineForwarding, (*metadata.MetricsBuilder).RecordRtpengineNetworkIoDataPoint),
	"rtpengine_call_duration2_total":      double((*metadata.MetricsBuilder).RecordRtpengineCallSquaredTimeDataPoint),
	"rtpengine_call_duration_avg":         double((*metadata.MetricsBuilder).RecordRtpengineCallDurationAverageDataPoint),
	"rtpengine_call_duration_total":       double((*metadata.MetricsBuilder).RecordRtpengineCallTimeDataPoint),
	"rtpengine_closed_sessions_total":     by("reason", metadata.MapAttributeRtpengineCloseReason, (*metadata.MetricsBuilder).RecordRtpengineSessionClosuresDataPoint),
	"rtpengine_errors_total":              byText("proxy", (*metadata.MetricsBuilder).RecordRtpengineRequestErrorsDataPoint),
	"rtpengine_mediastreams":              by("type", metadata.MapAttributeRtpengineForwarding, (*metadata.MetricsBuilder).RecordRtpengineStreamCountDataPoint),
	"rtpengine_mos2_total":                double((*metadata.MetricsBuilder).RecordRtpengineMosSquaredScoresDataPoint),
	"rtpengine_mos_samples_total":         whole((*metadata.MetricsBuilder).RecordRtpengineMosSamplesDataPoint),
	"rtpengine_mos_total":                 double((*metadata.MetricsBuilder).RecordRtpengineMosScoresDataPoint),
	"rtpengine_one_way_sessions_total":    whole((*metadata.MetricsBuilder).RecordRtpengineSessionOneWaySessionsDataPoint),
	"rtpengine_packet_errors_total":       by("type", metadata.MapAttributeRtpengineForwarding, (*metadata.MetricsBuilder).RecordRtpengineNetworkPacketErrorsDataPoint),
	"rtpengine_packets_lost":              whole((*metadata.MetricsBuilder).RecordRtpengineRtpLostPacketsDataPoint),
	"rtpengine_packets_total":             by("type", metadata.MapAttributeRtpengineForwarding, (*metadata.MetricsBuilder).RecordRtpengineNetworkPacketsDataPoint),
	"rtpengine_ports_free":                ports(metadata.AttributeRtpenginePortStateFree),
	"rtpengine_ports_used":                ports(metadata.AttributeRtpenginePortStateUsed),
	"rtpengine_request_seconds_total":     recordRequestTime,
	"rtpengine_requests_total":            recordRequests,
	"rtpengine_rtp_duplicates":            always((*metadata.MetricsBuilder).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalyDuplicate),
	"rtpengine_rtp_reordered":             always((*metadata.MetricsBuilder).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalyReordered),
	"rtpengine_rtp_seq_resets":            always((*metadata.MetricsBuilder).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalySequenceReset),
	"rtpengine_rtp_skips":                 always((*metadata.MetricsBuilder).RecordRtpengineRtpAnomaliesDataPoint, metadata.AttributeRtpengineRtpAnomalySkip),
	"rtpengine_sessions":                  by("type", metadata.MapAttributeRtpengineSessionType, (*metadata.MetricsBuilder).RecordRtpengineSessionCountDataPoint),
	"rtpengine_sessions_total":            whole((*metadata.MetricsBuilder).RecordRtpengineSessionCreationsDataPoint),
	"rtpengine_transcode_bytes_total":     byText("chain", (*metadata.MetricsBuilder).RecordRtpengineTranscodingIoDataPoint),
	"rtpengine_transcode_packets_total":   byText("chain", (*metadata.MetricsBuilder).RecordRtpengineTranscodingPacketsDataPoint),
	"rtpengine_transcode_samples_total":   byText("chain", (*metadata.MetricsBuilder).RecordRtpengineTranscodingSamplesDataPoint),
	"rtpengine_transcoded_media":          whole((*metadata.MetricsBuilder).RecordRtpengineTranscodedMediaCountDataPoint),
	"rtpengine_transcoders":               byText("chain", (*metadata.MetricsBuilder).RecordRtpengineTranscoderCountDataPoint),
	"rtpengine_uptime_seconds":            double((*metadata.MetricsBuilder).RecordRtpengineUptimeDataPoint),
	"rtpengine_zero_packet_streams_total": whole((*metadata.MetricsBuilder).RecordRtpengineStreamZeroPacketStreamsDataPoint),
}

func recordRequests(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, l labels) bool {
	mb.RecordRtpengineRequestsDataPoint(now, int64(v), l.get("proxy"), l.get("request"))
	return true
}

func recordRequestTime(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v float64, l labels) bool {
	mb.RecordRtpengineRequestTimeDataPoint(now, v, l.get("proxy"), l.get("request"))
	return true
}

// record records one sample. NaN and infinities are skipped.
func (r *rtpengine) record(now pcommon.Timestamp, s *exposition.Sample) {
	name := string(s.Name)
	record, known := samplePoints[name]
	if !known || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		return
	}
	key := seriesOf(s)
	if r.seen[key] || len(r.seen) == maxSeries {
		return
	}
	r.seen[key] = true
	switch {
	case !countable(s.Value):
		r.refuse(name)
	case !record(r.mb, now, s.Value, labels{s}):
		r.unlisted[name] += s.Value
	case name == "rtpengine_uptime_seconds":
		r.uptime.Update(s.Value, now)
	}
}

// countable reports whether a value can count something: a counter below zero is printed as a number near 2^64.
func countable(v float64) bool { return v >= 0 && v < 1<<63 }

// recordUnlisted records the sums over labels of unlisted values.
func (r *rtpengine) recordUnlisted(now pcommon.Timestamp) {
	for name, sum := range r.unlisted {
		if !countable(sum) {
			r.refuse(name)
			continue
		}
		samplePoints[name](r.mb, now, sum, labels{})
	}
}

func (r *rtpengine) refuse(name string) {
	if !slices.Contains(r.refused, name) {
		r.refused = append(r.refused, name)
	}
}

// refusals is the error of samples whose values cannot be, nil when there are none.
func (r *rtpengine) refusals() error {
	if len(r.refused) == 0 {
		return nil
	}
	slices.Sort(r.refused)
	return &partialError{scrape.Format, "values below zero or of 2^63 and more, which are left out: " + strings.Join(r.refused, ", ")}
}

// maxSeries bounds the series of one page that are kept.
const maxSeries = 10_000

// seriesOf returns what tells a sample's series from others, with its labels as attributes may have them.
func seriesOf(s *exposition.Sample) string {
	key := append([]byte(nil), s.Name...)
	for _, l := range s.Labels {
		key = append(append(key, 0), l.Name...)
		key = selection.AppendName(append(key, 0), l.Value)
	}
	return string(key)
}
