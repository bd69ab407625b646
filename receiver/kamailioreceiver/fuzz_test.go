// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// canned is a transport that gives every call the same reply.
type canned struct{ asList, asOne []value }

func (c *canned) do(_ context.Context, calls []*call) {
	for _, made := range calls {
		reply := c.asOne
		if lists[made.method] {
			reply = c.asList
		}
		made.err = made.read(reply)
	}
}

func (*canned) close() {}

// FuzzAnswers reads an arbitrary JSON-RPC response as that of each method and records it. Every recorded string must be valid and
// bounded, and invalid JSON must be refused.
func FuzzAnswers(f *testing.F) {
	for _, method := range []string{apiStatistics, apiDispatcher, apiRTPEngines, apiHtables, apiDMQ, apiPike, apiUptime, apiVersion, apiTransactions, "no.such_method", "6.1/" + apiRTPEngines, "6.1/" + apiDMQ, "sample/" + apiStatistics} {
		text, err := os.ReadFile(filepath.Join(captures, "jsonrpc", method+".json"))
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"result":[{"entry":0,"used":4294967295,"free":-1,"real_used":1.5,"desc":"\ud800"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		asOne, err := readAnswer(text, false)
		asList, errList := readAnswer(text, true)
		if err != nil && errList != nil {
			return
		}
		assert.True(t, json.Valid(text))
		s, _ := startSystem(t, createDefaultConfig().ClientConfig.Endpoint, everything)
		s.client.transport = &canned{asList, asOne}
		metrics, _ := s.Scrape(t.Context())
		for _, rm := range metrics.ResourceMetrics().All() {
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				for _, dp := range rtctest.NumberPoints(m).All() {
					for key, value := range dp.Attributes().All() {
						assert.True(t, utf8.ValidString(value.Str()), key)
						assert.LessOrEqual(t, len(value.Str()), 256, key)
					}
				}
			}
		}
	})
}
