// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
)

// The calls that the client makes, all below /index/api/ (server/WebApi.cpp). None of them changes the server.
const (
	apiVersion         = "version"
	apiNetworkThreads  = "getThreadsLoad"
	apiWorkThreads     = "getWorkThreadsLoad"
	apiObjects         = "getStatistic"
	apiSessions        = "getAllSession"
	apiMediaList       = "getMediaList"
	apiPath            = "/index/api/"
	codeAuthentication = -100

	// Bounds on what an answer may list, far above what a server can have.
	maxThreads = 4096
	maxSources = 200_000
)

// version is what the server says of its build. There are no release numbers.
type version struct {
	Branch, Commit, BuildTime string
}

// thread is one event loop of the server.
type thread struct {
	Name  string                // since 2025-08, before that its number
	Load  optional.Value[int64] // percent of the last two seconds in which it was busy
	Delay optional.Value[int64] // milliseconds until it took up a task
	FDs   optional.Value[int64] // file descriptors it watches, since 2025-08
}

// session is an incoming connection.
type session struct {
	TypeID    []byte // C++ class, such as mediakit::HttpSession
	Transport []byte // tcp or udp, since 2026-01
	PeerIP    []byte
	PeerPort  optional.Value[int64]
}

// mediaSource is one stream in one schema.
type mediaSource struct {
	Vhost, App, Stream []byte
	Schema             []byte
	OriginType         []byte
	OriginURL          []byte                // may hold credentials
	CreateStamp        optional.Value[int64] // Unix time of its registration
	AliveSeconds       optional.Value[int64]
	BytesSpeed         optional.Value[int64] // bytes per second of this schema since the last read by anybody
	TotalBytes         optional.Value[int64] // of this schema since its registration, since 2025-05
	Readers            optional.Value[int64] // of this schema
	TotalReaders       optional.Value[int64] // of all schemas of the stream
	RecordingMP4       optional.Value[bool]
	RecordingHLS       optional.Value[bool]

	reader *jsonwalk.Reader
	tracks []byte // not decoded yet: it is needed for one of a stream's schemas only
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
	Frames      optional.Value[int64] // received so far
	FPS         optional.Value[float64]
	GOPInterval optional.Value[int64] // milliseconds
}

// client speaks the HTTP API of a MediaServer: it knows the wire, not what becomes of it.
type client struct {
	http    *httpapi.Client
	header  http.Header
	list    *jsonwalk.Reader // of the media list, which is read by one call at a time
	readers sync.Pool        // of *jsonwalk.Reader, for all other calls

	own   ownConnections
	isOwn func(*session) bool // tests of captured sessions, which may bear any port, replace it

	mu    sync.Mutex
	build string // the Server header of the last answer
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	httpClient, err := cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	c := &client{
		http:    httpapi.New(httpClient, cfg.ClientConfig.Endpoint),
		header:  http.Header{},
		list:    jsonwalk.NewReader(),
		readers: sync.Pool{New: func() any { return jsonwalk.NewReader() }},
		own:     ownConnections{used: map[string]time.Time{}},
	}
	c.isOwn = c.own.has
	if cfg.Secret != "" {
		c.header.Set("secret", string(cfg.Secret))
	}
	return c, nil
}

func (c *client) close() {
	c.http.CloseIdle()
}

// Build returns the Server header of the last answer, which changes when the server is exchanged; empty before the first answer.
func (c *client) Build() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.build
}

// Version asks for the build of the server.
func (c *client) Version(ctx context.Context) (version, error) {
	var v version
	fields := map[string]*string{"branchName": &v.Branch, "commitHash": &v.Commit, "buildTime": &v.BuildTime}
	err := c.data(ctx, apiVersion, func(r *jsonwalk.Reader) error {
		return r.Object(func(key []byte) error {
			field := fields[string(key)]
			if field == nil {
				return r.Skip()
			}
			text, err := r.Str(nil)
			*field = string(text)
			return err
		})
	})
	return v, err
}

