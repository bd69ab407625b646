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
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// APIs that the client calls, all below /index/api/ (server/WebApi.cpp). None of the calls changes the server.
const (
	apiVersion        = "version"
	apiList           = "getApiList"
	apiServerConfig   = "getServerConfig"
	apiNetworkThreads = "getThreadsLoad"
	apiWorkThreads    = "getWorkThreadsLoad"
	apiStatistic      = "getStatistic"
	apiSessions       = "getAllSession"
	apiPullProxies    = "listStreamProxy"
	apiPushProxies    = "listStreamPusherProxy"
	apiFFmpegSources  = "listFFmpegSource"
	apiRTPServers     = "listRtpServer"
	apiRooms          = "listWebrtcRooms"
	apiRoomKeepers    = "listWebrtcRoomKeepers"
	apiMediaList      = "getMediaList"
	apiMediaInfo      = "getMediaInfo"
	apiRTPSenders     = "listRtpSender"

	apiPath = "/index/api/"
)

// Error codes (server/WebApi.h).
const (
	codeAuthentication = -100
	codeNotFound       = -500
)

// Bounds on the lengths of lists in responses, far above what a real server sends.
const (
	maxAPIs     = 1000
	maxThreads  = 4096
	maxSessions = 1_000_000
	maxProxies  = 100_000
	maxSources  = 200_000
	maxPorts    = 65_536
)

// version describes the build of the server. There are no release numbers.
type version struct {
	Branch, Commit, BuildTime string
}

// thread is one event loop of the server.
type thread struct {
	Name  string                // since 2025-08; before that, the index
	Load  optional.Value[int64] // percentage of the last two seconds in which it was busy
	Delay optional.Value[int64] // milliseconds until it ran a task
	FDs   optional.Value[int64] // file descriptors it watches, since 2025-08
}

// statistic holds the number of live C++ objects by class, and the memory usage that builds with ENABLE_MEM_DEBUG report.
type statistic struct {
	Objects      map[string]int64
	Memory       optional.Value[int64] // bytes
	MemoryBlocks optional.Value[int64]
	Threads      []threadMemory
}

// threadMemory is the memory usage of one thread.
type threadMemory struct {
	Name  string
	Bytes optional.Value[int64]
}

// session is an incoming connection.
type session struct {
	ID                  []byte
	TypeID              []byte // C++ class, such as mediakit::HttpSession
	Transport           []byte // tcp or udp, since 2026-01
	LocalIP, PeerIP     []byte
	LocalPort, PeerPort optional.Value[int64]
}

// proxy is a stream that the server pulls from or pushes to another server.
type proxy struct {
	Key                string // identifies the proxy; the last part of a push proxy's key is a hash
	Vhost, App, Stream string // empty if the server does not report them
	Status             optional.Value[int64]
	StatusText         string                // since 2026-03, of pull proxies
	LiveSeconds        optional.Value[int64] // since it first worked
	Reconnections      optional.Value[int64]
	Readers            optional.Value[int64]
	BytesSpeed         optional.Value[int64] // bytes per second
	TotalBytes         optional.Value[int64] // since the first request for it, or since it connected
}

// rtpServer is a port that is open for RTP.
type rtpServer struct {
	Port          optional.Value[int64]
	Vhost, App    string // since 2024-07
	StreamID      string // truncated at the first slash
	SSRC, TCPMode optional.Value[int64]
}

// serverConfig holds the decoded part of the server's configuration, which also contains all secrets of the server.
type serverConfig struct {
	ServerID  string    // general.mediaServerId
	PortRange string    // rtp_proxy.port_range, such as 30000-35000
	OnDemand  schemaSet // protocol.*_demand: schemas that are muxed only while they have readers
	Direct    schemaSet // rtmp.directProxy, rtsp.directProxy: schemas that forward the packets of origins of the same protocol
}

// demandSettings and directSettings are the boolean settings in serverConfig. Servers without one behave as if it had its default
// value: nothing is on demand, and RTMP and RTSP are forwarded directly.
var (
	demandSettings = map[string]schemaSet{
		"protocol.rtsp_demand": 1 << schemaRTSP,
		"protocol.rtmp_demand": 1 << schemaRTMP,
		"protocol.ts_demand":   1 << schemaTS,
		"protocol.fmp4_demand": 1 << schemaFMP4,
		"protocol.hls_demand":  1<<schemaHLS | 1<<schemaHLSFMP4,
	}
	directSettings = map[string]schemaSet{
		"rtmp.directProxy": 1 << schemaRTMP,
		"rtsp.directProxy": 1 << schemaRTSP,
	}
)

