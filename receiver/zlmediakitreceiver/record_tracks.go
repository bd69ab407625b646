// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// trackState holds the state of a track between two lists.
type trackState struct {
	trackID
	frames    int64     // -1 if unknown
	restarted timestamp // time of the last list before frames decreased; 0 if they never did
}

// trackSum is a counter of a track that starts with the registration of its stream, which is known only at the end of the list.
type trackSum struct {
	point  *rows.Point[*generated, *trackID]
	stream *stream
	track  *trackState
	n      int64
}

// mediaKinds are the kinds of tracks by codec_type.
var mediaKinds = [2]mediaKind{
	codecTypeVideo: metadata.AttributeZlmediakitMediaKindVideo,
	codecTypeAudio: metadata.AttributeZlmediakitMediaKindAudio,
}

// recordTracks records the tracks of a stream, and keeps their sums until the end of the list.
func (l *listRecorder) recordTracks(st *stream, m *mediaSource) {
	var count [2]int64 // by codec_type
	m.EachTrack(func(t *track) {
		if codecType, ok := t.Type.Get(); ok && (codecType == codecTypeVideo || codecType == codecTypeAudio) {
			l.recordTrack(st, st.track(codecType, count[codecType]), t)
			count[codecType]++
		}
	})
}

func (l *listRecorder) recordTrack(st *stream, known *trackState, t *track) {
	known.codec = l.codec(t.Codec)
	st.observeFrames(known, t)
	for i := range trackSums {
		if n, ok := trackSums[i].value(t).Get(); ok {
			l.trackSums = append(l.trackSums, trackSum{&trackSums[i].Point, st, known, n})
		}
	}
	recordRows(trackRows, l.mb, t, &known.trackID)
	if fps, ok := t.FPS.Get(); ok {
		trackFrameRate.RecordFloat(l.mb, fps, &known.trackID)
	}
}

// track returns the state of a track, by its codec_type and its index among the tracks of that type.
func (st *stream) track(codecType, index int64) *trackState {
	known := &st.tracks[codecType]
	for n := int64(len(*known)); n <= index; n++ {
		*known = append(*known, &trackState{trackID: trackID{streamName: st.streamName, index: n, kind: mediaKinds[codecType]}, frames: -1})
	}
	return (*known)[index]
}

// observeFrames compares the frames of a track with those of the last list.
func (st *stream) observeFrames(known *trackState, t *track) {
	frames, ok := t.Frames.Get()
	if !ok {
		return
	}
	st.hasFrames = true
	st.framesGrew = st.framesGrew || known.frames >= 0 && frames > known.frames
	if frames < known.frames {
		known.restarted = st.seen
	}
	known.frames = frames
}

// recordTrackSums records the sums of tracks, once all registrations in the list are known.
func (l *listRecorder) recordTrackSums() {
	for _, item := range l.items.Items() {
		item.Value.latchStart(l.now)
	}
	for _, s := range l.trackSums {
		s.point.RecordSince(l.mb, max(s.stream.start, s.track.restarted), s.n, &s.track.trackID)
	}
}

// registeredAnew is how much later the earliest registration of a stream must be to count as a new one.
const registeredAnew = 5 * time.Second

// latchStart sets the start of a stream, which changes only if the stream is registered again.
func (st *stream) latchStart(now timestamp) {
	switch {
	case st.earliest == 0 && st.start == 0:
		st.start = st.firstSeen
	case st.earliest != 0 && (st.start == 0 || st.earliest > st.start+timestamp(registeredAnew)):
		st.start = st.earliest
	}
	st.seen = now
}

// maxCodecs bounds the codec names that are kept; the server has about 20.
const maxCodecs = 100

// codec returns the attribute for a codec name of the server.
func (s *streams) codec(name []byte) string {
	codec, known := s.codecs[string(name)]
	if !known {
		codec = strings.ToLower(selection.Name(name))
		if len(s.codecs) < maxCodecs {
			s.codecs[string(name)] = codec
		}
	}
	return codec
}
