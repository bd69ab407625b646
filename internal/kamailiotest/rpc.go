// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailiotest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
)

// Statistics returns the result of stats.fetch over BINRPC, which does not change any statistic.
func (s *Server) Statistics(t testing.TB, names ...string) map[string]int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	conn, err := binrpc.Dial(ctx, s.Unix)
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // the connection is no longer needed
	values := map[string]int64{}
	require.NoError(t, conn.Call(ctx, binrpc.NewRequest("stats.fetch", names...), func(records binrpc.Records) error {
		for _, record := range records.All() {
			for name, value := range record.Records().All() {
				text, _ := value.Text()
				values[string(name)] = number(t, string(text))
			}
		}
		return nil
	}))
	return values
}

// number parses a statistic, which Kamailio prints as an unsigned number.
func number(t testing.TB, text string) int64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err)
	return int64(n) //nolint:gosec // two's complement
}

// JSON makes a call over JSON-RPC and decodes the result. Kamailio counts it in its statistics of requests and replies.
func (s *Server) JSON(t testing.TB, result any, method string, params ...any) {
	t.Helper()
	request, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": append([]any{}, params...)})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.JSONRPC, bytes.NewReader(request))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer := struct {
		Result any
		Error  any
	}{Result: result}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Nil(t, answer.Error, "%s", method)
}
