// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// Config is the configuration of the receiver.
type Config struct {
	// ClientConfig says how to reach the agent or the page of edumeet. Its Timeout is the controller's: one setting for both.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Format is the format of the answer at the endpoint.
	Format Format `mapstructure:"format"`
	// Token is the token that the agent requires, sent as a header; empty when it requires none.
	Token configopaque.String `mapstructure:"token"`
	// ControllerConfig holds the interval of scrapes and the timeout of a whole scrape.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// MaxResponseSize is the size in bytes, after decompression, above which an answer is refused, at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig switches metrics and resource attributes on and off.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Streams limits the streams that are reported one by one, where their metrics are enabled.
	Streams StreamsConfig `mapstructure:"streams"`

	credentialErr error // of the token, as it was written
}

// StreamsConfig limits the streams, or rooms of edumeet, that are reported one by one. Sums cover all of them.
type StreamsConfig struct {
	// Limit is the largest number of streams to report at a time, at least 1. Those that came first stay.
	Limit int `mapstructure:"limit"`
}

// Format is the format of the answer at the endpoint.
type Format string

// The formats that the receiver reads.
const (
	// FormatSnapshot is the snapshot of the agent: snapshot.schema.json.
	FormatSnapshot Format = "snapshot"
	// FormatEdumeet is the page of the exporter in edumeet 3, in the text format of Prometheus.
	FormatEdumeet Format = "edumeet"
)

// Validate refuses unknown formats.
func (f Format) Validate() error {
	if f == FormatSnapshot || f == FormatEdumeet {
		return nil
	}
	return fmt.Errorf("%q: must be %s or %s", string(f), FormatSnapshot, FormatEdumeet)
}

func createDefaultConfig() *Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "http://127.0.0.1:9414"
	client.Timeout = scrape.DefaultSchedule().Timeout
	// Node closes connections that were idle for 5 s (keepAliveTimeout). Close them before, or requests are lost.
	client.IdleConnTimeout = 4 * time.Second
	client.MaxConnsPerHost = 1
	client.MaxIdleConnsPerHost = 1

	return &Config{
		ClientConfig:         client,
		Format:               FormatSnapshot,
		ControllerConfig:     scrape.DefaultSchedule(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Streams:              StreamsConfig{Limit: 20_000},
	}
}

// Unmarshal reads the configuration. The timeout is no longer than the interval, unless the user wrote it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := scrape.UnmarshalConfig(conf, c, &c.ControllerConfig); err != nil {
		return err
	}
	c.credentialErr = scrape.CheckCredential(conf, "token", &c.Token)
	return nil
}

// Validate refuses settings that cannot work. Each message names the setting and a valid value.
func (c *Config) Validate() error {
	return errors.Join(
		scrape.CheckEndpoint(c.ClientConfig.Endpoint),
		scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize),
		c.credentialErr,
	)
}

// Validate refuses a limit that lets nothing through.
func (c *StreamsConfig) Validate() error { return (&selection.Config{Limit: c.Limit}).Validate() }
