// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package fleet discovers the targets of a receiver and runs an ordinary receiver for each of them.
package fleet

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// Config is the section targets of a receiver: the servers to read instead of the one at endpoint.
type Config struct {
	// Static lists endpoints.
	Static []string `mapstructure:"static"`
	// Files lists patterns of files in the format of Prometheus' file_sd.
	Files []string `mapstructure:"files"`
	// HTTP is a server that answers in the format of Prometheus' http_sd.
	HTTP configoptional.Optional[HTTPConfig] `mapstructure:"http"`
	// DNS lists names whose records are targets.
	DNS []DNSConfig `mapstructure:"dns"`
	// Sockets lists patterns of Unix sockets.
	Sockets []string `mapstructure:"sockets"`
	// Scheme is the scheme of targets that have none: http or https.
	Scheme string `mapstructure:"scheme"`
	// AllowedNetworks lists the networks, such as 10.0.0.0/8, to which the addresses of discovered targets must belong; any if empty.
	AllowedNetworks []string `mapstructure:"allowed_networks"`
	// Limit is the maximum number of targets. It must be at least 1.
	Limit int `mapstructure:"limit"`
}

// HTTPConfig configures an HTTP source.
type HTTPConfig struct {
	// ClientConfig is the HTTP client. Its endpoint is the complete URL and may have a query.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// RefreshInterval is the time between requests.
	RefreshInterval time.Duration `mapstructure:"refresh_interval"`
	// Insecure accepts http URLs of other hosts.
	Insecure bool `mapstructure:"insecure"`
}

// DNSConfig configures a DNS source.
type DNSConfig struct {
	// Name is the domain name.
	Name string `mapstructure:"name"`
	// Type is the type of the records: A, AAAA or SRV.
	Type string `mapstructure:"type"`
	// Port is the port of the servers. SRV records contain it.
	Port int `mapstructure:"port"`
	// RefreshInterval is the time between queries.
	RefreshInterval time.Duration `mapstructure:"refresh_interval"`
}

// Shard selects the targets of one of several collectors with the same configuration.
type Shard struct {
	// Index is the number of this collector, from 0.
	Index int `mapstructure:"index"`
	// Count is the number of collectors.
	Count int `mapstructure:"count"`
}

// Targets is the setting targets of a receiver.
type Targets = configoptional.Optional[Config]

const (
	defaultLimit       = 1000
	defaultHTTPRefresh = time.Minute
	defaultDNSRefresh  = 30 * time.Second
	shortestRefresh    = time.Second
	lookupTimeout      = 10 * time.Second // of a DNS query or an HTTP request
)

// DefaultTargets returns the default of the setting targets: no targets.
func DefaultTargets() Targets {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = lookupTimeout
	return configoptional.Default(Config{
		HTTP:   configoptional.Default(HTTPConfig{ClientConfig: client, RefreshInterval: defaultHTTPRefresh}),
		Scheme: "http",
		Limit:  defaultLimit,
	})
}

// Unmarshal reads the shard. An index without a value, such as from an unset variable, is invalid.
func (s *Shard) Unmarshal(conf *confmap.Conf) error {
	err := conf.Unmarshal(s)
	if conf.Get("index") == nil {
		s.Index = -1
	}
	return err
}

// Unmarshal reads a DNS source.
func (c *DNSConfig) Unmarshal(conf *confmap.Conf) error {
	c.RefreshInterval = defaultDNSRefresh
	return conf.Unmarshal(c)
}

// Validate checks the settings that do not depend on the receiver.
func (c *Config) Validate() error {
	var errs []error
	if len(c.Static)+len(c.Files)+len(c.DNS)+len(c.Sockets) == 0 && !c.HTTP.HasValue() {
		errs = append(errs, errors.New("must have at least one of static, files, http, dns and sockets, such as static: [10.0.0.5:80]"))
	}
	for setting, patterns := range map[string][]string{"files": c.Files, "sockets": c.Sockets} {
		for i, pattern := range patterns {
			if _, err := filepath.Match(pattern, ""); err != nil || !filepath.IsAbs(pattern) {
				errs = append(errs, fmt.Errorf("%s::%d: %q must be a pattern of absolute paths, such as /etc/otelcol-rtc/*.yaml", setting, i, pattern))
			}
		}
	}
	if c.Scheme != "http" && c.Scheme != "https" {
		errs = append(errs, fmt.Errorf("scheme: %q must be http or https", c.Scheme))
	}
	for i, network := range c.AllowedNetworks {
		if _, err := netip.ParsePrefix(network); err != nil {
			errs = append(errs, fmt.Errorf("allowed_networks::%d: %q must be a network, such as 10.0.0.0/8", i, network))
		}
	}
	if c.Limit < 1 {
		errs = append(errs, fmt.Errorf("limit: must be at least 1, such as %d", defaultLimit))
	}
	return errors.Join(errs...)
}

// Validate checks the URL. Whoever answers chooses which servers receive the credentials of the receiver, so the answer must be
// authentic.
func (c *HTTPConfig) Validate() error {
	base, _, _ := strings.Cut(c.ClientConfig.Endpoint, "?")
	if err := scrape.CheckEndpoint(base); err != nil {
		return err
	}
	if u, err := url.Parse(base); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) && !c.Insecure {
		return errors.New("endpoint: must be https, because it chooses which servers receive the credentials of the receiver; " +
			"set insecure: true to trust the network")
	}
	return checkRefresh(c.RefreshInterval)
}

// Validate checks the query.
func (c *DNSConfig) Validate() error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("name: must not be empty, such as jvb.media.svc.cluster.local"))
	}
	switch c.Type {
	case "A", "AAAA":
		if c.Port < 1 || c.Port > 65535 {
			errs = append(errs, fmt.Errorf("port: %d must be 1 to 65535", c.Port))
		}
	case "SRV":
		if c.Port != 0 {
			errs = append(errs, errors.New("port: must not be set, because SRV records contain it"))
		}
	default:
		errs = append(errs, fmt.Errorf("type: %q must be A, AAAA or SRV", c.Type))
	}
	return errors.Join(append(errs, checkRefresh(c.RefreshInterval))...)
}

func checkRefresh(interval time.Duration) error {
	if interval < shortestRefresh {
		return fmt.Errorf("refresh_interval: %v must be at least %v, such as 30s", interval, shortestRefresh)
	}
	return nil
}

// Validate checks the index.
func (s *Shard) Validate() error {
	switch {
	case s.Count < 1:
		return errors.New("count: must be the number of collectors, at least 1")
	case s.Index < 0 || s.Index >= s.Count:
		return fmt.Errorf("index: must be 0 to %d, because count is %d; is the variable set that it is read from?", s.Count-1, s.Count)
	}
	return nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
