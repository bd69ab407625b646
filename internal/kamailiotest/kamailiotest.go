// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package kamailiotest runs a real Kamailio, its rtpengine and callers for tests: on free ports, many at once, gone at the end.
package kamailiotest

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
)

const (
	patience = 20 * time.Second // for what should happen soon
	grace    = 2 * time.Second  // for Kamailio to end when asked
	tick     = 20 * time.Millisecond

	loopback = "127.0.0.1"
)

// Options say what is special about a server. Without any, it has all of testdata/kamailio/config/kamailio.cfg, and nothing
// happens on it but what a test does.
type Options struct {
	RTPEngine bool // start an rtpengine and load the module
	TLS       bool // listen for TLS, with a certificate made for it
	DMQ       bool // load the message queue of clusters, with no other node
	Probing   bool // send the dispatcher's probes, one a second

	WithoutKex bool // no module kex, hence no stats.*
	WithoutTM  bool // no transactions: no modules tm, tmx, dialog
	Minimal    bool // ctl and kex only: no TCP, no HTTP, no callee

	Statistics []string // names of more script statistics, all of them 0
}

// Server is a running Kamailio.
type Server struct {
	// Unix and TCP are the endpoints of BINRPC: unix:///path and tcp://host:port.
	Unix, TCP string
	// SIP is where it listens for calls, UDP and TCP: host:port.
	SIP string
	// TLS is where it listens for calls by TLS: host:port.
	TLS string
	// JSONRPC and Metrics are its pages, rtpengine's is RTPEngine: URLs.
	JSONRPC, Metrics, RTPEngine string

	options   Options
	dir       string // of its own
	callee    string // host:port
	ng        string // rtpengine's own port, host:port
	processes []*process
	kamailio  *process // the last of them
}

// Start starts a server and waits until it answers. It ends with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	const attempts = 3 // somebody else may take a free port just before a server does
	for attempt := 1; ; attempt++ {
		s := newServer(t, options)
		s.launch(t)
		if s.ready(t) {
			return s
		}
		if strings.Contains(s.Log(), "could not find module") {
			missing(t, "a module of kamailio")
		}
		require.Less(t, attempt, attempts, "kamailio, rtpengine or the callee does not start")
	}
}

func newServer(t testing.TB, options Options) *Server {
	t.Helper()
	// Not the test's own: its name would make the path of the socket too long.
	dir, err := os.MkdirTemp("", "kamailio") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	s := &Server{
		Unix: "unix://" + filepath.Join(dir, "ctl"), TCP: "tcp://" + freeAddress(t), SIP: freeAddress(t),
		options: options, dir: dir, callee: freeAddress(t),
	}
	if !options.Minimal {
		s.JSONRPC, s.Metrics = "http://"+s.SIP+"/RPC", "http://"+s.SIP+"/metrics"
	}
	if options.TLS {
		s.TLS = freeAddress(t)
	}
	if options.RTPEngine {
		s.RTPEngine, s.ng = "http://"+freeAddress(t)+"/metrics", freeAddress(t)
	}
	s.configure(t)
	return s
}

// launch starts the processes. Kamailio comes last, because it asks the others when it starts.
func (s *Server) launch(t testing.TB) {
	t.Helper()
	if s.options.RTPEngine {
		s.processes = append(s.processes, run(t, s.dir, "rtpengine",
			"--config-file="+testdata(t, "config", "rtpengine.conf"), "--config-section=rtpengine",
			"--listen-ng="+s.ng, "--listen-http="+hostOf(s.RTPEngine)))
	}
	if !s.options.Minimal {
		host, port := split(t, s.callee)
		s.processes = append(s.processes, run(t, s.dir, "sipp", s.SIP, "-sf", testdata(t, "sipp", "uas.xml"),
			"-i", host, "-p", port, "-cp", portOf(t, freeAddress(t)), "-aa", "-nr", "-nostdin"))
	}
	s.await(t, s.reachable) // ready tells when one of them has ended
	s.startKamailio(t)
}

func (s *Server) startKamailio(t testing.TB) {
	t.Helper()
	s.kamailio = run(t, s.dir, "kamailio", "-f", filepath.Join(s.dir, "kamailio.cfg"),
		"-DD", "-E", "-m", "64", "-M", "8", "-Y", s.dir, "-w", s.dir, "-P", filepath.Join(s.dir, "pid"))
	s.processes = append(s.processes, s.kamailio)
}

// ready waits until Kamailio answers; it reports false when a process ends instead.
func (s *Server) ready(t testing.TB) bool {
	t.Helper()
	return s.await(t, func(ctx context.Context) bool { return s.answers(ctx, s.Unix) && s.answers(ctx, s.TCP) })
}

