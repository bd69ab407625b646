// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"bytes"
	"context"
	"net/url"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
)

// The schemas of media sources; schemaOther stands for unknown ones.
const (
	schemaRTSP = iota
	schemaRTMP
	schemaTS
	schemaFMP4
	schemaHLS
	schemaHLSFMP4
	schemaOther
)

// schemaNames are the names of the schemas in the API and in the configuration.
var schemaNames = []string{"rtsp", "rtmp", "ts", "fmp4", "hls", "hls.fmp4"}

// schemaIndex returns the index of a schema in schemaNames, or schemaOther if it is unknown.
func schemaIndex(name []byte) int {
	for i, known := range schemaNames {
		if string(name) == known {
			return i
		}
	}
	return schemaOther
}

// schemaSet is a set of schemas, one bit each.
type schemaSet uint8

const allSchemas schemaSet = 1<<(schemaOther+1) - 1

func (s schemaSet) has(i int) bool { return s&(1<<i) != 0 }

// mediaSource is one stream in one schema.
type mediaSource struct {
	Vhost, App, Stream []byte
	Schema             []byte
	OriginType         []byte
	OriginURL          []byte                // may contain credentials; StrippedURL removes them
	OriginIP           []byte                // peer address of the origin; empty for files
	CreateStamp        optional.Value[int64] // Unix time of its registration
	AliveSeconds       optional.Value[int64]
	BytesSpeed         optional.Value[int64] // bytes per second of this schema since the last request from any client
	TotalBytes         optional.Value[int64] // of this schema since its registration, since 2025-05
	Readers            optional.Value[int64] // of this schema
	TotalReaders       optional.Value[int64] // of all schemas of the stream
	RecordingMP4       optional.Value[bool]
	RecordingHLS       optional.Value[bool]

	reader *jsonwalk.Reader
	tracks []byte // not decoded, because only one schema of each stream needs it
	track  track
}

// The values of codec_type.
const (
	codecTypeVideo = 0
	codecTypeAudio = 1
)

// track is one audio or video track of a stream.
type track struct {
	Type        optional.Value[int64] // codec_type
	Codec       []byte                // codec_id_name, such as H264 or mpeg4-generic
	Ready       optional.Value[bool]  // whether its parameters are known
	Frames      optional.Value[int64] // received so far
	Duration    optional.Value[int64] // milliseconds of media so far
	KeyFrames   optional.Value[int64] // this and the following: video
	FPS         optional.Value[float64]
	GOPSize     optional.Value[int64] // frames
	GOPInterval optional.Value[int64] // milliseconds
	Width       optional.Value[int64]
	Height      optional.Value[int64]
	SampleRate  optional.Value[int64] // this and the following: audio
	Channels    optional.Value[int64]
	SampleBits  optional.Value[int64]
	Loss        optional.Value[float64] // unit and window depend on the origin; -1 if unknown
}

// rtpSenders describes the RTP senders of one stream.
type rtpSenders struct {
	Count      int64
	BytesSpeed optional.Value[int64] // bytes per second of the last sender in the list only
	TotalBytes optional.Value[int64] // of the last sender in the list only
}

// EachMediaSource calls f for each source of one schema, or of all schemas if schema is empty. The source is valid only inside f.
// The request blocks one of the server's event loops for about 35 ms per 1,000 sources.
func (c *client) EachMediaSource(ctx context.Context, schema string, f func(*mediaSource)) error {
	query := url.Values{}
	if schema != "" {
		query.Set("schema", schema)
	}
	var m mediaSource
	n := 0
	return c.call(ctx, c.list, apiMediaList, query, func(key []byte) error {
		if string(key) != "data" {
			return c.list.Skip()
		}
		return c.list.Objects(func() error {
			if n++; n > maxSources {
				return jsonwalk.TooMany("media sources", maxSources)
			}
			if err := m.read(c.list); err != nil {
				return err
			}
			if len(m.App) > 0 && len(m.Stream) > 0 { // otherwise it is not a stream
				f(&m)
			}
			return nil
		})
	})
}

