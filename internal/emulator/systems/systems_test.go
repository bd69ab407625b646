// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package systems

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const root = "../../.."

// receivers returns the receivers of all systems.
func receivers() (names []string) {
	for _, s := range All {
		names = append(names, s.Receiver)
	}
	return names
}

// TestManifest checks that the manifest of the distribution has the same receivers as All, in the same order.
func TestManifest(t *testing.T) {
	content, err := os.ReadFile(root + "/builder-config.yaml")
	require.NoError(t, err)
	var manifest struct {
		Receivers []struct{ Import string }
	}
	require.NoError(t, yaml.Unmarshal(content, &manifest))
	var listed []string
	for _, r := range manifest.Receivers {
		if name, ours := strings.CutPrefix(r.Import, "github.com/otelcol-rtc/otelcol-rtc/receiver/"); ours {
			listed = append(listed, strings.TrimSuffix(name, "receiver"))
		}
	}
	assert.Equal(t, receivers(), listed)
}

// TestFolders checks that every system has its directories, and that every receiver belongs to a system.
func TestFolders(t *testing.T) {
	folders, err := filepath.Glob(root + "/receiver/*receiver")
	require.NoError(t, err)
	var found []string
	for _, folder := range folders {
		found = append(found, strings.TrimSuffix(filepath.Base(folder), "receiver"))
	}
	assert.ElementsMatch(t, receivers(), found)
	for _, name := range receivers() {
		assert.DirExists(t, filepath.Join(root, "internal", "emulator", name))
		assert.DirExists(t, filepath.Join(root, "testdata", name))
	}
}

// TestStart checks that the first server of every system starts, captured and scaled, and that its endpoint fits into the settings.
func TestStart(t *testing.T) {
	for _, s := range All {
		for _, size := range []int{0, 3} {
			server, err := s.Start(size)
			require.NoError(t, err, s.Receiver)
			server.Close()
			var settings map[string]any
			require.NoError(t, yaml.Unmarshal([]byte("{"+fmt.Sprintf(s.Settings, server.URL())+"}"), &settings))
			assert.Contains(t, fmt.Sprint(settings), "endpoint:"+server.URL(), s.Receiver)
		}
	}
}
