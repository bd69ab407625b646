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

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// Target holds the resource attributes of a monitored process that follow from its endpoint.
type Target struct {
	// Address is the host of the endpoint: server.address.
	Address string
	// Port is the port of the endpoint, 1 to 65535, or 0 for a socket: server.port.
	Port int64
	// Instance distinguishes the process from all others at the backend: service.instance.id.
	// It is host:port, with this machine's name for a loopback host, because every collector may read its own localhost. A path
	// other than the customary one follows, because several servers may be behind one port.
	Instance string
}

// NewTarget returns the target of a URL whose scheme is http or https, or that has a port. The customary path is the one that endpoints of
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

// resourceBuilder is what the generated resource builders have in common.
type resourceBuilder interface {
	SetServiceName(string)
	SetServiceInstanceID(string)
	SetServerAddress(string)
	SetServerPort(int64)
}

// Describe sets the resource attributes of the target. A socket has no port.
func (t Target) Describe(rb resourceBuilder, service string) {
	rb.SetServiceName(service)
	rb.SetServiceInstanceID(t.Instance)
	rb.SetServerAddress(t.Address)
	if t.Port != 0 {
		rb.SetServerPort(t.Port)
	}
}

// SetText sets a resource attribute to a text of the server's, unless it is empty.
func SetText(set func(string), text string) {
	if text != "" {
		set(selection.Name(text))
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// health reports to the collector's health checks whether the monitored processes answer. Its errors are recoverable: a dead target must
// not get a live collector restarted.
type health struct {
	host component.Host
	down bool
}

// report reports a change: err is why processes are down, nil when all are up.
func (h *health) report(err error) {
	if down := err != nil; down == h.down {
		return
	}
	h.down = err != nil
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if h.down {
		event = componentstatus.NewRecoverableErrorEvent(err)
	}
	componentstatus.ReportStatus(h.host, event)
}
