// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"errors"
	"net"
	"net/netip"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
)

// Config holds the settings of the exporter.
type Config struct {
	// ServerConfig is the HTTP server: endpoint, TLS, authentication and more.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
}

func createDefaultConfig() component.Config {
	return &Config{ServerConfig: confighttp.NewDefaultServerConfig()}
}

// Validate checks the settings.
func (c *Config) Validate() error {
	if c.ServerConfig.NetAddr.Endpoint == "" {
		return errors.New("endpoint: must be set, for example to 127.0.0.1:9468")
	}
	return nil
}

// loopback reports whether only this machine can reach the endpoint over TCP.
func (c *Config) loopback() bool {
	host, _, err := net.SplitHostPort(c.ServerConfig.NetAddr.Endpoint)
	return err == nil && isLoopback(host)
}

// isLoopback reports whether a host name or address stands for this machine.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}
