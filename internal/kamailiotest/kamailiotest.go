// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package kamailiotest runs real Kamailio servers with rtpengine and SIPp for tests. They use free ports and stop with the test.
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
	timeout         = 20 * time.Second
	shutdownTimeout = 2 * time.Second
	pollInterval    = 20 * time.Millisecond

	loopback = "127.0.0.1"
)

// Options configures a server. The zero value selects all of testdata/kamailio/config/kamailio.cfg, without any traffic of its own.
type Options struct {
	RTPEngine bool // start an rtpengine and load the rtpengine module
	TLS       bool // listen for TLS connections, with a temporary certificate
	DMQ       bool // load the dmq module, without other nodes
	Probing   bool // let the dispatcher send a probe per second

	WithoutKex bool // do not load kex, which provides stats.*
	WithoutTM  bool // do not load tm, tmx and dialog
	Minimal    bool // load only ctl and kex, without TCP, HTTP and a callee

	Statistics []string // names of additional script statistics
}

// Server is a running Kamailio.
type Server struct {
	// Unix and TCP are the BINRPC endpoints unix:///path and tcp://host:port.
	Unix, TCP string
	// SIP is the host:port for SIP over UDP and TCP.
	SIP string
	// TLS is the host:port for SIP over TLS.
	TLS string
	// JSONRPC and Metrics are URLs of Kamailio, RTPEngine is the URL of the metrics of rtpengine.
	JSONRPC, Metrics, RTPEngine string

	options   Options
	dir       string // temporary
	callee    string // host:port
	ng        string // host:port of rtpengine's control protocol
	processes []*process
	kamailio  *process // last of processes
}

// Start starts a server and waits until it answers. The server stops at the end of the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	const attempts = 3 // another process may take a free port first
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
	dir, err := os.MkdirTemp("", "kamailio") //nolint:usetesting // t.TempDir is too long for the path of a socket
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

// launch starts the processes. Kamailio is the last, because it contacts the others when it starts.
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
	s.await(t, s.reachable) // if a process has exited, ready reports it
	s.startKamailio(t)
}

func (s *Server) startKamailio(t testing.TB) {
	t.Helper()
	s.kamailio = run(t, s.dir, "kamailio", "-f", filepath.Join(s.dir, "kamailio.cfg"),
		"-DD", "-E", "-m", "64", "-M", "8", "-Y", s.dir, "-w", s.dir, "-P", filepath.Join(s.dir, "pid"))
	s.processes = append(s.processes, s.kamailio)
}

// ready waits until Kamailio answers. It returns false if a process exits.
func (s *Server) ready(t testing.TB) bool {
	t.Helper()
	return s.await(t, func(ctx context.Context) bool { return s.answers(ctx, s.Unix) && s.answers(ctx, s.TCP) })
}

// await waits until condition is true. It returns false if a process exits.
func (s *Server) await(t testing.TB, condition func(context.Context) bool) bool {
	t.Helper()
	var done, exited bool
	require.Eventually(t, func() bool {
		for _, p := range s.processes {
			exited = exited || p.exited()
		}
		done = condition(t.Context())
		return done || exited
	}, timeout, pollInterval, "no answer")
	return done && !exited
}

// reachable reports whether rtpengine and the callee answer.
func (s *Server) reachable(ctx context.Context) bool {
	return (!s.options.RTPEngine || servesHTTP(ctx, s.RTPEngine)) && (s.options.Minimal || answersSIP(ctx, s.callee))
}

// answers reports whether Kamailio answers BINRPC requests and all of its processes are ready. The process that answers is not the
// last one to start. Before all are ready, statistics are incomplete and SIGTERM may be lost.
func (s *Server) answers(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := binrpc.Dial(ctx, endpoint)
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // the connection is no longer needed
	complete, ready := s.options.Minimal, true
	err = conn.Call(ctx, binrpc.NewRequest("core.psa"), func(processes binrpc.Records) error {
		for _, process := range processes.All() {
			for key, value := range process.Records().All() {
				switch string(key) {
				case "description":
					text, _ := value.Text()
					complete = complete || string(text) == "tcp main process" // starts last
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

// client keeps no idle connections, whose goroutines goleak would report.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: timeout}

// servesHTTP reports whether a GET request succeeds.
func servesHTTP(ctx context.Context, url string) bool {
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

// Stop terminates Kamailio with SIGTERM. Restart starts it again.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	require.NoError(t, s.kamailio.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-s.kamailio.done:
	case <-time.After(shutdownTimeout): // a process that has just started can miss the signal, and Kamailio waits a minute for it
		s.kamailio.kill()
	}
	s.processes = s.processes[:len(s.processes)-1]
}

// Restart stops Kamailio if it runs, and starts it on the same sockets.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if !s.kamailio.exited() {
		s.Stop(t)
	}
	s.startKamailio(t)
	require.True(t, s.ready(t), "kamailio does not restart")
}

// Freeze suspends all processes of Kamailio until Thaw. The kernel still accepts connections.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	require.NoError(t, s.kamailio.signal(syscall.SIGSTOP))
}

// Thaw resumes Kamailio after Freeze.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	require.NoError(t, s.kamailio.signal(syscall.SIGCONT))
}

// RTPEngineControl returns the host:port (UDP) of rtpengine's control protocol.
func (s *Server) RTPEngineControl() string { return s.ng }

// Log returns the output of Kamailio since its last start.
func (s *Server) Log() string { return s.kamailio.log.String() }

// packages lists the Debian packages of the programs.
const packages = "kamailio kamailio-extra-modules kamailio-json-modules kamailio-tls-modules rtpengine-daemon sip-tester"

// find returns the path of a program. If it is not installed, the test is skipped, or fails if CI=1.
func find(t testing.TB, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} { // PATH may not contain /usr/sbin
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, program)
	return ""
}

// missing skips a test because a program or file is not installed, or fails it if CI=1.
func missing(t testing.TB, what string) {
	t.Helper()
	stop := t.Skipf
	if os.Getenv("CI") == "1" {
		stop = t.Fatalf
	}
	stop("%s is not installed: run make test-deps, or install the Debian packages %s", what, packages)
}

// testdata returns the path of a file in testdata/kamailio. It works in tests of any package.
func testdata(t testing.TB, elements ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		path := filepath.Join(dir, "testdata", "kamailio", filepath.Join(elements...))
		if _, err := os.Stat(path); err == nil {
			return path
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "file not found in testdata/kamailio: %v", elements)
		dir = filepath.Dir(dir)
	}
}

// usedAddresses holds the results of freeAddress, so that servers running at the same time get different ones.
var usedAddresses sync.Map

// freeAddress returns a loopback address with a port that is free for TCP and UDP.
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
		if _, used := usedAddresses.LoadOrStore(address, true); !used {
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
