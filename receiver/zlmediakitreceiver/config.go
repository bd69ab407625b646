// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

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
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// Config is the configuration of the receiver.
type Config struct {
	// ClientConfig configures the HTTP client. Its Timeout and that of ControllerConfig are the same setting.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Secret is the server's api.secret; empty if it has none. It is sent in a header.
	Secret configopaque.String `mapstructure:"secret"`
	// SecretFile is the path of a file with the secret, which is read again for each request.
	SecretFile string `mapstructure:"secret_file"`
	// ControllerConfig holds the interval and the timeout of scrapes.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// Targets lists the servers to read instead of the one at the endpoint.
	Targets fleet.Targets `mapstructure:"targets"`
	// Shard selects a part of the targets.
	Shard configoptional.Optional[fleet.Shard] `mapstructure:"shard"`
	// MaxResponseSize is the maximum size of a response in bytes, after decompression. It is at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Streams selects the streams that are reported individually.
	Streams StreamsConfig `mapstructure:"streams"`
	// Proxies lists the proxies that should be on the server.
	Proxies ProxiesConfig `mapstructure:"proxies"`
	// RTPServers lists the RTP servers that should be open.
	RTPServers RTPServersConfig `mapstructure:"rtp_servers"`

	credentialErr error // error in the secret setting as written
}

// StreamsConfig selects the streams that are reported individually. Names are written vhost/app/stream.
// Sums over streams cover all of them.
type StreamsConfig struct {
	// Include lists the streams to report; all if empty.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists the streams not to report. It takes precedence over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the maximum number of streams to report at a time. It is at least 1.
	Limit int `mapstructure:"limit"`
	// Expected lists streams that are always reported: as not alive if they are missing.
	Expected []string `mapstructure:"expected"`
	// Schemas lists the schemas to request.
	Schemas Schemas `mapstructure:"schemas"`
}

// selection returns the selection of the streams. It is not embedded, because errors would name its settings streams::config::include.
func (c *StreamsConfig) selection() selection.Config {
	return selection.Config{Include: c.Include, Exclude: c.Exclude, Limit: c.Limit}
}

// expected returns the names of the expected streams, each once, as appendStream writes them.
func (c *StreamsConfig) expected() []string { return normalNames(c.Expected) }

// normalNames returns names from the configuration, each once, as appendStream writes them.
func normalNames(written []string) (names []string) {
	for _, name := range written {
		if name = normalName(name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// checkNames refuses names that no stream can have.
func checkNames(expected []string) error {
	var errs []error
	for _, name := range expected {
		if strings.Count(name, "/") < 2 {
			errs = append(errs, fmt.Errorf("expected: %q must be written vhost/app/stream, such as __defaultVhost__/live/cam1", name))
		}
	}
	return errors.Join(errs...)
}

// ProxiesConfig lists the proxies that should be on the server.
type ProxiesConfig struct {
	// Expected lists the streams of pull proxies, written vhost/app/stream, and those of push proxies, written push:vhost/app/stream.
	Expected []string `mapstructure:"expected"`
}

// pushPrefix precedes the stream of an expected push proxy.
const pushPrefix = "push:"

// expected returns the names of the streams of the expected pull and push proxies.
func (c *ProxiesConfig) expected() (pull, push []string) {
	for _, name := range c.Expected {
		if pushed, isPush := strings.CutPrefix(name, pushPrefix); isPush {
			push = append(push, pushed)
		} else {
			pull = append(pull, name)
		}
	}
	return normalNames(pull), normalNames(push)
}

// Validate refuses names that no stream can have.
func (c *ProxiesConfig) Validate() error { return checkNames(c.Expected) }

// RTPServersConfig lists the RTP servers that should be open.
type RTPServersConfig struct {
	// Expected lists the streams of RTP servers, written vhost/app/stream.
	Expected []string `mapstructure:"expected"`
}

// Validate refuses names that no stream can have.
func (c *RTPServersConfig) Validate() error { return checkNames(c.Expected) }

// Schemas is auto, all, or the schemas to request.
type Schemas []string

const (
	schemasAuto = "auto"
	schemasAll  = "all"
)

// UnmarshalText accepts a single word, so that "schemas: auto" need not be a list.
func (s *Schemas) UnmarshalText(text []byte) error {
	*s = Schemas{string(text)}
	return nil
}

// Validate refuses unknown schemas.
func (s *Schemas) Validate() error {
	for _, name := range *s {
		word := name == schemasAuto || name == schemasAll
		if word && len(*s) == 1 || !word && slices.Contains(schemaNames, name) {
			continue
		}
		return fmt.Errorf("%q: must be auto, all, or a list of %s, such as [rtsp]", name, strings.Join(schemaNames, ", "))
	}
	if len(*s) == 0 {
		return errors.New("must not be empty: auto is the default")
	}
	return nil
}

func createDefaultConfig() *Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "http://127.0.0.1"
	client.Timeout = scrape.DefaultSchedule().Timeout
	// The server closes connections that are idle for 30 s (http.keepAliveSecond). The client closes them earlier, or requests get lost.
	client.IdleConnTimeout = 25 * time.Second
	// Two calls may hang on a stuck thread of the server; two more connections carry the others.
	client.MaxConnsPerHost = 4
	client.MaxIdleConnsPerHost = 4

	return &Config{
		ClientConfig:         client,
		ControllerConfig:     scrape.DefaultSchedule(),
		Targets:              fleet.DefaultTargets(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Streams:              StreamsConfig{Limit: 20_000, Schemas: Schemas{schemasAuto}},
	}
}

// metrics returns the metrics to build. Those of expected items need no call if none are expected.
func (c *Config) metrics() metadata.MetricsBuilderConfig {
	built := c.MetricsBuilderConfig
	m := &built.Metrics
	m.ZlmediakitProxyPresent.Enabled = m.ZlmediakitProxyPresent.Enabled && len(c.Proxies.Expected) > 0
	m.ZlmediakitRtpServerPresent.Enabled = m.ZlmediakitRtpServerPresent.Enabled && len(c.RTPServers.Expected) > 0
	return built
}

// endpoints returns the settings that contain the server.
func (c *Config) endpoints() []fleet.Endpoint {
	return []fleet.Endpoint{{Client: &c.ClientConfig, Targets: &c.Targets, Check: scrape.CheckEndpoint}}
}

// Unmarshal reads the configuration. The timeout is no longer than the interval, unless the user wrote it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := scrape.UnmarshalConfig(conf, c, &c.ControllerConfig); err != nil {
		return err
	}
	fleet.DropDefault(conf, c.endpoints())
	c.credentialErr = scrape.CheckCredential(conf, "secret", &c.Secret, c.SecretFile)
	return nil
}

// Validate refuses settings that cannot work. Each message names the setting and a valid value.
func (c *Config) Validate() error {
	return errors.Join(
		fleet.Validate(c.endpoints(), &c.Shard),
		scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize),
		c.credentialErr,
	)
}

// Validate refuses a limit below 1 and expected names that no stream can have.
func (c *StreamsConfig) Validate() error {
	selected := c.selection()
	return errors.Join(selected.Validate(), checkNames(c.Expected))
}
