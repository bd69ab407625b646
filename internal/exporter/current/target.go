// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current

import (
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
)

// targetKey identifies a target, like the labels job and instance.
type targetKey struct {
	TargetID
	hasJob, hasInstance bool
}

// TargetID identifies a target by its labels job and instance.
type TargetID struct{ Job, Instance string }

// Target returns the target that a resource belongs to.
func Target(resource pcommon.Map) TargetID {
	return newTargetKey(resource).TargetID
}

// target is the source of the series with the same job and instance. Other attributes of its resource may change.
type target struct {
	targetKey
	scopes  map[scopeKey]*scope
	metrics int // in all scopes

	info       *metricState // the series of target_info
	infoSource uint32       // whose attributes it has

	source    uint32 // of the current payload
	sources   map[uint32]*source
	compared  uint64        // payload with which sources were compared last
	suspected bool          // two sources seemed to write the same series
	suspicion time.Duration // when it was so last
	warned    bool
}

// named reports whether job and instance are labels of the target.
func (t *target) named() bool { return t.hasJob && t.hasInstance }

// source is one of the resources that have the same job and instance. It is identified by a hash of its attributes.
type source struct {
	attributes map[string]any
	first      uint64 // payload
	seen       time.Duration
}

func newTargetKey(resource pcommon.Map) (key targetKey) {
	if name, ok := resource.Get("service.name"); ok {
		key.Job, key.hasJob = name.AsString(), true
		if namespace, ok := resource.Get("service.namespace"); ok {
			key.Job = namespace.AsString() + "/" + key.Job
		}
	}
	if instance, ok := resource.Get("service.instance.id"); ok {
		key.Instance, key.hasInstance = instance.AsString(), true
	}
	return key
}

// target returns the target of a resource, with its source set.
func (s *Store) target(resource pcommon.Map) *target {
	key := newTargetKey(resource)
	t := s.targets[key]
	if t == nil {
		t = &target{targetKey: key, scopes: map[scopeKey]*scope{}, sources: map[uint32]*source{}}
		s.targets[key] = t
	}
	t.source = hashAttributes(resource)
	if t.sources[t.source] == nil {
		t.sources[t.source] = &source{attributes: resource.AsRaw(), first: s.payload}
	}
	t.sources[t.source].seen = s.writer.now
	return t
}

// scope returns the scope of the target. The labels of the scope are part of its identity if series have them.
func (t *target) scope(sm pmetric.ScopeMetrics, labeled bool) *scope {
	key := scopeKey{name: sm.Scope().Name()}
	if labeled {
		key.version, key.schemaURL, key.attributes = sm.Scope().Version(), sm.SchemaUrl(), fmt.Sprint(sm.Scope().Attributes().AsRaw())
	}
	if t.scopes[key] == nil {
		t.scopes[key] = &scope{metrics: map[string]*metricState{}}
	}
	return t.scopes[key]
}

// updateInfo renders the attributes of the resource if they have changed.
func (s *Store) updateInfo(t *target, resource pcommon.Map) {
	if t.metrics == 0 || t.Job == "" || t.Instance == "" || t.info != nil && t.infoSource == t.source {
		return
	}
	labels := map[string]string{}
	for key, value := range resource.All() {
		if key == "service.name" || key == "service.namespace" || key == "service.instance.id" {
			continue
		}
		name, err := s.config.LabelName(key)
		if err != nil {
			s.config.Refused(Labels, s.config.TargetInfo, 1, err)
			continue
		}
		if former, ok := labels[name]; ok {
			labels[name] = former + ";" + value.AsString()
		} else {
			labels[name] = value.AsString()
		}
	}
	labels[model.JobLabel], labels[model.InstanceLabel] = t.Job, t.Instance
	common := &commonLabels{}
	for name, value := range labels {
		common.labels = append(common.labels, label{name, value})
	}
	schema := s.newSchema(nil, common, Gauge)
	if f := s.families[s.config.TargetInfo]; schema.err == nil && f != nil && f.kind != Gauge {
		schema.err = fmt.Errorf("another metric of this name is a %s", f.kind)
	}
	if schema.err != nil {
		s.config.Refused(Labels, s.config.TargetInfo, 1, schema.err)
		return
	}
	if t.info == nil {
		t.info = &metricState{target: t}
		s.join(t.info, s.config.TargetInfo, Gauge, "Target metadata")
	}
	t.infoSource, t.info.family.quoted = t.source, t.info.family.quoted || schema.quoted
	text, at := t.info.family.plain.appendName(nil, []byte(schema.literals[0]))
	text = append(text, "1\n"...)
	t.info.text, t.info.series = text, []series{{at: at, size: len(schema.literals[0]), end: len(text), time: math.MaxUint64}}
}

// compareSources looks for signs that two sources keep writing the same series, once for each payload, and warns when they come again soon.
// A source that takes over and is new is no such sign: a server was upgraded. Nor is one with more or fewer attributes: they were learnt.
func (s *Store) compareSources(t *target, id, otherID uint32, start, otherStart pcommon.Timestamp) {
	if t.warned || t.compared == s.payload {
		return
	}
	t.compared = s.payload
	source, other := t.sources[id], t.sources[otherID]
	differences, otherDifferences := "start="+start.String(), "start="+otherStart.String()
	if id != otherID {
		if source.first == s.payload || other == nil {
			return
		}
		differences, otherDifferences = contradictions(source.attributes, other.attributes), contradictions(other.attributes, source.attributes)
		if differences == "" {
			return
		}
	}
	again := t.suspected && s.writer.now-t.suspicion <= s.config.Expiration
	t.suspected, t.suspicion, t.warned = true, s.writer.now, again
	if again {
		s.config.Logger.Warn("two sources write the same series, and the page shows whichever wrote last: give each of them a "+
			"service.instance.id of its own, or make labels of attributes that differ (resource_labels)", zap.String("job", t.Job),
			zap.String("instance", t.Instance), zap.String("source", differences), zap.String("other_source", otherDifferences))
	}
}

// contradictions returns the attributes of one that have another value in other.
func contradictions(one, other map[string]any) string {
	var parts []string
	for key, value := range one {
		if otherValue, ok := other[key]; ok && fmt.Sprint(otherValue) != fmt.Sprint(value) {
			parts = append(parts, fmt.Sprintf("%s=%v", key, value))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// hashAttributes returns a number other than 0 that depends on the attributes, but not on their order.
func hashAttributes(attributes pcommon.Map) uint32 {
	var sum uint64
	for key, value := range attributes.All() {
		sum += maphash.String(seed, key+"\x00"+value.AsString())
	}
	return uint32(sum) | 1 // half of the hash is enough
}
