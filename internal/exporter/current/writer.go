// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// metricState is a metric of a scope of a target: its series as finished lines. The order of the series is that of the last payload.
type metricState struct {
	target  *target
	scope   *scope
	family  *family
	payload uint64 // the last one that had it
	text    []byte
	series  []series
	oldest  time.Duration // no series was updated before
	schemas []*schema     // the last one used comes first
	common  string        // key of the common labels that the schemas were made for
	pending []pending     // what the current payload has of it
}

// pending holds data points that a source has sent.
type pending struct {
	metric pmetric.Metric
	common *commonLabels
	source uint32
}

// series says where the lines of a series are in a text, and what was last received of it.
type series struct {
	at, size, end int // its labels in one of its lines, and the end of its last line
	time, start   pcommon.Timestamp
	updated       time.Duration
	source        uint32
	dead          bool // replaced by a later one of the same payload
}

func (r *series) labels(text []byte) []byte { return text[r.at : r.at+r.size] }

// value returns where the value of a series of one line is in the text.
func (r *series) value() int {
	if r.size == 0 {
		return r.at
	}
	return r.at + r.size + len("} ")
}

// A writer takes the data points of one metric into the store. It renders lines into buffers that are used again for every metric.
type writer struct {
	store   *Store
	now     time.Duration
	m       *metricState
	replace bool // series that the payload does not contain are gone
	pending

	text   []byte
	series []series
	dead   int
	// taken holds for each former series the position of its successor, plus 1; 0 if it has no successor, -1 if it has ended.
	taken   []int32
	next    int // the former series that the next data point is expected to continue
	index   index
	indexed bool
	slot    *int32 // of the series in the index

	keys, values []string
	labels       []byte
	order        []int

	// Of the series that a data point continues, if any.
	previous     *series
	previousText []byte
	started      pcommon.Timestamp // start of the rendered series
}

// point has the common methods of the data points of all types.
type point interface {
	Attributes() pcommon.Map
	Timestamp() pcommon.Timestamp
	StartTimestamp() pcommon.Timestamp
	Flags() pmetric.DataPointFlags
}

// dataPoints are data points of one type.
type dataPoints[P point] interface {
	Len() int
	At(i int) P
}

// write takes the pending data points of a metric in.
func (w *writer) write(m *metricState, replace bool) {
	w.m, w.replace = m, replace
	w.text, w.series, w.dead = w.text[:0], w.series[:0], 0
	w.taken = slices.Grow(w.taken[:0], len(m.series))[:len(m.series)]
	clear(w.taken)
	w.next, w.indexed, w.index.size = 0, false, len(m.series)
	for _, pending := range m.pending {
		w.index.size += countPoints(pending.metric)
	}
	for _, w.pending = range m.pending {
		if m.common != w.common.key {
			m.common, m.schemas = w.common.key, nil
		}
		switch metric := w.metric; metric.Type() {
		case pmetric.MetricTypeGauge:
			take(w, metric.Gauge().DataPoints(), (*writer).number)
		case pmetric.MetricTypeSum:
			if metric.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta {
				take(w, metric.Sum().DataPoints(), (*writer).accumulated)
			} else {
				take(w, metric.Sum().DataPoints(), (*writer).number)
			}
		case pmetric.MetricTypeHistogram:
			take(w, metric.Histogram().DataPoints(), (*writer).histogram)
		case pmetric.MetricTypeSummary:
			take(w, metric.Summary().DataPoints(), (*writer).summary)
		}
	}
	w.pending = pending{}
	clear(m.pending)
	m.pending = m.pending[:0]
	w.finish()
}

// take renders data points, each of them as the successor of the series with the same labels.
func take[P point](w *writer, points dataPoints[P], render func(w *writer, dst, labels []byte, p P) ([]byte, int)) {
	for i := range points.Len() {
		p := points.At(i)
		w.read(p.Attributes())
		labels, id, err := w.find()
		if err != nil {
			w.store.config.Refused(Labels, w.metric.Name(), 1, err)
			continue
		}
		fresh := w.latest(id)
		if w.previous != nil && p.Timestamp() < w.previous.time && (fresh || !w.replace) {
			continue
		}
		if p.Flags().NoRecordedValue() {
			w.remove(id)
			continue
		}
		if w.previous != nil && !fresh {
			w.compare(p.StartTimestamp())
		}
		w.started = p.StartTimestamp()
		var at int
		w.text, at = render(w, w.text, labels, p)
		w.put(id, series{
			at: at, size: len(labels), end: len(w.text), time: p.Timestamp(), start: w.started, updated: w.now, source: w.source,
		})
	}
}

// read reads the attributes of a data point.
func (w *writer) read(attributes pcommon.Map) {
	w.keys, w.values = w.keys[:0], w.values[:0]
	for key, value := range attributes.All() {
		w.keys = append(w.keys, key)
		if value.Type() == pcommon.ValueTypeStr {
			w.values = append(w.values, value.Str())
		} else {
			w.values = append(w.values, value.AsString())
		}
	}
}

// find returns the labels of the data point, and which series has them: 1 + the position among the former ones, -1 - the position among
// those of this payload, or 0. It tries the series after the one of the last data point first: most payloads have the series of the
// payload before.
func (w *writer) find() (labels []byte, id int32, err error) {
	schema := w.schema()
	if schema.err != nil {
		return nil, 0, schema.err
	}
	if w.next < len(w.m.series) {
		labels = w.m.series[w.next].labels(w.m.text)
		if schema.matches(labels, w.values) {
			w.next++
			return labels, int32(w.next), nil //nolint:gosec // as many series as there are lines in memory
		}
	}
	if w.labels, err = schema.append(w.labels[:0], w.values); err != nil {
		return nil, 0, err
	}
	if !w.indexed {
		w.buildIndex()
	}
	w.slot = w.index.find(w.labels, w.labelsOf)
	if *w.slot > 0 {
		w.next = int(*w.slot)
	}
	return w.labels, *w.slot, nil
}