// client calls the HTTP API of a MediaServer and decodes the responses.
type client struct {
	http    *httpapi.Client
	secret  *scrape.Credential
	list    *jsonwalk.Reader // for the media list, which is read by only one call at a time
	readers sync.Pool        // *jsonwalk.Reader for all other calls

	own   ownConnections
	isOwn func(*session) bool // replaced by tests of captured sessions, which may have any port

	mu    sync.Mutex
	build string // the Server header of the last response
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	secret, err := scrape.NewCredential("secret", cfg.Secret, cfg.SecretFile)
	if err != nil {
		return nil, err
	}
	httpClient, err := cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	c := &client{
		http:    httpapi.New(httpClient, cfg.ClientConfig.Endpoint),
		secret:  secret,
		list:    jsonwalk.NewReader(),
		readers: sync.Pool{New: func() any { return jsonwalk.NewReader() }},
		own:     ownConnections{used: map[string]time.Time{}},
	}
	c.http.System, c.http.MaxBody = httpapi.ZLMediaKit, cfg.MaxResponseSize
	c.isOwn = c.own.has
	return c, nil
}

func (c *client) close() {
	c.http.CloseIdle()
}

// Build returns the Server header of the last response, which changes when the server is replaced; empty before the first response.
func (c *client) Build() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.build
}

// Version requests the build of the server.
func (c *client) Version(ctx context.Context) (version, error) {
	var v version
	fields := map[string]*string{"branchName": &v.Branch, "commitHash": &v.Commit, "buildTime": &v.BuildTime}
	err := c.data(ctx, apiVersion, func(r *jsonwalk.Reader) error { return r.Texts(fields) })
	return v, err
}

// ServerConfig requests the server's configuration, of which it decodes only the fields of serverConfig.
func (c *client) ServerConfig(ctx context.Context) (serverConfig, error) {
	var cfg serverConfig
	fields := map[string]*string{"general.mediaServerId": &cfg.ServerID, "rtp_proxy.port_range": &cfg.PortRange}
	for _, settings := range []map[string]schemaSet{demandSettings, directSettings} {
		for name := range settings {
			fields[name] = new(string)
		}
	}
	err := c.data(ctx, apiServerConfig, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error { return r.Texts(fields) })
	})
	for name, schemas := range demandSettings {
		if on, err := strconv.ParseBool(*fields[name]); err == nil && on {
			cfg.OnDemand |= schemas
		}
	}
	for name, schemas := range directSettings {
		if on, err := strconv.ParseBool(*fields[name]); err != nil || on {
			cfg.Direct |= schemas
		}
	}
	return cfg, err
}

// readCount reads an integer that cannot be negative. Negative values are skipped.
func readCount(r *jsonwalk.Reader, n *optional.Value[int64]) error {
	err := r.Int(n)
	if value, _ := n.Get(); value < 0 {
		*n = optional.Value[int64]{}
		r.NoteWrong()
	}
	return err
}

// APIs requests the names of the APIs that the server offers. It returns nil if none can be read.
func (c *client) APIs(ctx context.Context) ([]string, error) {
	var apis []string
	n := 0
	err := c.data(ctx, apiList, func(r *jsonwalk.Reader) error {
		return r.Array(func() error {
			if n++; n > maxAPIs {
				return jsonwalk.TooMany("APIs", maxAPIs)
			}
			var path string
			err := r.Text(&path)
			name, ok := strings.CutPrefix(path, apiPath)
			if ok && utf8.ValidString(name) && !slices.Contains(apis, name) { // a list of broken names would disable all calls
				apis = append(apis, name)
			}
			return err
		})
	})
	return apis, err
}

// Count requests a list and returns its length.
func (c *client) Count(ctx context.Context, api string) (int64, error) {
	n := int64(0)
	err := c.data(ctx, api, func(r *jsonwalk.Reader) error {
		return r.Array(func() error {
			n++
			return r.Skip()
		})
	})
	return n, err
}

