// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// TestCredentialFile checks that a credential in a file is used as soon as it changes, without a restart.
func TestCredentialFile(t *testing.T) {
	for system, tc := range map[string]struct{ url, setting string }{
		"zlmediakit": {emulatortest.Start(t, zlmediakit.New, zlmediakit.Options{Secret: foreignSecret}).URL(), "secret_file"},
		"mediasoup":  {emulatortest.Start(t, mediasoup.NewAgent, mediasoup.AgentOptions{Token: foreignSecret}).URL(), "token_file"},
	} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "credential")
			write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
			write(foreignSecret + "\n")
			id := component.MustNewIDWithName(system, t.Name())
			r, sink, logs := startReceiver(t, id, fmt.Sprintf("{endpoint: %q, %s: %q, collection_interval: 50ms, initial_delay: 1ms}", tc.url, tc.setting, file))
			for _, step := range []struct {
				text string
				up   float64
			}{{foreignSecret, 1}, {"wrong", 0}, {foreignSecret, 1}} {
				write(step.text)
				require.Eventually(t, func() bool { return isUp(t, sink) == step.up }, 10*time.Second, 10*time.Millisecond)
			}
			require.NoError(t, r.Shutdown(t.Context()))
			for _, entry := range logs.All() {
				rtctest.NoSecret(t, foreignSecret, fmt.Sprint(entry.Message, entry.ContextMap()))
			}
		})
	}
}

// isUp returns the last value of rtc.target.up, or -1 if there is none.
func isUp(t *testing.T, sink *consumertest.MetricsSink) float64 {
	t.Helper()
	all := sink.AllMetrics()
	if len(all) == 0 {
		return -1
	}
	up, found := rtctest.Points(t, all[len(all)-1])["rtc.target.up{}"]
	if !found {
		return -1
	}
	return up
}

// TestMissingCredentialFile checks that the error names the setting and the file.
func TestMissingCredentialFile(t *testing.T) {
	cfg, err := loadReceiver(t, "zlmediakit", "secret_file: /no/such/file")
	require.NoError(t, err)
	set := receivertest.NewNopSettings(component.MustNewType("zlmediakit"))
	r, err := factories["zlmediakit"].CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	err = r.Start(t.Context(), componenttest.NewNopHost())
	require.EqualError(t, err, "secret_file: open /no/such/file: no such file or directory")
	assert.NoError(t, r.Shutdown(t.Context()))
}
