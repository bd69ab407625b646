// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package current keeps the current data points of all targets as finished lines of Prometheus text.
package current

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
)

// Reason says why data points were refused.
type Reason string

// The reasons.
const (
	Temporality          Reason = "temporality"
	ExponentialHistogram Reason = "exponential_histogram"
	MetricName           Reason = "metric_name"
	Labels               Reason = "labels"
	TypeConflict         Reason = "type_conflict"
	NameCollision        Reason = "name_collision"
)

// Config says how metrics are named and labeled, and how long they are kept.
type Config struct {
	// MetricName and LabelName translate the names of metrics and attributes.
	MetricName func(pmetric.Metric) (string, error)
	LabelName  func(string) (string, error)
	// ConstLabels are labels of all series.
	ConstLabels map[string]string
	// ResourceLabel reports whether an attribute of the resource is a label of all its series.
	ResourceLabel func(key string) bool
	// ScopeLabels adds name, version, schema URL and attributes of the scope as labels.
	ScopeLabels bool
	// Timestamps adds the time of the data point to each line.
	Timestamps bool
	// TargetInfo is the name of the metric with the attributes of the resources.
	TargetInfo string
	// WithoutTarget omits the labels job and instance. Then only TargetSnapshot distinguishes the series of targets.
	WithoutTarget bool
	// KeepTarget reports whether a target is kept, and KeepMetric whether a metric is, by its original name. Others are ignored. Without
	// these functions, everything is kept.
	KeepTarget func(TargetID) bool
	KeepMetric func(name string) bool
	// Expiration is how long a target, or in targets of unknown completeness a series, is kept without an update.
	Expiration time.Duration
	// Refused is called for data points that are not kept.
	Refused func(reason Reason, metric string, points int, cause error)
	Logger  *zap.Logger
}

// Store keeps the current data points. Its methods may be called concurrently.
type Store struct {
	config Config
	common []label // of all series
	epoch  time.Time

	mu       sync.Mutex
	targets  map[targetKey]*target
	families map[string]*family
	sorted   []*family
	names    map[metricID]translation
	payload  uint64
	touched  []*metricState // by the current payload
	readers  int            // snapshots in use: while there are any, no text may be overwritten
	writer   writer
}

// metricID holds the properties of a metric that determine its name on the page.
type metricID struct {
	name, unit string
	kind       Kind
}

type translation struct {
	name string
	err  error
}

// family holds the metrics that have the same name on the page.
type family struct {
	name, help                string
	kind                      Kind
	plain, bucket, sum, count sampleName
	quoted                    bool // a name is in quotes
	shared                    bool // several metrics may have equal series
	metrics                   []*metricState
}

// scope is an instrumentation scope of a target.
type scope struct {
	metrics  map[string]*metricState
	complete bool              // its payloads say which series are gone
	newest   pcommon.Timestamp // of the accepted payloads, if they say so
	updated  time.Duration
}

// scopeKey identifies a scope within a target. Without labels of the scope, scopes of the same name are one.
type scopeKey struct{ name, version, schemaURL, attributes string }

// New returns an empty store.
func New(config Config) *Store {
	s := &Store{
		config: config, epoch: time.Now(), targets: map[targetKey]*target{}, families: map[string]*family{}, names: map[metricID]translation{},
	}
	s.writer.store = s
	for name, value := range config.ConstLabels {
		s.common = append(s.common, label{name, value})
	}
	slices.SortFunc(s.common, func(a, b label) int { return cmp.Compare(a.name, b.name) })
	return s
}

// Take takes a payload in. A payload that says which series are gone replaces what its targets have in its scopes, unless it is older.
// Data points of other payloads replace older ones of the same series.
func (s *Store) Take(payload pmetric.Metrics, extent completeness.Completeness, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payload++
	s.writer.now = now.Sub(s.epoch)
	accepted := map[*scope]pcommon.Timestamp{} // with the time of the payload before
	for _, rm := range payload.ResourceMetrics().All() {
		resource := rm.Resource().Attributes()
		if s.config.KeepTarget != nil && !s.config.KeepTarget(Target(resource)) {
			continue
		}
		t := s.target(resource)
		for _, sm := range rm.ScopeMetrics().All() {
			s.sortOut(t, resource, sm, extent, accepted)
		}
		s.updateInfo(t, resource)
	}
	for _, m := range s.touched {
		s.writer.write(m, extent != completeness.Unknown)
		if len(m.series) == 0 {
			s.remove(m)
		}
	}
	clear(s.touched)
	s.touched = s.touched[:0]
	if extent == completeness.Full {
		for scope := range accepted {
			s.removeAll(scope, func(m *metricState) bool { return m.payload != s.payload })
		}
	}
}