// await waits for something; it reports false when a process ends instead.
func (s *Server) await(t testing.TB, something func(context.Context) bool) bool {
	t.Helper()
	var there, ended bool
	require.Eventually(t, func() bool {
		for _, p := range s.processes {
			ended = ended || p.ended()
		}
		there = something(t.Context())
		return there || ended
	}, patience, tick, "nothing answers")
	return there && !ended
}

// reachable tells whether rtpengine and the callee answer.
func (s *Server) reachable(ctx context.Context) bool {
	return (!s.options.RTPEngine || serves(ctx, s.RTPEngine)) && (s.options.Minimal || picksUp(ctx, s.callee))
}

// answers tells whether there is an answer by BINRPC, and that all processes are ready. The one that answers is not the last
// to begin: before that, statistics are not yet what they will be, and a signal to end may go unheard.
func (s *Server) answers(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := binrpc.Dial(ctx, endpoint)
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // nothing to do about it
	complete, ready := s.options.Minimal, true
	err = conn.Call(ctx, binrpc.NewRequest("core.psa"), func(processes binrpc.Records) error {
		for _, process := range processes.All() {
			for key, value := range process.Records().All() {
				switch string(key) {
				case "description":
					text, _ := value.Text()
					complete = complete || string(text) == "tcp main process" // the last, where there is one
				case "status":
					status, _ := value.Int()
					ready = ready && status == 1
				}
			}
		}
		return nil
	})
	return err == nil && complete && ready
}

// client leaves nothing behind that a search for leaks would find.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// serves tells whether there is a page.
func serves(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Stop ends Kamailio as an administrator does. Restart starts it again.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	require.NoError(t, s.kamailio.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-s.kamailio.done:
	case <-time.After(grace): // a process that was asked just after it began does not hear, and Kamailio waits a minute for it
		s.kamailio.kill()
	}
	s.processes = s.processes[:len(s.processes)-1]
}

// Restart starts Kamailio anew, on the same sockets, after stopping it if it runs.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if !s.kamailio.ended() {
		s.Stop(t)
	}
	s.startKamailio(t)
	require.True(t, s.ready(t), "kamailio does not start again")
}

// Freeze makes all of Kamailio stand still until Thaw: connections are made, nobody answers.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	require.NoError(t, s.kamailio.signal(syscall.SIGSTOP))
}

// Thaw ends Freeze.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	require.NoError(t, s.kamailio.signal(syscall.SIGCONT))
}

// RTPEngineControl returns where rtpengine takes Kamailio's commands: host:port, UDP.
func (s *Server) RTPEngineControl() string { return s.ng }

// Log returns what Kamailio has written since it started.
func (s *Server) Log() string { return s.kamailio.log.String() }

// packages is what has the programs, in Debian's words.
const packages = "kamailio kamailio-extra-modules kamailio-json-modules kamailio-tls-modules rtpengine-daemon sip-tester"

// find returns the path of a program. Without it the test is skipped, or fails where CI=1 is set.
func find(t testing.TB, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} { // a user's PATH may lack sbin
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, program)
	return ""
}

// missing ends a test that lacks something.
func missing(t testing.TB, what string) {
	t.Helper()
	end := t.Skipf
	if os.Getenv("CI") == "1" {
		end = t.Fatalf
	}
	end("%s is not installed: run make test-deps, or install what Debian calls %s", what, packages)
}

// testdata returns the path of a file in testdata/kamailio, from whatever package the test is in.
func testdata(t testing.TB, elements ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		path := filepath.Join(dir, "testdata", "kamailio", filepath.Join(elements...))
		if _, err := os.Stat(path); err == nil {
			return path
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no such file in testdata/kamailio: %v", elements)
		dir = filepath.Dir(dir)
	}
}

var givenOut sync.Map // addresses, so that servers that run at the same time get different ones

// freeAddress returns a loopback address on which nothing listens, by TCP or UDP.
func freeAddress(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	for {
		l, err := lc.Listen(t.Context(), "tcp", net.JoinHostPort(loopback, "0"))
		require.NoError(t, err)
		address := l.Addr().String()
		p, err := lc.ListenPacket(t.Context(), "udp", address)
		require.NoError(t, l.Close())
		if err != nil {
			continue
		}
		require.NoError(t, p.Close())
		if _, known := givenOut.LoadOrStore(address, true); !known {
			return address
		}
	}
}

func split(t testing.TB, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return host, port
}

func portOf(t testing.TB, address string) string {
	t.Helper()
	_, port := split(t, address)
	return port
}
