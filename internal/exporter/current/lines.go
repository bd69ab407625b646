// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Kind is the type of a metric.
type Kind int

// The types of metrics that a Store keeps.
const (
	Gauge Kind = iota
	Counter
	Histogram
	Summary
)

// String returns the word that follows # TYPE.
func (k Kind) String() string { return [...]string{"gauge", "counter", "histogram", "summary"}[k] }

// hasSuffix reports whether metrics of the type have lines whose names end like this.
func (k Kind) hasSuffix(suffix string) bool {
	return k == Histogram || k == Summary && suffix != "_bucket"
}

var (
	errTemporality          = errors.New("only sums and histograms of cumulative temporality can be kept, and monotonic delta sums")
	errExponentialHistogram = errors.New("the text format has no exponential histograms")
	errNoType               = errors.New("the metric has no data points")
)

// kindOf returns the type of a metric, or why it cannot be kept.
func kindOf(metric pmetric.Metric) (Kind, Reason, error) {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		return Gauge, "", nil
	case pmetric.MetricTypeSum:
		temporality := metric.Sum().AggregationTemporality()
		switch {
		case temporality == pmetric.AggregationTemporalityUnspecified:
		case metric.Sum().IsMonotonic():
			return Counter, "", nil
		case temporality == pmetric.AggregationTemporalityCumulative:
			return Gauge, "", nil
		}
		return 0, Temporality, errTemporality
	case pmetric.MetricTypeHistogram:
		if metric.Histogram().AggregationTemporality() != pmetric.AggregationTemporalityCumulative {
			return 0, Temporality, errTemporality
		}
		return Histogram, "", nil
	case pmetric.MetricTypeSummary:
		return Summary, "", nil
	case pmetric.MetricTypeExponentialHistogram:
		return 0, ExponentialHistogram, errExponentialHistogram
	}
	return 0, MetricName, errNoType
}

// sampleName is how lines begin that have a certain name.
type sampleName struct {
	open  string // before labels
	alone string // without labels
}

func newSampleName(name string) sampleName {
	if model.LegacyValidation.IsValidMetricName(name) {
		return sampleName{open: name + "{", alone: name + " "}
	}
	quoted := `{"` + string(appendEscaped(nil, name)) + `"`
	return sampleName{open: quoted + ",", alone: quoted + "} "}
}

// appendName appends the name and labels of a line, and returns where the labels are.
func (n *sampleName) appendName(dst, labels []byte) ([]byte, int) {
	if len(labels) == 0 {
		dst = append(dst, n.alone...)
		return dst, len(dst)
	}
	dst = append(dst, n.open...)
	at := len(dst)
	return append(append(dst, labels...), "} "...), at
}

// appendNameWith is appendName with a number as another label.
func (n *sampleName) appendNameWith(dst, labels []byte, name string, value float64) ([]byte, int) {
	dst = append(dst, n.open...)
	at := len(dst)
	dst = append(dst, labels...)
	if len(labels) > 0 {
		dst = append(dst, ',')
	}
	dst = append(append(dst, name...), `="`...)
	return append(strconv.AppendFloat(dst, value, 'g', -1, 64), `"} `...), at
}

