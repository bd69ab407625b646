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

// Target holds the resource attributes of a process that are derived from its endpoint.
type Target struct {
	// Address is the host of the endpoint, or the path of a socket, the value of server.address.
	Address string
	// Port is the port of the endpoint, the value of server.port. It is 0 for a socket.
	Port int64
	// Instance identifies the process at the backend, the value of service.instance.id. It is host:port, with the name of this
	// machine for a loopback host, because every collector may monitor its own localhost. A path other than the customary one is
	// appended, because several servers may share a port.
	Instance string
}

// NewTarget returns the target of a URL, which must have the scheme http or https, or a port. customary is the usual path of such
// endpoints, such as /metrics, or empty.
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

// NewSocketTarget returns the target of a Unix socket. Its instance is the name of this machine and the path.
func NewSocketTarget(path string) (Target, error) {
	machine, err := os.Hostname()
	if err != nil {
		return Target{}, fmt.Errorf("name of this machine: %w", err)
	}
	return Target{Address: path, Instance: machine + ":" + path}, nil
}

// resourceBuilder holds the common methods of the generated resource builders.
type resourceBuilder interface {
	SetServiceName(string)
	SetServiceInstanceID(string)
	SetServerAddress(string)
	SetServerPort(int64)
}

// Describe sets the resource attributes of the target. It sets no port for a socket.
func (t Target) Describe(rb resourceBuilder, service string) {
	rb.SetServiceName(service)
	rb.SetServiceInstanceID(t.Instance)
	rb.SetServerAddress(t.Address)
	if t.Port != 0 {
		rb.SetServerPort(t.Port)
	}
}

// SetText sets a resource attribute to a text from the server unless the text is empty.
func SetText(set func(string), text string) {
	if text != "" {
		set(selection.Name(text))
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// health reports the state of the monitored processes as the component status. Its errors are recoverable: a server being down must
// not restart the collector.
type health struct {
	host component.Host
	down bool
}

// report reports a change of the status. err says why processes are down and is nil if all are up.
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
