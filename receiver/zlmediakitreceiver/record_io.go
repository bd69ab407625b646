// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"math"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
)

// ioSums holds the bytes that all streams have received and sent since the first complete list. The sums never decrease. What a stream
// moves between the last list and its end is lost.
type ioSums struct {
	start    timestamp // the first complete list; 0 before
	known    bool      // the server reports bytes
	received map[originType]int64
	sent     [schemaOther + 1]int64
}

// sourceState holds the state of a stream in one schema.
type sourceState struct {
	bytes, registered, readers int64 // totalBytes, createStamp and readerCount of the last list that had the schema
	counted                    bool  // growth can be derived from them

	// Since the last list, from the current one.
	growth int64 // of bytes
	sent   int64 // bytes sent to readers
}

// observeGrowth computes the growth of the bytes of a source. It must be called before observe, which replaces the bytes of the last list.
// A source that was registered since then has grown from 0.
func (l *listRecorder) observeGrowth(st *stream, m *mediaSource, schema int) {
	s := &st.sources[schema]
	s.growth, s.sent = 0, 0
	total, ok := m.TotalBytes.Get()
	if !ok {
		return
	}
	registered, ok := m.CreateStamp.Get()
	anew := ok && s.registered != 0 && registered != s.registered || total < s.bytes
	switch known := s.counted && st.before.has(schema); {
	case known && !anew:
		s.growth = total - s.bytes
	case known, st.before == 0 && l.isNew(m):
		s.growth = total
	}
	readers, _ := m.Readers.Get()
	l.grow(&s.sent, s.growth, min(readers, s.readers))
	s.registered, s.readers, s.counted = registered, readers, true
}

// isNew reports whether a source was registered after the last complete list.
func (l *listRecorder) isNew(m *mediaSource) bool {
	age, known := m.AliveSeconds.Get()
	return known && l.lastList != 0 && float64(age) <= secondsBetween(l.lastList, l.now)
}

// grow adds n times bytes to a sum. A number that would overflow it is refused.
func (l *listRecorder) grow(sum *int64, bytes, n int64) {
	if n > 0 && bytes > math.MaxInt64/n {
		l.mb.Refuse(1)
		return
	}
	total, ok := cumulative.Add(*sum, bytes*n)
	if !ok {
		l.mb.Refuse(1)
		return
	}
	*sum = total
}

// addGrowth adds the growth of all streams in a list to the sums. It omits streams with the same name, which cannot be distinguished.
func (l *listRecorder) addGrowth() {
	for _, item := range l.items.Items() {
		st := &item.Value
		if st.repeated != 0 {
			for i := range st.sources {
				st.sources[i].counted = false
			}
			continue
		}
		l.addGrowthOf(st)
	}
}

func (l *listRecorder) addGrowthOf(st *stream) {
	measured := st.listed & st.hasBytes
	if measured == 0 {
		return
	}
	l.io.known = true
	sum := l.io.received[st.origin]
	if l.io.start != 0 {
		l.grow(&sum, st.received(), 1)
	}
	l.io.received[st.origin] = sum
	for schema := range st.sources {
		if l.io.start != 0 && measured.has(schema) && l.reported.has(schema) {
			l.grow(&l.io.sent[schema], st.sources[schema].sent, 1)
		}
	}
}

// received returns the bytes that a stream has received since the last list, in the schema that represents its input. Another schema
// takes its place only if it stands still while the other one flows: the native schema or, if that stands still too, the fastest.
func (st *stream) received() int64 {
	if st.growthIn(st.inputSchema) > 0 {
		return st.growthIn(st.inputSchema)
	}
	fastest := st.native
	for schema := range st.sources {
		if st.growthIn(st.native) == 0 && st.growthIn(schema) > st.growthIn(fastest) {
			fastest = schema
		}
	}
	if st.growthIn(fastest) > 0 {
		st.inputSchema = fastest
	}
	return st.growthIn(fastest)
}

// growthIn returns the growth of the bytes in a schema, which is 0 if the list does not have it.
func (st *stream) growthIn(schema int) int64 {
	if !st.listed.has(schema) {
		return 0
	}
	return st.sources[schema].growth
}

// recordIO records the sums after a complete list.
func (l *listRecorder) recordIO() {
	if l.io.start == 0 {
		l.io.start = l.now
	}
	for origin, bytes := range l.io.received {
		ingestIO.RecordSince(l.mb, l.io.start, bytes, origin)
	}
	for schema, bytes := range l.io.sent {
		if l.io.known && l.reported.has(schema) && (schema != schemaOther || bytes > 0) {
			egressIO.RecordSince(l.mb, l.io.start, bytes, schemaAttributes[schema])
		}
	}
}