// sortOut assigns the data points of a scope to the metrics of the store.
func (s *Store) sortOut(
	t *target, resource pcommon.Map, sm pmetric.ScopeMetrics, extent completeness.Completeness, accepted map[*scope]pcommon.Timestamp,
) {
	scope := t.scope(sm, s.config.ScopeLabels)
	before, again := accepted[scope]
	if !again {
		before = scope.newest
	}
	scope.complete = extent != completeness.Unknown
	if scope.complete {
		at := newest(sm)
		if at < before {
			return // a retry that was overtaken
		}
		scope.newest = max(scope.newest, at)
	}
	accepted[scope], scope.updated = before, s.writer.now
	common := s.commonLabels(t, resource, sm)
	for _, metric := range sm.Metrics().All() {
		if s.config.KeepMetric != nil && !s.config.KeepMetric(metric.Name()) {
			continue
		}
		m, reason, err := s.metric(t, scope, metric)
		if err != nil {
			s.config.Refused(reason, metric.Name(), countPoints(metric), err)
			continue
		}
		if m.payload != s.payload {
			m.payload = s.payload
			s.touched = append(s.touched, m)
		}
		m.pending = append(m.pending, pending{metric, common, t.source})
	}
}

// name translates the name of a metric.
func (s *Store) name(metric pmetric.Metric, kind Kind) (string, error) {
	id := metricID{metric.Name(), metric.Unit(), kind}
	known, ok := s.names[id]
	if !ok {
		const enough = 10_000
		if len(s.names) == enough {
			clear(s.names)
		}
		known.name, known.err = s.config.MetricName(metric)
		if known.err == nil && !model.UTF8Validation.IsValidMetricName(known.name) {
			known.err = fmt.Errorf("%q cannot be the name of a metric", known.name)
		}
		s.names[id] = known
	}
	return known.name, known.err
}

// metric returns the metric of the store where the data points belong. It creates it if its name is free.
func (s *Store) metric(t *target, scope *scope, metric pmetric.Metric) (*metricState, Reason, error) {
	kind, reason, err := kindOf(metric)
	if err != nil {
		return nil, reason, err
	}
	name, err := s.name(metric, kind)
	if err != nil {
		return nil, MetricName, err
	}
	if m := scope.metrics[name]; m != nil && m.family.kind == kind {
		return m, "", nil
	}
	if f := s.families[name]; f != nil && f.kind != kind && !s.vacate(f, scope) {
		return nil, TypeConflict, fmt.Errorf("%s is a %s already and cannot be a %s", name, f.kind, kind)
	}
	for _, f := range s.collisions(name, kind) {
		if !s.vacate(f, scope) {
			return nil, NameCollision, fmt.Errorf("the %s %s and the %s %s would have lines of the same name", kind, name, f.kind, f.name)
		}
	}
	m := &metricState{target: t, scope: scope}
	s.join(m, name, kind, metric.Description())
	scope.metrics[name] = m
	t.metrics++
	return m, "", nil
}

// vacate removes a family if all of it belongs to the scope and is about to be replaced. Otherwise it reports false.
func (s *Store) vacate(f *family, scope *scope) bool {
	for _, m := range f.metrics {
		if m.scope != scope || !scope.complete || m.payload == s.payload {
			return false
		}
	}
	for _, m := range slices.Clone(f.metrics) {
		s.remove(m)
	}
	return true
}

// collisions returns the families that have lines of the same name.
func (s *Store) collisions(name string, kind Kind) (found []*family) {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		base, _ := strings.CutSuffix(name, suffix)
		if f := s.families[base]; f != nil && base != name && f.kind.hasSuffix(suffix) {
			found = append(found, f)
		}
		if f := s.families[name+suffix]; f != nil && kind.hasSuffix(suffix) {
			found = append(found, f)
		}
	}
	return found
}

