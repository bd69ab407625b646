// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"maps"
	"slices"

	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// state says whether media flows in a stream and, if not, why.
type state int

const (
	stateUnjudged   state = iota // not judged by any list yet
	stateFlowing                 // a sign of life since the last list
	stateSourceGone              // no sign, and the pull proxy of the stream has failed or was shut down
	stateStalled                 // no sign, although at least one schema should flow
	stateIdle                    // no sign, but all schemas are on demand and have no readers
	stateUnknown                 // the server does not report enough
)

// streamStates are the values of stream.state. A stream that no list could judge is unknown.
var streamStates = map[state]streamState{
	stateUnjudged:   metadata.AttributeZlmediakitStreamStateUnknown,
	stateFlowing:    metadata.AttributeZlmediakitStreamStateFlowing,
	stateSourceGone: metadata.AttributeZlmediakitStreamStateSourceGone,
	stateStalled:    metadata.AttributeZlmediakitStreamStateStalled,
	stateIdle:       metadata.AttributeZlmediakitStreamStateIdle,
	stateUnknown:    metadata.AttributeZlmediakitStreamStateUnknown,
}

// allStreamStates are the states that have data points.
var allStreamStates = slices.Sorted(maps.Values(metadata.MapAttributeZlmediakitStreamState))

// alive returns the value of stream.alive and whether the state has one.
func (s state) alive() (value int64, known bool) {
	switch s {
	case stateFlowing:
		return 1, true
	case stateSourceGone, stateStalled:
		return 0, true
	}
	return 0, false
}

// judge returns the state of a stream after a complete list, and notes when the list showed media.
//
// Only schemas that were in the last list show whether media has flowed since: in others, bytesSpeed is an average since the last
// request, which may be long ago. If only those show a sign of life, the stream keeps its state until the next list.
func (l *listRecorder) judge(st *stream, name string) state {
	fresh := st.before
	if fresh == 0 {
		fresh = allSchemas
	}
	unlisted := l.direct(st) &^ st.listed // media may flow there while no other schema is muxed
	hidden := !l.full && (unlisted != 0 || st.readers > 0 && !st.hasFrames)
	switch {
	case st.framesGrew || st.signs&fresh != 0:
		st.lastMedia = l.now
		return stateFlowing
	case l.proxies.gone[name]:
		return stateSourceGone
	case l.flowing(st)&st.listed&fresh != 0:
		return stateStalled
	case st.signs != 0:
		return st.state
	case hidden && l.listing.auto:
		l.doubt = true
		return st.state
	case hidden || !st.hasSpeed && !st.hasFrames:
		return stateUnknown
	case st.readers > 0:
		return stateStalled
	case !l.config.known:
		return stateUnknown
	}
	return stateIdle
}

// direct returns the schema that the origin of a stream feeds without a muxer, even if it is on demand.
func (s *streams) direct(st *stream) schemaSet {
	return s.config.value.Direct & (1 << st.native)
}

// flowing returns the schemas in which media flows whenever the stream receives any, even without readers.
func (s *streams) flowing(st *stream) schemaSet {
	if !s.config.known {
		return 0
	}
	return allSchemas&^(s.config.value.OnDemand|1<<schemaOther) | s.direct(st)
}
