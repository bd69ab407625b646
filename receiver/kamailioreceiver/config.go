// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/fleet"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// Config is the configuration of the receiver.
type Config struct {
	// ClientConfig configures the connection to the server. The endpoint is unix:// or tcp:// for BINRPC, http:// or https:// for
	// JSON-RPC; all other settings apply to JSON-RPC only. Timeout is shared with ControllerConfig.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// ControllerConfig sets the collection interval and the timeout of a whole scrape.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// Targets lists the servers to read instead of the one at the endpoint.
	Targets fleet.Targets `mapstructure:"targets"`
	// Shard selects a part of the targets, including those of rtpengine.
	Shard configoptional.Optional[fleet.Shard] `mapstructure:"shard"`
	// MaxResponseSize is the maximum size of an HTTP response in bytes, after decompression. It must be at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Statistics selects the statistics without a metric of their own, and how they are reported.
	Statistics StatisticsConfig `mapstructure:"statistics"`
	// DialogProfiles lists the profiles whose dialogs are counted, written as profile or profile/value.
	DialogProfiles []string `mapstructure:"dialog_profiles"`
	// DispatcherTargets selects the destinations that are reported individually. Names are written as set/uri.
	DispatcherTargets selection.Config `mapstructure:"dispatcher_targets"`
	// Htables selects the hash tables that are reported.
	Htables selection.Config `mapstructure:"htables"`
	// UsrlocDomains selects the user location tables that are reported.
	UsrlocDomains selection.Config `mapstructure:"usrloc_domains"`
	// Processes selects the processes whose memory is reported, by their descriptions.
	Processes selection.Config `mapstructure:"processes"`
	// RTPEngine configures the metrics page of an rtpengine. It is disabled if the endpoint is empty.
	RTPEngine RTPEngineConfig `mapstructure:"rtpengine"`
	// UserMetrics configures a page of metrics that are passed through under their own names. It is disabled if the endpoint is
	// empty.
	UserMetrics confighttp.ClientConfig `mapstructure:"user_metrics"`
	// Pipes selects the pipes of the module pipelimit that are reported.
	Pipes selection.Config `mapstructure:"pipes"`
}

// RTPEngineConfig configures the metrics pages of rtpengines.
type RTPEngineConfig struct {
	// ClientConfig is the HTTP client. Its endpoint is the URL of the page.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Targets lists the pages to read instead of the one at the endpoint.
	Targets fleet.Targets `mapstructure:"targets"`
}

// StatisticsConfig selects the statistics without a metric of their own, and how they are reported. Names are written as group.name.
type StatisticsConfig struct {
	// Include lists the statistics to report. All are reported if it is empty.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists statistics not to report. It takes precedence over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the maximum number of statistics to report. It must be at least 1.
	Limit int `mapstructure:"limit"`
	// Counters lists monotonic statistics, in addition to those whose names end in _total.
	Counters []filter.Config `mapstructure:"counters"`
	// Naming selects how the group script is reported: "attributes", or "name" for one metric per statistic, kamailio.script.<name>.
	Naming string `mapstructure:"naming"`
}

const (
	namingAttributes = "attributes"
	namingName       = "name"
)

// selection returns the selection settings. They are not embedded, because errors would then name statistics::config::include.
func (c *StatisticsConfig) selection() selection.Config {
	return selection.Config{Include: c.Include, Exclude: c.Exclude, Limit: c.Limit}
}

// Validate checks the selection and the naming.
func (c *StatisticsConfig) Validate() error {
	selected := c.selection()
	errs := []error{selected.Validate()}
	if c.Naming != namingAttributes && c.Naming != namingName {
		errs = append(errs, fmt.Errorf("naming: %q must be attributes or name", c.Naming))
	}
	return errors.Join(errs...)
}

func createDefaultConfig() *Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "unix:///run/kamailio/kamailio_ctl"
	client.Timeout = scrape.DefaultSchedule().Timeout
	// A JSON-RPC request occupies one of the server's TCP workers, and every connection counts in its TCP statistics.
	client.MaxConnsPerHost = 1

	page := confighttp.NewDefaultClientConfig()
	page.Timeout = 0 // the timeout of the scrape applies
	page.MaxConnsPerHost = 1

	return &Config{
		ClientConfig:         client,
		ControllerConfig:     scrape.DefaultSchedule(),
		Targets:              fleet.DefaultTargets(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Statistics:           StatisticsConfig{Limit: 1000, Naming: namingAttributes},
		DispatcherTargets:    selection.Config{Limit: 1000},
		Htables:              selection.Config{Limit: 1000},
		UsrlocDomains:        selection.Config{Limit: 1000},
		Processes:            selection.Config{Limit: 1000},
		RTPEngine:            RTPEngineConfig{ClientConfig: page, Targets: fleet.DefaultTargets()},
		UserMetrics:          page,
		Pipes:                selection.Config{Limit: 1000},
	}
}

// endpoints returns the settings that contain the servers.
func (c *Config) endpoints() []fleet.Endpoint {
	return []fleet.Endpoint{
		{Client: &c.ClientConfig, Targets: &c.Targets, Path: "/RPC", Check: checkEndpoint},
		{Section: "rtpengine", Client: &c.RTPEngine.ClientConfig, Targets: &c.RTPEngine.Targets, Path: "/metrics", Check: checkRTPEngine},
	}
}

// Unmarshal reads the configuration. The timeout defaults to at most the collection interval.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	err := scrape.UnmarshalConfig(conf, c, &c.ControllerConfig)
	fleet.DropDefault(conf, c.endpoints())
	return err
}

// Validate checks the configuration. Each error names the setting and gives an example.
func (c *Config) Validate() error {
	errs := []error{
		fleet.Validate(c.endpoints(), &c.Shard),
		scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize),
		checkTimeout("rtpengine", &c.RTPEngine.ClientConfig), checkTimeout("user_metrics", &c.UserMetrics),
	}
	if c.UserMetrics.Endpoint != "" {
		if err := checkPage(c.UserMetrics.Endpoint, "http://127.0.0.1:5060/metrics"); err != nil {
			errs = append(errs, fmt.Errorf("user_metrics::%w", err))
		}
		if c.Targets.HasValue() {
			errs = append(errs, errors.New("user_metrics::endpoint: must not be set beside targets, because it belongs to one server"))
		}
	}
	for _, name := range c.DialogProfiles {
		if profile, _, _ := strings.Cut(name, "/"); profile == "" {
			errs = append(errs, fmt.Errorf("dialog_profiles: %q must be written profile or profile/value, such as caller/alice", name))
		}
	}
	return errors.Join(errs...)
}

func checkEndpoint(endpoint string) error {
	if isHTTP(endpoint) {
		return scrape.CheckEndpoint(endpoint)
	}
	if _, _, err := parseEndpoint(endpoint); err != nil {
		return fmt.Errorf("%w, or the URL of JSON-RPC, such as http://127.0.0.1:5060/RPC", err)
	}
	return nil
}

func checkRTPEngine(endpoint string) error {
	return checkPage(endpoint, "http://127.0.0.1:9901/metrics")
}

func checkPage(endpoint, example string) error {
	if err := scrape.CheckEndpoint(endpoint); err != nil {
		return fmt.Errorf("%w; of the page, such as %s", err, example)
	}
	return nil
}

func checkTimeout(section string, page *confighttp.ClientConfig) error {
	if page.Timeout != 0 {
		return fmt.Errorf("%s::timeout: must not be set, because the receiver has one timeout for all, such as timeout: 10s", section)
	}
	return nil
}
