// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Target is what the resource attributes tell of a monitored process.
type Target struct {
	// Address is the host of the endpoint: server.address.
	Address string
	// Port is the port of the endpoint, 1 to 65535: server.port.
	Port int64
	// Instance tells the process apart from all others at the backend: service.instance.id.
	// It is host:port, with this machine's name for a loopback host, because every collector may read its own localhost. A path
	// other than the customary one follows, because several servers may be behind one port.
	Instance string
}

// NewTarget reads the target off a URL whose scheme is http or https, or that has a port. The customary path is the one that endpoints of
// this kind usually have, such as /metrics; empty when they have none.
func NewTarget(endpoint, customary string) (Target, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return Target{}, errors.New("endpoint is not a URL")
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if u.Port() != "" {
		port = u.Port()
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return Target{}, fmt.Errorf("endpoint has no valid port: %q", port)
	}
	host := u.Hostname()
	if isLoopback(host) {
		if host, err = os.Hostname(); err != nil {
			return Target{}, fmt.Errorf("name of this machine: %w", err)
		}
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if path == customary {
		path = ""
	}
	return Target{Address: u.Hostname(), Port: int64(number), Instance: net.JoinHostPort(host, port) + path}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Health tells the collector's health checks of a target that does not answer. Its errors are recoverable:
// a dead target must not get a live collector restarted.
type Health struct {
	host component.Host
	down bool
}

// NewHealth reports to host.
func NewHealth(host component.Host) *Health {
	return &Health{host: host}
}

// Report tells of a change: err is why the target is down, nil when it is up.
func (s *Health) Report(err error) {
	if down := err != nil; down == s.down {
		return
	}
	s.down = err != nil
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if s.down {
		event = componentstatus.NewRecoverableErrorEvent(err)
	}
	componentstatus.ReportStatus(s.host, event)
}
