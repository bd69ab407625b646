// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// Endpoint describes one of the endpoints in the configuration of a receiver.
type Endpoint struct {
	// Section is the section of the setting, such as jvb. It is empty at the top level.
	Section string
	// Client contains the setting endpoint.
	Client *confighttp.ClientConfig
	// Targets is the setting targets in the same section.
	Targets *Targets
	// Path is the path of targets that are written as host and port, such as /metrics.
	Path string
	// Check returns an error for values of the setting endpoint that are invalid.
	Check func(endpoint string) error
}

// setting returns the complete name of a setting in the section.
func (e *Endpoint) setting(name string) string {
	if e.Section == "" {
		return name
	}
	return e.Section + "::" + name
}

// HasTargets reports whether any endpoint has targets.
func HasTargets(endpoints []Endpoint) bool {
	return slices.ContainsFunc(endpoints, func(e Endpoint) bool { return e.Targets.HasValue() })
}

// DropDefault removes the default of the setting endpoint at the top level from a configuration with targets.
func DropDefault(conf *confmap.Conf, endpoints []Endpoint) {
	for _, e := range endpoints {
		if e.Section == "" && HasTargets(endpoints) && !conf.IsSet("endpoint") {
			e.Client.Endpoint = ""
		}
	}
}

// Validate checks the endpoints or targets of a receiver. The endpoint at the top level is required unless there are targets.
func Validate(endpoints []Endpoint, shard *configoptional.Optional[Shard]) error {
	var errs []error
	for _, e := range endpoints {
		switch {
		case e.Targets.HasValue() && e.Client.Endpoint != "":
			errs = append(errs, fmt.Errorf("%s: must not be set beside targets: add it to %s", e.setting("endpoint"), e.setting("targets::static")))
		case e.Targets.HasValue():
			errs = append(errs, e.checkTargets())
		case e.Client.Endpoint != "" || e.Section == "" && !HasTargets(endpoints):
			if err := e.Check(e.Client.Endpoint); err != nil {
				errs = append(errs, fmt.Errorf("%s%w", e.setting(""), err))
			}
		}
	}
	if shard.HasValue() && !HasTargets(endpoints) {
		errs = append(errs, errors.New("shard: needs targets, such as targets::static"))
	}
	return errors.Join(errs...)
}

// checkTargets checks the targets in the configuration. Errors contain the position of a target instead of its text, which may have a
// password.
func (e *Endpoint) checkTargets() error {
	var errs []error
	for i, address := range e.Targets.Get().Static {
		if _, err := e.target(address, nil); err != nil {
			errs = append(errs, fmt.Errorf("%s::%d: %w", e.setting("targets::static"), i, err))
		}
	}
	if len(e.Targets.Get().Sockets) > 0 && e.Check(socketScheme+"/run/example.sock") != nil {
		errs = append(errs, fmt.Errorf("%s: this receiver cannot read sockets", e.setting("targets::sockets")))
	}
	return errors.Join(errs...)
}

const socketScheme = "unix://"

// Target is a server to scrape.
type Target struct {
	// Endpoint is its value of the setting endpoint.
	Endpoint string
	// Name is the DNS name under which the server was found, if the endpoint has its address.
	Name string
	// Labels are added to the resource attributes.
	Labels map[string]string
}

func (t *Target) equal(other *Target) bool {
	return t.Endpoint == other.Endpoint && t.Name == other.Name && maps.Equal(t.Labels, other.Labels)
}

// target returns the target with an address, which is a URL or a host with or without a port, and with the labels of file_sd.
func (e *Endpoint) target(address string, labels map[string]string) (Target, error) {
	endpoint := address
	if !strings.Contains(address, "://") {
		scheme, path := e.Targets.Get().Scheme, e.Path
		if labels["__scheme__"] != "" {
			scheme = labels["__scheme__"]
		}
		if labels["__metrics_path__"] != "" {
			path = labels["__metrics_path__"]
		}
		endpoint = scheme + "://" + address + path
	}
	if err := e.Check(endpoint); err != nil {
		return Target{}, err
	}
	return Target{Endpoint: endpoint, Labels: publicLabels(labels)}, nil
}

// publicLabels returns the labels that are not reserved for discovery.
func publicLabels(labels map[string]string) map[string]string {
	public := map[string]string{}
	for name, value := range labels {
		if !strings.HasPrefix(name, "__") && value != "" {
			public[selection.Name(name)] = selection.Name(value)
		}
	}
	return public
}

// key identifies the server of a target: spellings of one URL have the same key.
func (t *Target) key() string {
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" {
		return t.Endpoint
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port) + strings.TrimRight(u.EscapedPath(), "/")
}

// host returns the host of a target. It is empty for a socket.
func (t *Target) host() string {
	u, err := url.Parse(t.Endpoint)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// configure makes client connect to the target. A server that was found by DNS is asked for by its name if its certificate has to
// match.
func (t *Target) configure(client *confighttp.ClientConfig) {
	client.Endpoint = t.Endpoint
	u, err := url.Parse(t.Endpoint)
	if t.Name == "" || err != nil || u.Scheme != "https" {
		return
	}
	if client.TLS.ServerName == "" {
		client.TLS.ServerName = t.Name
	}
	client.Headers = slices.Clone(client.Headers)
	if _, set := client.Headers.Get("Host"); !set {
		client.Headers.Set("Host", configopaque.String(net.JoinHostPort(t.Name, u.Port())))
	}
}