// serverHeader is the form of the Server header: hash, time of the commit, branch, build time.
var serverHeader = regexp.MustCompile(`^ZLMediaKit\(git hash:([^/,)]*)[^,]*,branch:([^,)]*),build time:([^,)]*)\)`)

// versionOf reads the build off a Server header, as Version tells it.
func versionOf(build string) version {
	if m := serverHeader.FindStringSubmatch(build); m != nil {
		return version{Commit: m[1], Branch: m[2], BuildTime: m[3]}
	}
	return version{}
}

// Threads asks for the event loops of one pool. The server answers only once each of them has run a task:
// no answer in time means that one is stuck.
func (c *client) Threads(ctx context.Context, api string) ([]thread, error) {
	var threads []thread
	err := c.data(ctx, api, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error {
			if len(threads) == maxThreads {
				return &jsonwalk.SizeError{What: fmt.Sprintf("more than %d threads", maxThreads)}
			}
			t := thread{Name: strconv.Itoa(len(threads))}
			err := r.Object(func(key []byte) error {
				switch string(key) {
				case "name":
					name, err := r.Str(nil)
					t.Name = string(name)
					return err
				case "load":
					return r.Int(&t.Load)
				case "delay":
					return r.Int(&t.Delay)
				case "fd_count":
					return r.Int(&t.FDs)
				}
				return r.Skip()
			})
			threads = append(threads, t)
			return err
		})
	})
	return threads, err
}

// Objects asks for the number of live C++ objects of the classes that known tells.
func (c *client) Objects(ctx context.Context, known func(class string) bool) (map[string]int64, error) {
	objects := map[string]int64{}
	err := c.data(ctx, apiObjects, func(r *jsonwalk.Reader) error {
		return r.Object(func(key []byte) error {
			class := string(key)
			if !known(class) {
				return r.Skip()
			}
			var n optional.Value[int64]
			err := r.Int(&n)
			if n, ok := n.Get(); ok {
				objects[class] = n
			}
			return err
		})
	})
	return objects, err
}

// EachSession walks over the incoming connections, our own left out. The session is valid only inside f.
func (c *client) EachSession(ctx context.Context, f func(*session)) error {
	var s session
	return c.data(ctx, apiSessions, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error {
			if err := s.read(r); err != nil {
				return err
			}
			if !c.isOwn(&s) {
				f(&s)
			}
			return nil
		})
	})
}

func (s *session) read(r *jsonwalk.Reader) error {
	*s = session{TypeID: s.TypeID[:0], Transport: s.Transport[:0], PeerIP: s.PeerIP[:0]}
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "typeid":
			s.TypeID, err = r.Str(s.TypeID)
		case "type":
			s.Transport, err = r.Str(s.Transport)
		case "peer_ip":
			s.PeerIP, err = r.Str(s.PeerIP)
		case "peer_port":
			err = r.Int(&s.PeerPort)
		default:
			err = r.Skip()
		}
		return err
	})
}

// EachMediaSource walks over the media list: of one schema, or of all when schema is empty. The source is valid only inside f.
// The list stops one of the server's event loops for 35 ms per 1,000 sources or so.
func (c *client) EachMediaSource(ctx context.Context, schema string, f func(*mediaSource)) error {
	query := url.Values{}
	if schema != "" {
		query.Set("schema", schema)
	}
	var m mediaSource
	n := 0
	return c.call(ctx, c.list, apiMediaList, query, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error {
			if n++; n > maxSources {
				return &jsonwalk.SizeError{What: fmt.Sprintf("more than %d media sources", maxSources)}
			}
			if err := m.read(r); err != nil {
				return err
			}
			if len(m.App) > 0 && len(m.Stream) > 0 { // else it is no stream
				f(&m)
			}
			return nil
		})
	})
}