func (m *mediaSource) read(r *jsonwalk.Reader) error {
	*m = mediaSource{
		Vhost: m.Vhost[:0], App: m.App[:0], Stream: m.Stream[:0], Schema: m.Schema[:0],
		OriginType: m.OriginType[:0], OriginURL: m.OriginURL[:0], OriginIP: m.OriginIP[:0],
		reader: r, track: m.track,
	}
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "vhost":
			m.Vhost, err = r.Str(m.Vhost)
		case "app":
			m.App, err = r.Str(m.App)
		case "stream":
			m.Stream, err = r.Str(m.Stream)
		case "schema":
			m.Schema, err = r.Str(m.Schema)
		case "originTypeStr":
			m.OriginType, err = r.Str(m.OriginType)
		case "originUrl":
			m.OriginURL, err = r.Str(m.OriginURL)
		case "originSock":
			err = r.Object(func(key []byte) (err error) {
				if string(key) != "peer_ip" {
					return r.Skip()
				}
				m.OriginIP, err = r.Str(m.OriginIP)
				return err
			})
		case "createStamp":
			err = readCount(r, &m.CreateStamp)
		case "aliveSecond":
			err = readCount(r, &m.AliveSeconds)
		case "bytesSpeed":
			err = readCount(r, &m.BytesSpeed)
		case "totalBytes":
			err = readCount(r, &m.TotalBytes)
		case "readerCount":
			err = readCount(r, &m.Readers)
		case "totalReaderCount":
			err = readCount(r, &m.TotalReaders)
		case "isRecordingMP4":
			err = r.Bool(&m.RecordingMP4)
		case "isRecordingHLS":
			err = r.Bool(&m.RecordingHLS)
		case "tracks":
			m.tracks, err = r.Raw()
		default:
			err = r.Skip()
		}
		return err
	})
}

// Take returns the source with its memory, so that it stays valid.
func (m *mediaSource) Take() mediaSource {
	taken := *m
	taken.tracks = bytes.Clone(m.tracks)
	*m = mediaSource{}
	return taken
}

// StrippedURL returns the URL of the origin without credentials and query.
func (m *mediaSource) StrippedURL() string { return httpapi.StripURL(string(m.OriginURL)) }

// EachTrack calls f for each track of a source. The track is valid only inside f.
func (m *mediaSource) EachTrack(f func(*track)) {
	if m.tracks == nil {
		return
	}
	m.reader.Reread(m.tracks)
	_ = m.reader.Objects(func() error { // the syntax has been checked with the source
		if err := m.track.read(m.reader); err != nil {
			return err
		}
		f(&m.track)
		return nil
	})
}

func (t *track) read(r *jsonwalk.Reader) error {
	*t = track{Codec: t.Codec[:0]}
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "codec_id_name":
			t.Codec, err = r.Str(t.Codec)
		case "ready":
			err = r.Bool(&t.Ready)
		case "fps":
			err = r.Float(&t.FPS)
			if fps, _ := t.FPS.Get(); fps < 0 {
				t.FPS = optional.Value[float64]{}
				r.NoteWrong()
			}
		case "loss":
			err = r.Float(&t.Loss)
		default:
			field := t.number(key)
			if field == nil {
				return r.Skip()
			}
			err = readCount(r, field)
		}
		return err
	})
}

// number returns the integer field for a key, or nil if there is none.
func (t *track) number(key []byte) *optional.Value[int64] {
	switch string(key) {
	case "codec_type":
		return &t.Type
	case "frames":
		return &t.Frames
	case "duration":
		return &t.Duration
	case "key_frames":
		return &t.KeyFrames
	case "gop_size":
		return &t.GOPSize
	case "gop_interval_ms":
		return &t.GOPInterval
	case "width":
		return &t.Width
	case "height":
		return &t.Height
	case "sample_rate":
		return &t.SampleRate
	case "channels":
		return &t.Channels
	case "sample_bit":
		return &t.SampleBits
	}
	return nil
}

// VideoLoss requests the packet loss of a stream's video track. Its unit depends on the stream's origin.
func (c *client) VideoLoss(ctx context.Context, vhost, app, stream, schema string) (optional.Value[float64], error) {
	var loss optional.Value[float64]
	var t track
	r := c.list
	query := url.Values{"vhost": {vhost}, "app": {app}, "stream": {stream}, "schema": {schema}}
	err := c.call(ctx, r, apiMediaInfo, query, func(key []byte) error {
		if string(key) != "tracks" {
			return r.Skip()
		}
		return r.Objects(func() error {
			err := t.read(r)
			if codecType, ok := t.Type.Get(); ok && codecType == codecTypeVideo {
				loss = t.Loss
			}
			return err
		})
	})
	return loss, err
}

// RTPSenders requests the RTP senders of a stream.
func (c *client) RTPSenders(ctx context.Context, vhost, app, stream string) (rtpSenders, error) {
	var senders rtpSenders
	r := c.list
	query := url.Values{"vhost": {vhost}, "app": {app}, "stream": {stream}}
	err := c.call(ctx, r, apiRTPSenders, query, func(key []byte) error {
		switch string(key) {
		case "data":
			return r.Array(func() error {
				senders.Count++
				return r.Skip()
			})
		case "bytesSpeed":
			return readCount(r, &senders.BytesSpeed)
		case "totalBytes":
			return readCount(r, &senders.TotalBytes)
		}
		return r.Skip()
	})
	return senders, err
}