// latest looks the last state of a series up, and reports whether it comes from this payload.
func (w *writer) latest(id int32) (fresh bool) {
	position := -1 - id
	if id > 0 {
		if w.taken[id-1] == 0 {
			w.previous, w.previousText = &w.m.series[id-1], w.m.text
			return false
		}
		position = w.taken[id-1] - 1
	}
	if position < 0 || w.series[position].dead {
		w.previous = nil
		return false
	}
	w.previous, w.previousText = &w.series[position], w.text
	return true
}

// compare looks for signs that the series has another writer.
func (w *writer) compare(start pcommon.Timestamp) {
	if w.previous.source != w.source || !w.replace && start != 0 && start < w.previous.start {
		w.store.compareSources(w.m.target, w.source, w.previous.source, start, w.previous.start)
	}
}

// put notes the lines that were rendered last as those of the series.
func (w *writer) put(id int32, r series) {
	w.remove(id)
	w.series = append(w.series, r)
	position := int32(len(w.series)) //nolint:gosec // as in find
	if id > 0 {
		w.taken[id-1] = position
	} else {
		*w.slot = -position
	}
}

// remove ends a series.
func (w *writer) remove(id int32) {
	position := -1 - id
	if id > 0 {
		position, w.taken[id-1] = w.taken[id-1]-1, -1
	}
	if position >= 0 && !w.series[position].dead {
		w.series[position].dead = true
		w.dead++
	}
}

// finish gives the lines to the metric, followed by those of former series that are neither replaced nor gone.
func (w *writer) finish() {
	m, start := w.m, 0
	m.oldest = w.now
	for i, r := range m.series {
		if w.taken[i] == 0 && !w.replace {
			shift := len(w.text) - start
			w.text = append(w.text, m.text[start:r.end]...)
			m.oldest = min(m.oldest, r.updated)
			start = r.end
			r.at += shift
			r.end += shift
			w.series = append(w.series, r)
		} else {
			start = r.end
		}
	}
	if w.dead > 0 {
		w.text, w.series = retain(w.text, w.series, func(r *series) bool { return !r.dead })
	}
	m.text = refill(m.text, w.text, w.store.readers == 0)
	m.series = refill(m.series, w.series, w.store.readers == 0)
}

// schema returns the schema for the attributes of the data point.
func (w *writer) schema() *schema {
	for i, schema := range w.m.schemas {
		if slices.Equal(schema.keys, w.keys) {
			w.m.schemas[0], w.m.schemas[i] = schema, w.m.schemas[0]
			return schema
		}
	}
	const enough = 64
	if len(w.m.schemas) == enough {
		w.m.schemas = w.m.schemas[:enough/2]
	}
	created := w.store.newSchema(w.keys, w.common, w.m.family.kind)
	w.m.family.quoted = w.m.family.quoted || created.quoted
	w.m.schemas = append(w.m.schemas, created)
	return created
}

// retain removes all series but those to keep, in place.
func retain(text []byte, list []series, keep func(*series) bool) ([]byte, []series) {
	kept, start, end := list[:0], 0, 0
	for _, r := range list {
		next := r.end
		if keep(&r) {
			r.at += end - start
			r.end = end + copy(text[end:], text[start:next])
			end = r.end
			kept = append(kept, r)
		}
		start = next
	}
	return text[:end], kept
}

// refill returns a copy of fresh. It overwrites old if it may, and if that wastes little memory.
func refill[T any](old, fresh []T, overwrite bool) []T {
	if !overwrite || cap(old) < len(fresh) || cap(old) > 2*len(fresh) {
		old = make([]T, 0, len(fresh)+len(fresh)/32)
	}
	return append(old[:0], fresh...)
}

// index finds series by their labels. It is a hash table with open addressing, which is used again for every metric.
type index struct {
	slots []int32 // what find in writer returns
	size  int     // how many series there will be at most
}

var seed = maphash.MakeSeed()

func (x *index) reset() {
	const sparse = 2
	length := 1 << bits.Len(uint(sparse*x.size))
	x.slots = slices.Grow(x.slots[:0], length)[:length]
	clear(x.slots)
}

// find returns the slot of the series with the labels, or the free one where it belongs.
func (x *index) find(labels []byte, labelsOf func(int32) []byte) *int32 {
	mask := uint64(len(x.slots) - 1) //nolint:gosec // reset makes at least one
	for i := maphash.Bytes(seed, labels) & mask; ; i = (i + 1) & mask {
		if slot := &x.slots[i]; *slot == 0 || bytes.Equal(labelsOf(*slot), labels) {
			return slot
		}
	}
}

// buildIndex fills the index with the former series.
func (w *writer) buildIndex() {
	w.indexed = true
	w.index.reset()
	for i := range w.m.series {
		*w.index.find(w.m.series[i].labels(w.m.text), w.labelsOf) = int32(i + 1)
	}
}

// labelsOf returns the labels of a series by the number that find has for it.
func (w *writer) labelsOf(id int32) []byte {
	if id > 0 {
		return w.m.series[id-1].labels(w.m.text)
	}
	return w.series[-1-id].labels(w.text)
}