// join adds a metric to the family of the name.
func (s *Store) join(m *metricState, name string, kind Kind, help string) {
	f := s.families[name]
	if f == nil {
		f = &family{
			name: name, help: strings.ToValidUTF8(help, "\uFFFD"), kind: kind, quoted: !model.LegacyValidation.IsValidMetricName(name),
			plain: newSampleName(name), bucket: newSampleName(name + "_bucket"),
			sum: newSampleName(name + "_sum"), count: newSampleName(name + "_count"),
		}
		s.families[name] = f
		s.sorted = slices.Insert(s.sorted, s.position(name), f)
	}
	m.family = f
	f.shared = f.shared || slices.ContainsFunc(f.metrics, func(other *metricState) bool {
		return other.target == m.target || !other.target.named() || !m.target.named()
	})
	f.metrics = append(f.metrics, m)
}

// leave takes a metric out of its family, and removes a family without metrics.
func (s *Store) leave(m *metricState) {
	f := m.family
	i := slices.Index(f.metrics, m)
	f.metrics = slices.Delete(f.metrics, i, i+1)
	if len(f.metrics) == 0 {
		delete(s.families, f.name)
		i := s.position(f.name)
		s.sorted = slices.Delete(s.sorted, i, i+1)
	}
}

// position returns where a family of the name is among the sorted ones, or belongs.
func (s *Store) position(name string) int {
	i, _ := slices.BinarySearchFunc(s.sorted, name, func(f *family, name string) int { return cmp.Compare(f.name, name) })
	return i
}

// remove removes a metric of a scope, and with the last one of a target the information about it.
func (s *Store) remove(m *metricState) {
	s.leave(m)
	delete(m.scope.metrics, m.family.name)
	m.target.metrics--
	if t := m.target; t.metrics == 0 && t.info != nil {
		s.leave(t.info)
		t.info = nil
	}
}

// removeAll removes the metrics of a scope for which gone is true.
func (s *Store) removeAll(scope *scope, gone func(*metricState) bool) {
	for _, m := range scope.metrics {
		if gone(m) {
			s.remove(m)
		}
	}
}

// expire removes what was not updated for too long.
func (s *Store) expire(now time.Duration) {
	deadline := now - s.config.Expiration
	for key, t := range s.targets {
		for key, scope := range t.scopes {
			s.removeAll(scope, func(m *metricState) bool {
				return scope.updated < deadline || !scope.complete && s.expireSeries(m, deadline)
			})
			if scope.updated < deadline {
				delete(t.scopes, key)
			}
		}
		maps.DeleteFunc(t.sources, func(_ uint32, source *source) bool { return source.seen < deadline })
		if len(t.scopes) == 0 {
			delete(s.targets, key)
		}
	}
}

// expireSeries removes the series of a metric that were not updated for too long, and reports whether none is left.
func (s *Store) expireSeries(m *metricState, deadline time.Duration) bool {
	if m.oldest >= deadline {
		return false
	}
	if s.readers > 0 {
		m.text, m.series = slices.Clone(m.text), slices.Clone(m.series)
	}
	m.text, m.series = retain(m.text, m.series, func(r *series) bool { return r.updated >= deadline })
	if len(m.series) > 0 {
		m.oldest = slices.MinFunc(m.series, func(a, b series) int { return cmp.Compare(a.updated, b.updated) }).updated
	}
	return len(m.series) == 0
}

// newest returns the time of the newest data point.
func newest(sm pmetric.ScopeMetrics) (at pcommon.Timestamp) {
	for _, metric := range sm.Metrics().All() {
		switch metric.Type() {
		case pmetric.MetricTypeGauge:
			at = max(at, newestOf(metric.Gauge().DataPoints()))
		case pmetric.MetricTypeSum:
			at = max(at, newestOf(metric.Sum().DataPoints()))
		case pmetric.MetricTypeHistogram:
			at = max(at, newestOf(metric.Histogram().DataPoints()))
		case pmetric.MetricTypeSummary:
			at = max(at, newestOf(metric.Summary().DataPoints()))
		}
	}
	return at
}

func newestOf[P point](points dataPoints[P]) (at pcommon.Timestamp) {
	for i := range points.Len() {
		at = max(at, points.At(i).Timestamp())
	}
	return at
}

// countPoints returns how many data points a metric has.
func countPoints(metric pmetric.Metric) int {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		return metric.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return metric.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return metric.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return metric.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return metric.Summary().DataPoints().Len()
	}
	return 0
}