func (m *mediaSource) read(r *jsonwalk.Reader) error {
	*m = mediaSource{
		Vhost: m.Vhost[:0], App: m.App[:0], Stream: m.Stream[:0], Schema: m.Schema[:0],
		OriginType: m.OriginType[:0], OriginURL: m.OriginURL[:0],
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
		case "createStamp":
			err = r.Int(&m.CreateStamp)
		case "aliveSecond":
			err = r.Int(&m.AliveSeconds)
		case "bytesSpeed":
			err = r.Int(&m.BytesSpeed)
		case "totalBytes":
			err = r.Int(&m.TotalBytes)
		case "readerCount":
			err = r.Int(&m.Readers)
		case "totalReaderCount":
			err = r.Int(&m.TotalReaders)
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

// EachTrack walks over the tracks of a source. The track is valid only inside f.
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
		case "codec_type":
			err = r.Int(&t.Type)
		case "codec_id_name":
			t.Codec, err = r.Str(t.Codec)
		case "frames":
			err = r.Int(&t.Frames)
		case "fps":
			err = r.Float(&t.FPS)
		case "gop_interval_ms":
			err = r.Int(&t.GOPInterval)
		default:
			err = r.Skip()
		}
		return err
	})
}

// data makes a call without arguments.
func (c *client) data(ctx context.Context, api string, data func(*jsonwalk.Reader) error) error {
	r := c.readers.Get().(*jsonwalk.Reader)
	defer c.readers.Put(r)
	return c.call(ctx, r, api, nil, data)
}

// call asks one API and hands the member data of its answer to data. An empty list comes without that member.
func (c *client) call(ctx context.Context, r *jsonwalk.Reader, api string, query url.Values, data func(*jsonwalk.Reader) error) error {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: c.own.add})
	return c.http.Get(ctx, apiPath+api, query, c.header, func(header http.Header, body io.Reader) error {
		c.mu.Lock()
		c.build = header.Get("Server")
		c.mu.Unlock()
		r.Reset(body)
		var code optional.Value[int64]
		var msg []byte
		err := r.Object(func(key []byte) (err error) {
			switch string(key) {
			case "code":
				err = r.Int(&code)
			case "msg":
				msg, err = r.Str(msg)
			case "data":
				err = data(r)
			default:
				err = r.Skip()
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := codeError(code, msg); err != nil {
			return err
		}
		return typeError(r.Err())
	})
}

// codeError is the server's own error: HTTP status 200 with a negative code.
func codeError(code optional.Value[int64], msg []byte) error {
	n, ok := code.Get()
	switch {
	case !ok:
		return errors.New("no member code")
	case n == codeAuthentication:
		return &httpapi.Error{
			Kind: httpapi.KindAuth, Text: fmt.Sprintf("code %d %.200q", n, msg),
			Hint: "check the setting secret against api.secret, and this machine's address against http.allow_ip_range, in the server's config.ini",
		}
	case n < 0:
		return &httpapi.Error{Kind: httpapi.KindCode, Text: fmt.Sprintf("code %d %.200q", n, msg)}
	}
	return nil
}

// typeError makes a spoilt answer a failed one where nothing is left of it.
func typeError(err error) error {
	var wrong *jsonwalk.TypeError
	if errors.As(err, &wrong) && slices.Contains(wrong.Members, "data") {
		return errors.New("the member data is of a wrong type")
	}
	return err
}

// ownConnections knows the addresses of our connections, each with the time of its last use.
type ownConnections struct {
	mu   sync.Mutex
	used map[string]time.Time
}

// add remembers a connection that we use, and forgets those that the server has long closed.
func (o *ownConnections) add(info httptrace.GotConnInfo) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(o.used, func(_ string, used time.Time) bool { return now.Sub(used) > time.Minute })
	o.used[info.Conn.LocalAddr().String()] = now
}

// has reports whether a session is one of our connections. Behind address translation it cannot be told.
func (o *ownConnections) has(s *session) bool {
	port, ok := s.PeerPort.Get()
	if !ok {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, own := o.used[net.JoinHostPort(string(s.PeerIP), strconv.FormatInt(port, 10))]
	return own
}
