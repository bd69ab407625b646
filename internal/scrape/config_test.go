// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
)

// scheduled is a configuration with a schedule.
type scheduled struct {
	Endpoint   string                         `mapstructure:"endpoint"`
	Secret     configopaque.String            `mapstructure:"secret"`
	SecretFile string                         `mapstructure:"secret_file"`
	Controller scraperhelper.ControllerConfig `mapstructure:",squash"`
}

func (c *scheduled) Unmarshal(conf *confmap.Conf) error {
	return UnmarshalConfig(conf, c, &c.Controller)
}

func TestSchedule(t *testing.T) {
	for name, tc := range map[string]struct {
		written map[string]any
		timeout time.Duration
		message string
	}{
		"defaults":                {map[string]any{}, 10 * time.Second, ""},
		"a short interval":        {map[string]any{"collection_interval": "5s"}, 5 * time.Second, ""},
		"a long interval":         {map[string]any{"collection_interval": "1m"}, 10 * time.Second, ""},
		"both":                    {map[string]any{"collection_interval": "5s", "timeout": "5s"}, 5 * time.Second, ""},
		"a long timeout":          {map[string]any{"timeout": "40s"}, 40 * time.Second, "timeout: 40s is longer than the collection_interval of 30s: remove the setting, or set it to at most 30s"},
		"an interval of no unit":  {map[string]any{"collection_interval": 15}, 10 * time.Second, "collection_interval: 15ns is too short: write the unit, such as 15s"},
		"a timeout of no unit":    {map[string]any{"timeout": 5}, 5, "timeout: 5ns is too short: write the unit, such as 5s"},
		"no timeout":              {map[string]any{"timeout": "0s"}, 0, "timeout: 0s must be more than 0, such as 10s"},
		"a negative interval":     {map[string]any{"collection_interval": "-1s"}, 10 * time.Second, "collection_interval: -1s must be more than 0, such as 10s"},
		"a millisecond is enough": {map[string]any{"collection_interval": "1ms"}, time.Millisecond, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := scheduled{Controller: scraperhelper.ControllerConfig{CollectionInterval: 30 * time.Second, Timeout: 10 * time.Second}}
			require.NoError(t, confmap.NewFromStringMap(tc.written).Unmarshal(&c))
			assert.Equal(t, tc.timeout, c.Controller.Timeout)
			if tc.message == "" {
				require.NoError(t, CheckSchedule(c.Controller))
			} else {
				require.EqualError(t, CheckSchedule(c.Controller), tc.message)
			}
		})
	}
}

// TestUnmarshalConfigIsStrict checks that an unknown setting is an error.
func TestUnmarshalConfigIsStrict(t *testing.T) {
	require.ErrorContains(t, confmap.NewFromStringMap(map[string]any{"endpont": "x"}).Unmarshal(&scheduled{}), "endpont")
}

func TestCheckEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://10.0.0.5:8080":        "",
		"https://media.example":       "",
		"HTTP://media.example":        "",
		"http://[::1]:80/base/":       "",
		"":                            "must be an http or https URL",
		"media.example":               "must be an http or https URL",
		"media.example:80":            "must be an http or https URL",
		"10.0.0.5:80":                 "must be an http or https URL",
		"http://":                     "must be an http or https URL",
		"http://:8080":                "must be an http or https URL",
		"http:///path":                "must be an http or https URL",
		"http:media.example":          "must be an http or https URL",
		"ftp://media.example":         "must be an http or https URL",
		"unix:///run/media.sock":      "must be an http or https URL",
		"http://media.example:port":   "must be an http or https URL",
		"http://media.example/\x7f":   "must be an http or https URL",
		"http://u:pa55w0rd@example":   "must not hold a user name or password",
		"http://pa55w0rd@example":     "must not hold a user name or password",
		"http://example/?s=pa55w0rd":  "must not hold a query or fragment",
		"http://example/#pa55w0rd":    "must not hold a query or fragment",
		"http://:pa55w0rd@exa mple":   "must be an http or https URL",
		"http://example:80?=pa55w0rd": "must not hold a query or fragment",
	} {
		t.Run(endpoint, func(t *testing.T) {
			err := CheckEndpoint(endpoint)
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "endpoint: "+want)
			assert.NotContains(t, err.Error(), "pa55w0rd")
		})
	}
}

func TestCheckResponseSize(t *testing.T) {
	require.NoError(t, CheckResponseSize(1024))
	for _, size := range []int64{-1, 0, 1023} {
		require.EqualError(t, CheckResponseSize(size), fmt.Sprintf("max_response_size: %d must be at least 1024 bytes, such as 268435456", size))
	}
}
