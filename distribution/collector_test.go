// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package distribution_test tests the built collector: its commands, all shipped configurations, and its exports.
package distribution_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

const (
	version = "v0.0.0-test"
	secret  = "s3cret/+of=the&server"

	waitTimeout  = time.Minute
	pollInterval = 50 * time.Millisecond
)

// freePorts overrides the fixed ports of a shipped configuration. Components that it adds are not used by any pipeline.
const freePorts = `yaml:
exporters:
  prometheus_page: {endpoint: "${env:PAGE}"}
  overview: {endpoint: "${env:OVERVIEW}"}
extensions:
  healthcheckv2: {http: {endpoint: "${env:STATUS}"}}
  zpages: {endpoint: "${env:ZPAGES}"}
service:
  telemetry:
    logs: {level: info} # includes the message that the collector is ready
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:TELEMETRY_PORT}"}}}}]
`

// Overrides of shipped configurations for fast tests: immediately starts the first scrape at once, often also scrapes every second.
const (
	immediately = `yaml:
receivers:
  zlmediakit: {initial_delay: 1ms}
`
	often = `yaml:
receivers:
  zlmediakit: {collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
`
)

var temp string // for the binary

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if temp, err = os.MkdirTemp("", "otelcol-rtc"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(temp) //nolint:errcheck // best effort
		return m.Run()
	}())
}

// binary builds the collector like the Makefile, with a fixed version.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(temp, "otelcol-rtc")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version, "-o", path, ".")
	build.Dir = "otelcol-rtc"
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

// command returns the command of the collector with the given arguments and with no environment except env.
func command(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = env
	return cmd
}

// run returns the output of the collector.
func run(t *testing.T, env []string, args ...string) string {
	t.Helper()
	output, err := command(t, env, args...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

// shipped returns the path of a shipped configuration.
func shipped(name string) string { return filepath.Join("config", name) }

// collector is a running collector.
type collector struct {
	Page, Overview, Status, Telemetry, ZPages string // URLs

	cmd  *exec.Cmd
	log  log
	done chan struct{} // closed when the process has exited and err is set
	err  error
}

// start runs the collector with base.yaml and other configurations, each of which overrides those before it, until the end of the
// test. It listens on free ports.
func start(t testing.TB, env []string, configs ...string) *collector {
	t.Helper()
	const attempts = 3
	for attempt := 1; ; attempt++ {
		c := launch(t, env, configs)
		if c.ready(t) {
			return c
		}
		taken := strings.Contains(c.Log(), "address already in use")
		require.True(t, taken && attempt < attempts, "the collector does not start:\n%s", end(c.Log()))
	}
}

func launch(t testing.TB, env, configs []string) *collector {
	t.Helper()
	page, overview, status, zpages, telemetry := freeAddress(t), freeAddress(t), freeAddress(t), freeAddress(t), freeAddress(t)
	_, port, err := net.SplitHostPort(telemetry)
	require.NoError(t, err)
	// env comes last, because the last value of a variable is used.
	env = append([]string{
		"PAGE=" + page, "OVERVIEW=" + overview, "STATUS=" + status, "ZPAGES=" + zpages, "TELEMETRY_PORT=" + port,
		"ZLMEDIAKIT_SECRET=" + secret, "OTELCOL_RTC_STORAGE=" + t.TempDir(),
	}, env...)
	var args []string
	for _, config := range slices.Concat([]string{shipped("base.yaml")}, configs, []string{freePorts}) {
		args = append(args, "--config", config)
	}
	c := &collector{
		Page: "http://" + page + "/metrics", Overview: "http://" + overview + "/", Status: "http://" + status + "/status",
		Telemetry: "http://" + telemetry + "/metrics", ZPages: "http://" + zpages + "/debug/",
		cmd: command(t, env, args...), done: make(chan struct{}),
	}
	c.cmd.Stdout, c.cmd.Stderr = &c.log, &c.log
	require.NoError(t, c.cmd.Start())
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		<-c.done // the context of the test kills the process
		if t.Failed() {
			t.Logf("last lines of the collector's log:\n%s", end(c.Log()))
		}
	})
	return c
}

// ready waits until the collector is healthy and can be stopped. It returns false if the collector exits.
func (c *collector) ready(t testing.TB) bool {
	t.Helper()
	var healthy bool
	require.Eventually(t, func() bool {
		status, _, err := get(c.Status)
		healthy = err == nil && status == http.StatusOK && c.handles(syscall.SIGTERM)
		return healthy || c.exited()
	}, waitTimeout, pollInterval, "the collector does not become healthy")
	return healthy && !c.exited()
}

// handles reports whether the collector handles a signal, which it does only after its health check answers and its log says that it is
// ready. The Go runtime has a thread that blocks all signals but those.
func (c *collector) handles(signal syscall.Signal) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", c.cmd.Process.Pid))
	for _, thread := range threads {
		status, _ := os.ReadFile(thread)
		_, after, _ := strings.Cut(string(status), "SigBlk:\t")
		mask, _, _ := strings.Cut(after, "\n")
		blocked, err := strconv.ParseUint(mask, 16, 64)
		if err == nil && blocked&bit(syscall.SIGUSR1) != 0 && blocked&bit(signal) == 0 {
			return true
		}
	}
	return false
}

// bit returns the bit of a signal in a mask of signals.
func bit(signal syscall.Signal) uint64 { return 1 << (signal - 1) }

func (c *collector) exited() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Log returns the output of the collector so far.
func (c *collector) Log() string { return c.log.String() }

// end returns the end of a log.
func end(log string) string { return log[max(0, len(log)-5000):] }

// Stop terminates the collector and requires that it exits without an error.
func (c *collector) Stop(t testing.TB) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-c.done:
		require.NoError(t, c.err)
	case <-time.After(waitTimeout):
		require.Fail(t, "the collector does not exit")
	}
}

// log is a buffer for concurrent reading and writing.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// get fetches a page.
func get(url string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	body, err = content(resp)
	return resp.StatusCode, body, err
}

// content reads the body of a response.
func content(resp *http.Response) (string, error) {
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// fetch returns a page and requires the status 200.
func fetch(t require.TestingT, url string) string {
	status, body, err := get(url)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s: %s", url, body)
	return body
}

// eventually repeats a check until it passes.
func eventually(t *testing.T, check func(c *assert.CollectT)) {
	t.Helper()
	require.EventuallyWithT(t, check, waitTimeout, pollInterval)
}

// usedAddresses holds the results of freeAddress, so that tests running at the same time get different ones.
var usedAddresses sync.Map

// freeAddress returns a loopback address with a free port.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		address := l.Addr().String()
		require.NoError(t, l.Close())
		if _, used := usedAddresses.LoadOrStore(address, true); !used {
			return address
		}
	}
}

// startZLMediaKit starts an emulated server that requires the secret.
func startZLMediaKit(t testing.TB, o zlmediakit.Options) *emulator.Server {
	t.Helper()
	o.Secret = secret
	server, err := zlmediakit.New(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// hostPort returns host and port of a server as in its resource attributes.
func hostPort(t *testing.T, server *emulator.Server) (host string, port int64) {
	t.Helper()
	host, text, err := net.SplitHostPort(strings.TrimPrefix(server.URL(), "http://"))
	require.NoError(t, err)
	port, err = strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return host, port
}

// instance returns the service.instance.id of a server on the loopback interface, which has the host name instead of the address.
func instance(t *testing.T, server *emulator.Server) string {
	t.Helper()
	name, err := os.Hostname()
	require.NoError(t, err)
	_, port := hostPort(t, server)
	return net.JoinHostPort(name, strconv.FormatInt(port, 10))
}
