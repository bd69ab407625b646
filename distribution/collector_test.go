// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package distribution_test runs the built collector: its commands, every shipped configuration, and what it exports.
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

	patience = 20 * time.Second // for what should happen soon
	tick     = 50 * time.Millisecond
)

// elsewhere is laid over a shipped configuration: the ports that it fixes become free ones. What it adds is not started.
const elsewhere = `yaml:
exporters:
  prometheus: {endpoint: "${env:PAGE}"}
extensions:
  healthcheckv2: {http: {endpoint: "${env:STATUS}"}}
  zpages: {endpoint: "${env:ZPAGES}"}
service:
  telemetry:
    logs: {level: info} # tells when the collector runs
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:TELEMETRY_PORT}"}}}}]
`

// Laid over a shipped configuration, so that tests need not wait long: the first scrape at once, or one every second too.
const (
	soon = `yaml:
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
		defer os.RemoveAll(temp) //nolint:errcheck // nothing to do about it
		return m.Run()
	}())
}

// binary builds the collector as the Makefile does, but for the version.
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

// command is the collector with arguments, in an environment of its own: what is set on this machine does not matter.
func command(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = env
	return cmd
}

// run returns what a command of the collector prints.
func run(t *testing.T, env []string, args ...string) string {
	t.Helper()
	output, err := command(t, env, args...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

// shipped returns the path of a shipped configuration.
func shipped(name string) string { return filepath.Join("config", name) }

// collector is the built collector, running.
type collector struct {
	Page, Status, Telemetry, ZPages string // URLs

	cmd  *exec.Cmd
	log  log
	done chan struct{} // closed when it has ended, with err
	err  error
}

// start runs the collector on configurations, each laid over those before it, until the end of the test. Its ports are free ones.
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
	page, status, zpages, telemetry := freeAddress(t), freeAddress(t), freeAddress(t), freeAddress(t)
	_, port, err := net.SplitHostPort(telemetry)
	require.NoError(t, err)
	// What is given comes last, because the last one of a name counts.
	env = append([]string{
		"PAGE=" + page, "STATUS=" + status, "ZPAGES=" + zpages, "TELEMETRY_PORT=" + port,
		"ZLMEDIAKIT_SECRET=" + secret, "OTELCOL_RTC_STORAGE=" + t.TempDir(),
	}, env...)
	var args []string
	for _, config := range slices.Concat(configs, []string{elsewhere}) {
		args = append(args, "--config", config)
	}
	c := &collector{
		Page: "http://" + page + "/metrics", Status: "http://" + status + "/status",
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
		<-c.done // the end of the test's context has killed it
		if t.Failed() {
			t.Logf("the end of the collector's log:\n%s", end(c.Log()))
		}
	})
	return c
}

// running is what the collector logs when it listens to signals; its health is served before.
const running = "Everything is ready"

// ready waits for a healthy collector; it reports false when the collector ends instead.
func (c *collector) ready(t testing.TB) bool {
	t.Helper()
	var healthy bool
	require.Eventually(t, func() bool {
		status, _, err := get(c.Status)
		healthy = err == nil && status == http.StatusOK && strings.Contains(c.Log(), running)
		return healthy || c.ended()
	}, patience, tick, "the collector does not become healthy")
	return healthy && !c.ended()
}

func (c *collector) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Log returns what the collector has written so far.
func (c *collector) Log() string { return c.log.String() }

// end returns the end of a log.
func end(log string) string { return log[max(0, len(log)-5000):] }

// Stop asks the collector to end and waits until it has done so without an error.
func (c *collector) Stop(t testing.TB) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-c.done:
		require.NoError(t, c.err)
	case <-time.After(patience):
		require.Fail(t, "the collector does not end")
	}
}

// log is a buffer that can be read while the collector writes.
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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), err
}

// fetch returns a page that must be there.
func fetch(t require.TestingT, url string) string {
	status, body, err := get(url)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s: %s", url, body)
	return body
}

// eventually repeats a check until it passes.
func eventually(t *testing.T, check func(c *assert.CollectT)) {
	t.Helper()
	require.EventuallyWithT(t, check, patience, tick)
}

var givenOut sync.Map // addresses, so that tests that run at the same time get different ones

// freeAddress returns a loopback address on which nothing listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		address := l.Addr().String()
		require.NoError(t, l.Close())
		if _, known := givenOut.LoadOrStore(address, true); !known {
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

// hostPort returns where a server listens, as the resource attributes tell it.
func hostPort(t *testing.T, server *emulator.Server) (host string, port int64) {
	t.Helper()
	host, text, err := net.SplitHostPort(strings.TrimPrefix(server.URL(), "http://"))
	require.NoError(t, err)
	port, err = strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return host, port
}

// instance returns the service.instance.id of a server on the loopback interface: this machine's name stands for it.
func instance(t *testing.T, server *emulator.Server) string {
	t.Helper()
	name, err := os.Hostname()
	require.NoError(t, err)
	_, port := hostPort(t, server)
	return net.JoinHostPort(name, strconv.FormatInt(port, 10))
}
