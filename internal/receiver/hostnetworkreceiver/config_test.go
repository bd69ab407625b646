// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		settings map[string]any
		want     string // error
	}{
		"default":          {},
		"root":             {settings: map[string]any{"root_path": "testdata/host"}},
		"root is absent":   {settings: map[string]any{"root_path": "testdata/absent"}, want: "root_path: stat testdata/absent: no such file or directory"},
		"root is a file":   {settings: map[string]any{"root_path": "README.md"}, want: "root_path: README.md is not a directory"},
		"interval":         {settings: map[string]any{"collection_interval": "0s"}, want: "collection_interval: 0s must be more than 0"},
		"timeout":          {settings: map[string]any{"timeout": "1m"}, want: "timeout: 1m0s is longer than the collection_interval of 30s"},
		"unknown setting":  {settings: map[string]any{"root": "/"}, want: "root"},
		"short interval":   {settings: map[string]any{"collection_interval": "5s"}},
		"disabled metrics": {settings: map[string]any{"metrics": map[string]any{"rtc.host.network.udp.datagrams": map[string]any{"enabled": false}}}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			err := confmap.NewFromStringMap(tc.settings).Unmarshal(cfg)
			if err == nil {
				err = xconfmap.Validate(cfg)
			}
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			assert.LessOrEqual(t, cfg.ControllerConfig.Timeout, cfg.ControllerConfig.CollectionInterval)
			assert.Positive(t, cfg.ControllerConfig.CollectionInterval.Truncate(time.Second))
		})
	}
}