// serverHeader matches the Server header: hash and time of the commit, branch, build time.
var serverHeader = regexp.MustCompile(`^ZLMediaKit\(git hash:([^/,)]*)[^,]*,branch:([^,)]*),build time:([^,)]*)\)`)

// versionOf returns the version in a Server header, as Version reports it.
func versionOf(build string) version {
	if m := serverHeader.FindStringSubmatch(build); m != nil {
		return version{Commit: m[1], Branch: m[2], BuildTime: m[3]}
	}
	return version{}
}

// Threads requests the event loops of one pool. The server responds only after each of them has run a task:
// a timeout means that one is stuck.
func (c *client) Threads(ctx context.Context, api string) ([]thread, error) {
	var threads []thread
	err := c.data(ctx, api, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error {
			if len(threads) == maxThreads {
				return jsonwalk.TooMany("threads", maxThreads)
			}
			t := thread{Name: strconv.Itoa(len(threads))}
			err := r.Object(func(key []byte) error {
				switch string(key) {
				case "name":
					return r.Text(&t.Name)
				case "load":
					return readCount(r, &t.Load)
				case "delay":
					return readCount(r, &t.Delay)
				case "fd_count":
					return readCount(r, &t.FDs)
				}
				return r.Skip()
			})
			threads = append(threads, t)
			return err
		})
	})
	return threads, err
}

// Statistic requests the numbers of live C++ objects of the classes for which known returns true.
func (c *client) Statistic(ctx context.Context, known func(class string) bool) (statistic, error) {
	st := statistic{Objects: map[string]int64{}}
	err := c.data(ctx, apiStatistic, func(r *jsonwalk.Reader) error {
		return r.Object(func(key []byte) error {
			switch class := string(key); {
			case class == "totalMemUsage":
				return readCount(r, &st.Memory)
			case class == "totalMemBlock":
				return readCount(r, &st.MemoryBlocks)
			case class == "threadMem":
				return r.Objects(func() error { return st.readThread(r) })
			case known(class):
				var n optional.Value[int64]
				err := readCount(r, &n)
				if n, ok := n.Get(); ok {
					st.Objects[class] = n
				}
				return err
			}
			return r.Skip()
		})
	})
	return st, err
}

func (s *statistic) readThread(r *jsonwalk.Reader) error {
	if len(s.Threads) == maxThreads {
		return jsonwalk.TooMany("threads", maxThreads)
	}
	var t threadMemory
	err := r.Object(func(key []byte) error {
		switch string(key) {
		case "threadName":
			return r.Text(&t.Name)
		case "threadMemUsage":
			return readCount(r, &t.Bytes)
		}
		return r.Skip()
	})
	s.Threads = append(s.Threads, t)
	return err
}

// EachSession calls f for each incoming connection except the client's own. The session is valid only inside f.
func (c *client) EachSession(ctx context.Context, f func(*session)) error {
	var s session
	n := 0
	return c.data(ctx, apiSessions, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error {
			if n++; n > maxSessions {
				return jsonwalk.TooMany("sessions", maxSessions)
			}
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
	*s = session{ID: s.ID[:0], TypeID: s.TypeID[:0], Transport: s.Transport[:0], LocalIP: s.LocalIP[:0], PeerIP: s.PeerIP[:0]}
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			s.ID, err = r.Str(s.ID)
		case "typeid":
			s.TypeID, err = r.Str(s.TypeID)
		case "type":
			s.Transport, err = r.Str(s.Transport)
		case "local_ip":
			s.LocalIP, err = r.Str(s.LocalIP)
		case "local_port":
			err = r.Int(&s.LocalPort)
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

// Proxies requests the pull or push proxies. The server starts their byte counters on the first request from any client.
func (c *client) Proxies(ctx context.Context, api string) ([]proxy, error) {
	var proxies []proxy
	err := c.data(ctx, api, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error {
			if len(proxies) == maxProxies {
				return jsonwalk.TooMany("proxies", maxProxies)
			}
			var p proxy
			err := p.read(r)
			proxies = append(proxies, p)
			return err
		})
	})
	return proxies, err
}

func (p *proxy) read(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "key":
			return r.Text(&p.Key)
		case "src":
			return r.Texts(map[string]*string{"vhost": &p.Vhost, "app": &p.App, "stream": &p.Stream})
		case "status":
			return r.Int(&p.Status)
		case "status_str":
			return r.Text(&p.StatusText)
		case "liveSecs":
			return readCount(r, &p.LiveSeconds)
		case "rePullCount", "rePublishCount":
			return readCount(r, &p.Reconnections)
		case "totalReaderCount":
			return readCount(r, &p.Readers)
		case "bytesSpeed":
			return readCount(r, &p.BytesSpeed)
		case "totalBytes":
			return readCount(r, &p.TotalBytes)
		}
		return r.Skip()
	})
}

