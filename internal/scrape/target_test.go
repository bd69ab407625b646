// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
)

func TestNewTarget(t *testing.T) {
	machine, err := os.Hostname()
	require.NoError(t, err)
	for endpoint, want := range map[string]Target{
		"http://10.0.0.5:8080":           {"10.0.0.5", 8080, "10.0.0.5:8080"},
		"http://media.example":           {"media.example", 80, "media.example:80"},
		"https://media.example/":         {"media.example", 443, "media.example:443"},
		"https://media.example/base/":    {"media.example", 443, "media.example:443/base"},
		"http://media.example/a/jvb1":    {"media.example", 80, "media.example:80/a/jvb1"},
		"http://media.example/a%2Fb":     {"media.example", 80, "media.example:80/a%2Fb"},
		"http://media.example/metrics":   {"media.example", 80, "media.example:80"},
		"http://localhost/metrics/x":     {"localhost", 80, machine + ":80/metrics/x"},
		"https://media.example:8443":     {"media.example", 8443, "media.example:8443"},
		"http://media.example:":          {"media.example", 80, "media.example:80"},
		"http://media.example:1":         {"media.example", 1, "media.example:1"},
		"http://media.example:65535":     {"media.example", 65535, "media.example:65535"},
		"http://[2001:db8::1]:8080":      {"2001:db8::1", 8080, "[2001:db8::1]:8080"},
		"http://[2001:db8::1]":           {"2001:db8::1", 80, "[2001:db8::1]:80"},
		"http://localhost:8080":          {"localhost", 8080, machine + ":8080"},
		"https://localhost":              {"localhost", 443, machine + ":443"},
		"http://LocalHost:8080":          {"LocalHost", 8080, machine + ":8080"},
		"http://127.0.0.1:8080":          {"127.0.0.1", 8080, machine + ":8080"},
		"http://127.8.9.10:8080":         {"127.8.9.10", 8080, machine + ":8080"},
		"http://[::1]:8080":              {"::1", 8080, machine + ":8080"},
		"http://[::ffff:127.0.0.1]:8080": {"::ffff:127.0.0.1", 8080, machine + ":8080"},
		"http://localhost.example":       {"localhost.example", 80, "localhost.example:80"},
		"http://128.0.0.1":               {"128.0.0.1", 80, "128.0.0.1:80"},
	} {
		t.Run(endpoint, func(t *testing.T) {
			got, err := NewTarget(endpoint, "/metrics")
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestNewTargetRefuses(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://media.example:65536": `endpoint has no valid port: "65536"`,
		"http://media.example:0":     `endpoint has no valid port: "0"`,
		"ftp://media.example":        `endpoint has no valid port: ""`,
		"media.example":              `endpoint has no valid port: ""`,
		"http://media.example:-1":    "endpoint is not a URL",
		"http://u:pa55w0rd@exa mple": "endpoint is not a URL",
	} {
		t.Run(endpoint, func(t *testing.T) {
			_, err := NewTarget(endpoint, "")
			require.EqualError(t, err, want)
		})
	}
}

// listener is a host that records status changes.
type listener struct {
	component.Host
	events []*componentstatus.Event
}

func (l *listener) Report(e *componentstatus.Event) { l.events = append(l.events, e) }

func TestHealthReportsChanges(t *testing.T) {
	refused, reset := errors.New("refused"), errors.New("reset")
	host := &listener{Host: componenttest.NewNopHost()}
	h := health{host: host}
	for _, err := range []error{nil, nil, refused, reset, nil, nil, reset} {
		h.report(err)
	}
	require.Len(t, host.events, 3)
	for i, want := range []struct {
		status componentstatus.Status
		err    error
	}{
		{componentstatus.StatusRecoverableError, refused}, {componentstatus.StatusOK, nil}, {componentstatus.StatusRecoverableError, reset},
	} {
		assert.Equal(t, want.status, host.events[i].Status())
		assert.Equal(t, want.err, host.events[i].Err())
	}
}

// TestHealthWithoutListener checks that a host without status reporting causes no failure.
func TestHealthWithoutListener(t *testing.T) {
	assert.NotPanics(t, func() { (&health{host: componenttest.NewNopHost()}).report(errors.New("refused")) })
}

func TestSocket(t *testing.T) {
	machine, err := os.Hostname()
	require.NoError(t, err)
	for endpoint, want := range map[string]string{
		"unix:///run/agent/0.sock":    "/run/agent/0.sock",
		"unix:/run/agent/0.sock":      "/run/agent/0.sock",
		"unix://run/agent/0.sock":     "",
		"unix:///":                    "",
		"unix:///run/agent.sock?a=b":  "",
		"unix:///run/agent.sock#a":    "",
		"unix://user@/run/agent.sock": "",
		"http://127.0.0.1:80/agent":   "",
		"/run/agent/0.sock":           "",
		"unix:///run/%zz":             "",
	} {
		path, ok := SocketPath(endpoint)
		assert.Equal(t, want, path, endpoint)
		assert.Equal(t, want != "", ok, endpoint)
	}
	target, err := NewSocketTarget("/run/agent/0.sock")
	require.NoError(t, err)
	assert.Equal(t, Target{Address: "/run/agent/0.sock", Instance: machine + ":/run/agent/0.sock"}, target)
}
