// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// Config is what a user may write below kamailio.
type Config struct {
	// ClientConfig is how the server is reached: its endpoint is unix:// or tcp:// for BINRPC, http:// or https:// for
	// JSON-RPC, to which all other settings belong. Its Timeout is the controller's: one setting for both.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// ControllerConfig says how often the server is scraped, and how long a scrape may take as a whole.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// MaxResponseSize is the size in bytes, after decompression, above which an answer over HTTP is refused, at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig switches metrics and resource attributes on and off.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Statistics says which statistics of the script are reported, and how.
	Statistics StatisticsConfig `mapstructure:"statistics"`
	// DialogProfiles lists the profiles whose dialogs are counted, written profile or profile/value.
	DialogProfiles []string `mapstructure:"dialog_profiles"`
	// DispatcherTargets says which destinations are reported one by one. Names are written set/uri.
	DispatcherTargets selection.Config `mapstructure:"dispatcher_targets"`
	// Htables says which hash tables are reported.
	Htables selection.Config `mapstructure:"htables"`
	// UsrlocDomains says which tables of the user location module are reported.
	UsrlocDomains selection.Config `mapstructure:"usrloc_domains"`
	// Processes says which processes' memory is reported. Their names are their descriptions.
	Processes selection.Config `mapstructure:"processes"`
	// RTPEngine is the page of metrics of an rtpengine; none is read when its endpoint is empty.
	RTPEngine confighttp.ClientConfig `mapstructure:"rtpengine"`
	// UserMetrics is a page of metrics that passes through under its own names; none is read when its endpoint is empty.
	UserMetrics confighttp.ClientConfig `mapstructure:"user_metrics"`
}

// StatisticsConfig says which statistics without a metric of their own are reported, and how. Names are written group.name.
type StatisticsConfig struct {
	// Include lists the statistics to report; all when empty.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists statistics not to report; it wins over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the largest number of statistics to report at a time, at least 1.
	Limit int `mapstructure:"limit"`
	// Counters lists monotonic statistics, besides those that end in _total.
	Counters []filter.Config `mapstructure:"counters"`
	// Naming says how the group script is reported: attributes, or name for a metric per statistic, kamailio.script.<name>.
	Naming string `mapstructure:"naming"`
}

const (
	namingAttributes = "attributes"
	namingName       = "name"
)

// selection returns the selection of the statistics. It is not embedded, because errors would name its settings statistics::config::include.
func (c *StatisticsConfig) selection() selection.Config {
	return selection.Config{Include: c.Include, Exclude: c.Exclude, Limit: c.Limit}
}

// Validate refuses a limit that lets nothing through, and a naming that does not exist.
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
	// JSON-RPC keeps one of the server's TCP workers busy, and every connection counts in its TCP statistics.
	client.MaxConnsPerHost = 1

	page := confighttp.NewDefaultClientConfig()
	page.Timeout = 0 // that of the scrape
	page.MaxConnsPerHost = 1

	return &Config{
		ClientConfig:         client,
		ControllerConfig:     scrape.DefaultSchedule(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Statistics:           StatisticsConfig{Limit: 1000, Naming: namingAttributes},
		DispatcherTargets:    selection.Config{Limit: 1000},
		Htables:              selection.Config{Limit: 1000},
		UsrlocDomains:        selection.Config{Limit: 1000},
		Processes:            selection.Config{Limit: 1000},
		RTPEngine:            page,
		UserMetrics:          page,
	}
}

// Unmarshal reads the configuration. The timeout is no longer than the interval, unless the user wrote it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	return scrape.UnmarshalConfig(conf, c, &c.ControllerConfig)
}

// Validate refuses what cannot work, each complaint with the setting's name and an example.
func (c *Config) Validate() error {
	errs := []error{
		checkEndpoint(c.ClientConfig.Endpoint),
		scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize),
		checkPage("rtpengine", &c.RTPEngine, "http://127.0.0.1:9901/metrics"),
		checkPage("user_metrics", &c.UserMetrics, "http://127.0.0.1:5060/metrics"),
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

func checkPage(key string, page *confighttp.ClientConfig, example string) error {
	if page.Endpoint == "" {
		return nil
	}
	var errs []error
	if err := scrape.CheckEndpoint(page.Endpoint); err != nil {
		errs = append(errs, fmt.Errorf("%s::%w; of the page, such as %s", key, err, example))
	}
	if page.Timeout != 0 {
		errs = append(errs, fmt.Errorf("%s::timeout: must not be set, because the receiver has one timeout for all, such as timeout: 10s", key))
	}
	return errors.Join(errs...)
}