// RTPServers requests the ports that are open for RTP.
func (c *client) RTPServers(ctx context.Context) ([]rtpServer, error) {
	var servers []rtpServer
	err := c.data(ctx, apiRTPServers, func(r *jsonwalk.Reader) error {
		return r.Objects(func() error {
			if len(servers) == maxPorts {
				return jsonwalk.TooMany("RTP servers", maxPorts)
			}
			s := rtpServer{Vhost: "__defaultVhost__", App: "rtp"} // always used by servers that do not report them
			err := s.read(r)
			servers = append(servers, s)
			return err
		})
	})
	return servers, err
}

func (s *rtpServer) read(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "vhost":
			return r.Text(&s.Vhost)
		case "app":
			return r.Text(&s.App)
		case "stream_id":
			return r.Text(&s.StreamID)
		case "port":
			return r.Int(&s.Port)
		case "ssrc":
			return r.Int(&s.SSRC)
		case "tcp_mode":
			return r.Int(&s.TCPMode)
		}
		return r.Skip()
	})
}

// data makes a call without arguments and passes the member data of the response to data. An empty list is sent without that member.
func (c *client) data(ctx context.Context, api string, data func(*jsonwalk.Reader) error) error {
	r := c.readers.Get().(*jsonwalk.Reader)
	defer c.readers.Put(r)
	return c.call(ctx, r, api, nil, func(key []byte) error {
		if string(key) == "data" {
			return data(r)
		}
		return r.Skip()
	})
}

// call calls one API and passes all members of the response except code and msg to member.
func (c *client) call(ctx context.Context, r *jsonwalk.Reader, api string, query url.Values, member func(key []byte) error) error {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: c.own.add})
	request := http.Header{}
	if secret := c.secret.Text(); secret != "" {
		request.Set("secret", secret)
	}
	return c.http.Get(ctx, apiPath+api, query, request, func(header http.Header, body io.Reader) error {
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
			default:
				err = member(key)
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

// codeError returns the error of the API itself: HTTP status 200 with a negative code.
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
	case n == codeNotFound:
		return &httpapi.Error{Kind: httpapi.KindCode, Err: notFoundError(fmt.Sprintf("code %d %.200q", n, msg))}
	case n < 0:
		return &httpapi.Error{Kind: httpapi.KindCode, Text: fmt.Sprintf("code %d %.200q", n, msg)}
	}
	return nil
}

// notFoundError means that the server does not know a stream.
type notFoundError string

func (e notFoundError) Error() string { return string(e) }

// hasEnded reports whether an error means that a stream does not exist. It may have ended a moment ago.
func hasEnded(err error) bool {
	_, gone := errors.AsType[notFoundError](err)
	return gone
}

// isNotOffered reports whether an error means that the server does not have the API.
func isNotOffered(err error) bool {
	e, ok := errors.AsType[*httpapi.Error](err)
	return ok && e.Status == http.StatusNotFound
}

// typeError returns an error that fails the call if the member data itself has a wrong type.
func typeError(err error) error {
	var wrong *jsonwalk.TypeError
	if errors.As(err, &wrong) && slices.Contains(wrong.Members, "data") {
		return errors.New("the member data is of a wrong type")
	}
	return err
}

// ownConnections holds the local addresses of the client's connections, each with the time of its last use.
type ownConnections struct {
	mu   sync.Mutex
	used map[string]time.Time
}

// add adds a connection in use and removes those unused for a minute, which the server has closed.
func (o *ownConnections) add(info httptrace.GotConnInfo) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(o.used, func(_ string, used time.Time) bool { return now.Sub(used) > time.Minute })
	o.used[info.Conn.LocalAddr().String()] = now
}

// has reports whether a session is one of the client's connections. It cannot recognize them behind NAT.
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
