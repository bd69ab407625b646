// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"os"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// TestCompose checks that the example for Docker Compose is valid, that the collector has its configurations, and that the name that it
// resolves is a service with several containers in its network.
func TestCompose(t *testing.T) {
	const file = "../../distribution/compose/compose.yaml"
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  "../../distribution/compose",
		ConfigFiles: types.ToConfigFiles([]string{file}),
		Environment: types.Mapping{"ZLMEDIAKIT_SECRET": "something"},
	}, func(o *loader.Options) { o.SetProjectName("example", true) })
	require.NoError(t, err)
	collector := project.Services["otelcol-rtc"]

	mounted := map[string]string{}
	for _, c := range collector.Configs {
		mounted[c.Target] = project.Configs[c.Source].File
	}
	last := ""
	for _, argument := range collector.Command {
		if argument != "--config" {
			require.Contains(t, mounted, argument)
			last = mounted[argument]
		}
	}
	text, err := os.ReadFile(last)
	require.NoError(t, err)
	var config struct {
		Receivers map[string]struct {
			Targets struct{ DNS []struct{ Name string } }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &config))
	server, found := project.Services[config.Receivers["zlmediakit"].Targets.DNS[0].Name]
	require.True(t, found)
	assert.Equal(t, 3, server.GetScale())
	assert.Equal(t, server.Networks, collector.Networks)

	assert.Equal(t, "something", *collector.Environment["ZLMEDIAKIT_SECRET"])
	require.Len(t, collector.Ports, 2)
	for _, port := range collector.Ports {
		assert.Equal(t, "127.0.0.1", port.HostIP)
	}
	assert.True(t, collector.ReadOnly)
	assert.Equal(t, []string{"ALL"}, collector.CapDrop)
}
