// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/stretchr/testify/require"
)

const (
	timeout  = 30 * time.Second
	interval = time.Second // of scrapes
)

var (
	binaries string // folder of the built programs
	build    = sync.OnceValue(func() error {
		for _, program := range []struct{ name, folder, path string }{
			{"otelcol-rtc", "../../distribution/otelcol-rtc", "."}, {"emulator", "../..", "./internal/emulator/cmd/emulator"},
		} {
			command := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(binaries, program.name), program.path)
			command.Dir = program.folder
			command.Env = append(os.Environ(), "CGO_ENABLED=0")
			if output, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("build %s: %w\n%s", program.name, err, output)
			}
		}
		return nil
	})
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if binaries, err = os.MkdirTemp("", "browser"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(binaries) //nolint:errcheck // best effort
		return m.Run()
	}())
}

// missing skips a test because something is not installed, or fails it if CI=1.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "1" {
		t.Fatalf("%s is not installed: run make test-deps", what)
	}
	t.Skipf("%s is not installed: run make test-deps", what)
}

// chromium returns the path of the browser.
func chromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium")
	}
	return path
}

// run starts a program and returns a function that stops it.
func run(t *testing.T, program string, args ...string) (stop func()) {
	t.Helper()
	require.NoError(t, build())
	ctx, cancel := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, filepath.Join(binaries, program), args...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = timeout
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	require.NoError(t, command.Start())
	stop = sync.OnceFunc(func() {
		cancel()
		_ = command.Wait() // it was stopped by a signal
		if t.Failed() {
			t.Logf("%s wrote:\n%s", program, output.String())
		}
	})
	t.Cleanup(stop)
	return stop
}

var used sync.Map

// free returns a free loopback address.
func free(t *testing.T) string {
	t.Helper()
	for {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		if address := listener.Addr().String(); address != "" {
			if _, again := used.LoadOrStore(address, true); !again {
				return address
			}
		}
	}
}

// collector is a running collector.
type collector struct {
	overview, page, otlp string // URLs
	stops                map[string]func()
}

// start runs the collector with a receiver for each of the given emulated servers, and one for OTLP. Each server is a process of its own.
func start(t *testing.T, servers []string, flags ...string) *collector {
	t.Helper()
	chromium(t) // nothing is started without it
	overview, page, otlp := free(t), free(t), free(t)
	c := &collector{
		overview: "http://" + overview + "/", page: "http://" + page + "/metrics", otlp: "http://" + otlp + "/v1/metrics", stops: map[string]func(){},
	}
	receivers := map[string]any{"otlp": map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": otlp}}}}
	for _, server := range servers {
		address := free(t)
		args := []string{"-zlmediakit", "", "-" + server, address}
		c.stops[server] = run(t, "emulator", append(args, flags...)...)
		receiver := map[string]any{"collection_interval": interval.String(), "timeout": interval.String(), "initial_delay": "1ms"}
		switch server {
		case "jvb":
			receiver["jvb"] = map[string]any{"endpoint": "http://" + address}
			server = "jitsi"
		case "kamailio":
			receiver["endpoint"] = "tcp://" + address
		case "zlmediakit":
			receiver["secret"] = "any"
			fallthrough
		default:
			receiver["endpoint"] = "http://" + address
		}
		receivers[server] = receiver
	}
	var names []string
	for name := range receivers {
		names = append(names, name)
	}
	slices.Sort(names)
	config, err := json.Marshal(map[string]any{
		"receivers": receivers,
		"exporters": map[string]any{"overview": map[string]any{"endpoint": overview}, "prometheus_page": map[string]any{"endpoint": page}},
		"service": map[string]any{
			"telemetry": map[string]any{"metrics": map[string]any{"level": "none"}},
			"pipelines": map[string]any{"metrics": map[string]any{"receivers": names, "exporters": []string{"overview", "prometheus_page"}}},
		},
	})
	require.NoError(t, err)
	run(t, "otelcol-rtc", "--config", "yaml:"+string(config))
	eventually(t, func() error {
		status, body, err := get(t, c.overview)
		if err == nil && (status != http.StatusOK || strings.Count(body, "<tr ") < len(servers)) {
			err = fmt.Errorf("status %d, too few servers", status)
		}
		return err
	})
	return c
}

// eventually repeats a check until it passes.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	within(t, timeout, check)
}

// within repeats a check until it passes, for a limited time.
func within(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			require.NoError(t, err)
		}
	}
}

func get(t *testing.T, url string) (status int, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// push sends a gauge of a ZLMediaKit server over OTLP, with a data point for each of the given attributes.
func (c *collector) push(t *testing.T, instance string, metrics map[string][]map[string]string) {
	t.Helper()
	attributes := func(pairs map[string]string) (list []any) {
		for key, value := range pairs {
			list = append(list, map[string]any{"key": key, "value": map[string]any{"stringValue": value}})
		}
		return list
	}
	var list []any
	for name, points := range metrics {
		var values []any
		for _, point := range points {
			values = append(values, map[string]any{
				"asDouble": 1, "timeUnixNano": strconv.FormatInt(time.Now().UnixNano(), 10), "attributes": attributes(point),
			})
		}
		list = append(list, map[string]any{"name": name, "gauge": map[string]any{"dataPoints": values}})
	}
	body, err := json.Marshal(map[string]any{"resourceMetrics": []any{map[string]any{
		"resource": map[string]any{"attributes": attributes(map[string]string{"service.name": "zlmediakit", "service.instance.id": instance})},
		"scopeMetrics": []any{map[string]any{
			"scope":   map[string]any{"name": "github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver"},
			"metrics": list,
		}},
	}}})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.otlp, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
}
