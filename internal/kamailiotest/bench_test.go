// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailiotest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
)

// BenchmarkRPC measures each call of the receiver separately: the size of the reply, the median duration, and the CPU time of
// Kamailio per call.
func BenchmarkRPC(b *testing.B) {
	s := Start(b, Options{RTPEngine: true, TLS: true, DMQ: true})
	s.Drive(b, Calls{Scenario: "register", User: "u", Count: 4})
	s.Hold(b, "u1", 4)
	for _, call := range []string{
		"core.uptime", "system.listMethods", "core.version", "stats.fetch all", "pkg.stats", "core.tcp_info", "tls.info", "tm.stats",
		"dlg.stats_active", "dlg.profile_get_size inbound", "dispatcher.list", "rtpengine.show all", "rtpengine.get_hash_total",
		"htable.stats", "pike.top ALL", "dmq.list_nodes",
	} {
		words := strings.Fields(call)
		b.Run(strings.ReplaceAll(call, " ", "_"), func(b *testing.B) { s.benchmark(b, binrpc.NewRequest(words[0], words[1:]...)) })
	}
}

func (s *Server) benchmark(b *testing.B, request binrpc.Request) {
	b.Helper()
	conn, err := binrpc.Dial(b.Context(), s.Unix)
	require.NoError(b, err)
	defer conn.Close() //nolint:errcheck // nothing to do about it
	var times []time.Duration
	size := 0
	before := s.cpuTime(b)
	for b.Loop() {
		start := time.Now()
		require.NoError(b, conn.Call(b.Context(), request, func(records binrpc.Records) error {
			size = records.Size()
			return nil
		}))
		times = append(times, time.Since(start))
	}
	used := s.cpuTime(b) - before
	slices.Sort(times)
	b.ReportMetric(float64(size), "reply-B")
	b.ReportMetric(times[len(times)/2].Seconds()*1e6, "median-µs")
	b.ReportMetric(used.Seconds()*1e6/float64(len(times)), "server-µs")
}

// cpuTime returns the CPU time of all processes of Kamailio.
func (s *Server) cpuTime(b *testing.B) (sum time.Duration) {
	b.Helper()
	const tick = 10 * time.Millisecond // USER_HZ
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(b, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the process has exited
		}
		_, rest, _ := strings.Cut(string(text), ") ") // skip pid and name, which may contain spaces
		fields := strings.Fields(rest)                // state, ppid, pgrp ... utime, stime
		if fields[2] != strconv.Itoa(s.kamailio.cmd.Process.Pid) {
			continue
		}
		for _, field := range fields[11:13] {
			ticks, err := strconv.ParseInt(field, 10, 64)
			require.NoError(b, err)
			sum += time.Duration(ticks) * tick
		}
	}
	require.Positive(b, sum, fmt.Sprint("no CPU time of ", s.kamailio.cmd.Process.Pid))
	return sum
}