// appendFloat appends a number as Prometheus writes it, except that whole numbers have no exponent.
func appendFloat(dst []byte, f float64) []byte {
	if i := int64(f); float64(i) == f && -1e15 < f && f < 1e15 {
		return strconv.AppendInt(dst, i, 10)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// appendEnd ends a line.
func (w *writer) appendEnd(dst []byte, timestamp pcommon.Timestamp) []byte {
	if w.store.config.Timestamps {
		dst = strconv.AppendInt(append(dst, ' '), int64(timestamp)/1e6, 10) //nolint:gosec // as pcommon.Timestamp.AsTime
	}
	return append(dst, '\n')
}

// number renders a gauge or a sum.
func (w *writer) number(dst, labels []byte, p pmetric.NumberDataPoint) ([]byte, int) {
	dst, at := w.m.family.plain.appendName(dst, labels)
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		dst = strconv.AppendInt(dst, p.IntValue(), 10)
	} else {
		dst = appendFloat(dst, p.DoubleValue())
	}
	return w.appendEnd(dst, p.Timestamp()), at
}

// accumulated renders a delta sum: if it continues where the series ended, its value is added to that of the series.
func (w *writer) accumulated(dst, labels []byte, p pmetric.NumberDataPoint) ([]byte, int) {
	if w.previous == nil || w.previous.time != p.StartTimestamp() {
		w.started = p.StartTimestamp()
		return w.number(dst, labels, p)
	}
	w.started = w.previous.start
	text, _, _ := bytes.Cut(w.previousText[w.previous.value():w.previous.end-1], []byte{' '})
	dst, at := w.m.family.plain.appendName(dst, labels)
	sum, err := strconv.ParseInt(string(text), 10, 64)
	if err == nil && p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		dst = strconv.AppendInt(dst, sum+p.IntValue(), 10)
	} else {
		value, _ := strconv.ParseFloat(string(text), 64) // this package wrote it
		dst = appendFloat(dst, value+p.DoubleValue()+float64(p.IntValue()))
	}
	return w.appendEnd(dst, p.Timestamp()), at
}

// histogram renders the buckets, the sum and the count of a histogram.
func (w *writer) histogram(dst, labels []byte, p pmetric.HistogramDataPoint) ([]byte, int) {
	bounds, counts := p.ExplicitBounds(), p.BucketCounts()
	last, cumulative := math.NaN(), uint64(0)
	for _, i := range w.ascending(bounds) {
		bound := bounds.At(i)
		if bound == last || math.IsInf(bound, +1) {
			continue
		}
		last = bound
		if i < counts.Len() {
			cumulative += counts.At(i)
		}
		dst, _ = w.bucket(dst, labels, bound, cumulative, p.Timestamp())
	}
	dst, at := w.bucket(dst, labels, math.Inf(+1), p.Count(), p.Timestamp())
	return w.sumAndCount(dst, labels, p.Sum(), p.Count(), p.Timestamp()), at
}

func (w *writer) bucket(dst, labels []byte, bound float64, count uint64, timestamp pcommon.Timestamp) ([]byte, int) {
	dst, at := w.m.family.bucket.appendNameWith(dst, labels, model.BucketLabel, bound)
	return w.appendEnd(strconv.AppendUint(dst, count, 10), timestamp), at
}

// ascending returns the positions of the bounds in the order of the bounds.
func (w *writer) ascending(bounds pcommon.Float64Slice) []int {
	w.order = w.order[:0]
	for i := range bounds.Len() {
		w.order = append(w.order, i)
	}
	slices.SortStableFunc(w.order, func(a, b int) int { return cmp.Compare(bounds.At(a), bounds.At(b)) })
	return w.order
}

// summary renders the quantiles, the sum and the count of a summary.
func (w *writer) summary(dst, labels []byte, p pmetric.SummaryDataPoint) ([]byte, int) {
	for _, quantile := range p.QuantileValues().All() {
		dst, _ = w.m.family.plain.appendNameWith(dst, labels, model.QuantileLabel, quantile.Quantile())
		dst = w.appendEnd(appendFloat(dst, quantile.Value()), p.Timestamp())
	}
	at := len(dst) + len(w.m.family.sum.open)
	return w.sumAndCount(dst, labels, p.Sum(), p.Count(), p.Timestamp()), at
}

func (w *writer) sumAndCount(dst, labels []byte, sum float64, count uint64, timestamp pcommon.Timestamp) []byte {
	dst, _ = w.m.family.sum.appendName(dst, labels)
	dst = w.appendEnd(appendFloat(dst, sum), timestamp)
	dst, _ = w.m.family.count.appendName(dst, labels)
	return w.appendEnd(strconv.AppendUint(dst, count, 10), timestamp)
}
