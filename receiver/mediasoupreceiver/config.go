// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/fleet"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// Config is the configuration of the receiver.
type Config struct {
	// ClientConfig configures the connection to the agent or to the page of edumeet. The endpoint of an agent may be a Unix socket.
	// Its Timeout is shared with ControllerConfig.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Format is the format of the response at the endpoint.
	Format Format `mapstructure:"format"`
	// Token is the token that the agent requires, sent as a header. It is empty if the agent requires none.
	Token configopaque.String `mapstructure:"token"`
	// TokenFile is the path of a file with the token, which is read again for each request.
	TokenFile string `mapstructure:"token_file"`
	// ControllerConfig sets the collection interval and the timeout of a whole scrape.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// Targets lists the servers to read instead of the one at the endpoint.
	Targets fleet.Targets `mapstructure:"targets"`
	// Shard selects a part of the targets.
	Shard configoptional.Optional[fleet.Shard] `mapstructure:"shard"`
	// MaxResponseSize is the maximum size of a response in bytes, after decompression. It must be at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Streams limits the streams that are reported individually, if their metrics are enabled.
	Streams StreamsConfig `mapstructure:"streams"`
	// Workers limits the workers whose objects are counted separately.
	Workers WorkersConfig `mapstructure:"workers"`
	// Rooms selects the rooms that are reported individually.
	Rooms RoomsConfig `mapstructure:"rooms"`

	credentialErr error // of the token and the key as configured
}

// StreamsConfig limits the streams, or rooms of edumeet, that are reported individually. Sums include all of them.
type StreamsConfig struct {
	// Limit is the maximum number of streams to report. It must be at least 1. The first streams are kept.
	Limit int `mapstructure:"limit"`
}

// WorkersConfig limits the workers whose transports, producers and consumers are counted separately. Totals include all of them.
type WorkersConfig struct {
	// Limit is the maximum number of workers. It must be at least 1. The first workers are kept.
	Limit int `mapstructure:"limit"`
}

// RoomsConfig selects the rooms that are reported individually. A room is a group of routers with the same labels.
type RoomsConfig struct {
	// Include lists the rooms to report; all if empty.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists the rooms not to report. It takes precedence over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the maximum number of rooms to report at a time. It must be at least 1.
	Limit int `mapstructure:"limit"`
	// Labels are the labels of routers whose values, joined by slashes, are the name of a room: at most 3. If it is empty, there are no
	// metrics of rooms.
	Labels []string `mapstructure:"labels"`
	// Key replaces the name of each room with a pseudonym that depends on the key. Include and Exclude still match the name.
	Key configopaque.String `mapstructure:"key"`
}

// maxLabels is the maximum number of labels in the name of a room.
const maxLabels = 3

// Format is the format of the response at the endpoint.
type Format string

// The supported formats.
const (
	// FormatSnapshot is the snapshot of the agent: snapshot.schema.json.
	FormatSnapshot Format = "snapshot"
	// FormatEdumeet is the page of the exporter in edumeet 3, in the Prometheus text format.
	FormatEdumeet Format = "edumeet"
)

// Validate returns an error for unknown formats.
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
	// Node.js closes connections after 5 s without requests (keepAliveTimeout). Closing them earlier avoids lost requests.
	client.IdleConnTimeout = 4 * time.Second
	client.MaxConnsPerHost = 1
	client.MaxIdleConnsPerHost = 1

	return &Config{
		ClientConfig:         client,
		Format:               FormatSnapshot,
		ControllerConfig:     scrape.DefaultSchedule(),
		Targets:              fleet.DefaultTargets(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Streams:              StreamsConfig{Limit: 20_000},
		Workers:              WorkersConfig{Limit: 32},
		Rooms:                RoomsConfig{Limit: 200},
	}
}

// endpoints returns the settings that contain the server.
func (c *Config) endpoints() []fleet.Endpoint {
	return []fleet.Endpoint{{Client: &c.ClientConfig, Targets: &c.Targets, Check: c.checkEndpoint}}
}

// Unmarshal reads the configuration. The timeout defaults to at most the collection interval.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := scrape.UnmarshalConfig(conf, c, &c.ControllerConfig); err != nil {
		return err
	}
	fleet.DropDefault(conf, c.endpoints())
	c.credentialErr = errors.Join(
		scrape.CheckCredential(conf, "token", &c.Token, c.TokenFile), scrape.CheckCredential(conf, "rooms::key", &c.Rooms.Key, ""),
	)
	return nil
}

// Validate checks the configuration. Each error names the setting and gives an example.
func (c *Config) Validate() error {
	return errors.Join(
		fleet.Validate(c.endpoints(), &c.Shard),
		scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize),
		c.credentialErr,
	)
}

func (c *Config) checkEndpoint(endpoint string) error {
	if !strings.HasPrefix(endpoint, "unix:") {
		return scrape.CheckEndpoint(endpoint)
	}
	if _, ok := scrape.SocketPath(endpoint); !ok {
		return errors.New("endpoint: must be the path of a socket, such as unix:///run/mediasoup-agent/0.sock")
	}
	if c.Format != FormatSnapshot {
		return fmt.Errorf("endpoint: must be an http or https URL with format: %s, because only the agent listens on a socket", c.Format)
	}
	return nil
}

// Validate checks the limit.
func (c *StreamsConfig) Validate() error { return (&selection.Config{Limit: c.Limit}).Validate() }

// Validate checks the limit.
func (c *WorkersConfig) Validate() error {
	if c.Limit < 1 {
		return errors.New("limit: must be at least 1, such as 32")
	}
	return nil
}

// Validate checks the labels and the limit.
func (c *RoomsConfig) Validate() error {
	switch {
	case c.Limit < 1:
		return errors.New("limit: must be at least 1, such as 200")
	case len(c.Labels) > maxLabels:
		return fmt.Errorf("labels: must be at most %d names, such as [tenant, room]", maxLabels)
	}
	for i, label := range c.Labels {
		if label == "" || slices.Contains(c.Labels[:i], label) {
			return fmt.Errorf("labels: %q: must be different names of labels, such as [tenant, room]", label)
		}
	}
	return nil
}
