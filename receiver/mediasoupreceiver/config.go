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

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// Config is what a user may write below mediasoup.
type Config struct {
	// ClientConfig is how the agent is reached, or the page of edumeet. Its Timeout is the controller's: one setting for both.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Format is what answers at the endpoint.
	Format Format `mapstructure:"format"`
	// Token is the agent's token; empty when it has none. It is sent as a header.
	Token configopaque.String `mapstructure:"token"`
	// ControllerConfig says how often the agent is asked, and how long a scrape may take as a whole.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// MetricsBuilderConfig switches metrics and resource attributes on and off.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Streams says how many streams are reported one by one, where their metrics are switched on.
	Streams StreamsConfig `mapstructure:"streams"`

	credentialErr error // what is wrong with token, as it was written
}

// StreamsConfig says how many streams, or rooms of edumeet, are reported one by one. Sums cover all of them.
type StreamsConfig struct {
	// Limit is the largest number of streams to report at a time, at least 1. Those that came first stay.
	Limit int `mapstructure:"limit"`
}

// Format is what answers at the endpoint.
type Format string

// The formats that the receiver reads.
const (
	// FormatSnapshot is the agent's: snapshot.schema.json.
	FormatSnapshot Format = "snapshot"
	// FormatEdumeet is the page of the exporter in edumeet 3, in the text format of Prometheus.
	FormatEdumeet Format = "edumeet"
)

// Validate refuses words that are no formats.
func (f Format) Validate() error {
	if f == FormatSnapshot || f == FormatEdumeet {
		return nil
	}
	return fmt.Errorf("%q: must be %s or %s", string(f), FormatSnapshot, FormatEdumeet)
}

func createDefaultConfig() *Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "http://127.0.0.1:9414"
	client.Timeout = 10 * time.Second
	// Node closes a connection that was idle for 5 s (keepAliveTimeout): be earlier, or requests get lost.
	client.IdleConnTimeout = 4 * time.Second
	client.MaxConnsPerHost = 1
	client.MaxIdleConnsPerHost = 1

	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = 30 * time.Second
	controller.Timeout = client.Timeout

	return &Config{
		ClientConfig:         client,
		Format:               FormatSnapshot,
		ControllerConfig:     controller,
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

// Validate refuses what cannot work, each complaint with the setting's name and an example.
func (c *Config) Validate() error {
	return errors.Join(
		httpapi.CheckEndpoint(c.ClientConfig.Endpoint),
		scrape.CheckSchedule(c.ControllerConfig),
		c.credentialErr,
	)
}

// Validate refuses a limit that lets nothing through.
func (c *StreamsConfig) Validate() error { return selection.CheckLimit(c.Limit) }
