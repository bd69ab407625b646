// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-rtc/otelcol-rtc/internal/receiver/hostnetworkreceiver/internal/metadata"
)

const host, withoutIPv6 = "testdata/host", "testdata/without_ipv6"

// values holds the values of data points by metric, without the prefix that all have, and attributes.
type values map[string]int64

// hostValues are the expected values of testdata/host with all metrics.
var hostValues = values{
	"softnet.dropped_packets":                         427,
	"softnet.dropped_packets_by_cpu map[cpu:0]":       420,
	"softnet.dropped_packets_by_cpu map[cpu:3]":       7,
	"softnet.time_squeezes":                           31,
	"softnet.time_squeezes_by_cpu map[cpu:0]":         15,
	"softnet.time_squeezes_by_cpu map[cpu:3]":         16,
	"udp.checksum_errors map[type:ipv4]":              17,
	"udp.checksum_errors map[type:ipv6]":              19,
	"udp.datagrams map[direction:receive type:ipv4]":  514725,
	"udp.datagrams map[direction:receive type:ipv6]":  90210,
	"udp.datagrams map[direction:transmit type:ipv4]": 567216,
	"udp.datagrams map[direction:transmit type:ipv6]": 88123,
	"udp.receive_buffer_errors map[type:ipv4]":        51801,
	"udp.receive_buffer_errors map[type:ipv6]":        288,
	"udp.receive_errors map[type:ipv4]":               51823,
	"udp.receive_errors map[type:ipv6]":               309,
	"udp.send_buffer_errors map[type:ipv4]":           12,
	"udp.send_buffer_errors map[type:ipv6]":           6,
	"udp.unclaimed_datagrams map[type:ipv4]":          658,
	"udp.unclaimed_datagrams map[type:ipv6]":          41,
}

// newTestScraper returns a started scraper of the files below root, with all metrics.
func newTestScraper(t testing.TB, root string) *scraper {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = root
	metrics := reflect.ValueOf(&cfg.MetricsBuilderConfig.Metrics).Elem()
	for _, metric := range metrics.Fields() {
		metric.FieldByName("Enabled").SetBool(true)
	}
	s := &scraper{cfg: cfg, set: receivertest.NewNopSettings(metadata.Type), host: newHostFiles(root)}
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	return s
}

// read returns the values of a scrape. All must be monotonic sums that start at start.
func read(t testing.TB, md pmetric.Metrics, start time.Time) values {
	t.Helper()
	found := values{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				require.True(t, m.Sum().IsMonotonic(), m.Name())
				require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
				for _, dp := range m.Sum().DataPoints().All() {
					assert.Equal(t, start.UTC(), dp.StartTimestamp().AsTime(), m.Name())
					found[key(m.Name(), dp)] = dp.IntValue()
				}
			}
		}
	}
	return found
}

func key(name string, dp pmetric.NumberDataPoint) string {
	short := map[string]any{}
	for attribute, value := range dp.Attributes().All() {
		short[map[string]string{"cpu.logical_number": "cpu", "network.type": "type", "network.io.direction": "direction"}[attribute]] = value.AsRaw()
	}
	name = strings.TrimPrefix(name, "rtc.host.network.")
	if len(short) == 0 {
		return name
	}
	return fmt.Sprint(name, " ", short)
}

func TestScrape(t *testing.T) {
	md, err := newTestScraper(t, host).scrape(t.Context())
	require.NoError(t, err)
	assert.Equal(t, hostValues, read(t, md, time.Unix(1795278994, 0)))
}

// TestWithoutIPv6 checks that a kernel without IPv6 and with fewer counters is not an error.
func TestWithoutIPv6(t *testing.T) {
	md, err := newTestScraper(t, withoutIPv6).scrape(t.Context())
	require.NoError(t, err)
	assert.Equal(t, values{
		"softnet.dropped_packets":                         21,
		"softnet.dropped_packets_by_cpu map[cpu:0]":       10,
		"softnet.dropped_packets_by_cpu map[cpu:1]":       11,
		"softnet.time_squeezes":                           1,
		"softnet.time_squeezes_by_cpu map[cpu:0]":         0,
		"softnet.time_squeezes_by_cpu map[cpu:1]":         1,
		"udp.datagrams map[direction:receive type:ipv4]":  11,
		"udp.datagrams map[direction:transmit type:ipv4]": 14,
		"udp.receive_buffer_errors map[type:ipv4]":        15,
		"udp.receive_errors map[type:ipv4]":               13,
		"udp.send_buffer_errors map[type:ipv4]":           16,
		"udp.unclaimed_datagrams map[type:ipv4]":          12,
	}, read(t, md, time.Unix(1700000000, 0)))
}

// TestEachField checks that each field of the files affects exactly the metrics listed here. Fields that are not listed affect none.
func TestEachField(t *testing.T) {
	udp := func(version string) map[string][]string {
		in := func(metric string) []string { return []string{"udp." + metric + " map[type:" + version + "]"} }
		return map[string][]string{
			"InDatagrams":  {"udp.datagrams map[direction:receive type:" + version + "]"},
			"OutDatagrams": {"udp.datagrams map[direction:transmit type:" + version + "]"},
			"NoPorts":      in("unclaimed_datagrams"), "InErrors": in("receive_errors"), "RcvbufErrors": in("receive_buffer_errors"),
			"SndbufErrors": in("send_buffer_errors"), "InCsumErrors": in("checksum_errors"),
		}
	}
	fields := 0
	for name, affected := range map[string]func(line []string, field int) []string{
		"snmp": func(line []string, field int) []string {
			if line[0] != "Udp:" {
				return nil
			}
			names := strings.Fields("Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors")
			return udp("ipv4")[names[field]]
		},
		"snmp6": func(line []string, _ int) []string {
			if name, found := strings.CutPrefix(line[0], "Udp6"); found {
				return udp("ipv6")[name]
			}
			return nil
		},
		"softnet_stat": func(line []string, field int) []string {
			cpu := map[string]string{"00000000": " map[cpu:0]", "00000003": " map[cpu:3]"}[line[12]]
			switch field {
			case 1:
				return []string{"softnet.dropped_packets", "softnet.dropped_packets_by_cpu" + cpu}
			case 2:
				return []string{"softnet.time_squeezes", "softnet.time_squeezes_by_cpu" + cpu}
			}
			return nil
		},
	} {
		text, err := os.ReadFile(filepath.Join(host, "proc", "1", "net", name))
		require.NoError(t, err)
		eachNumber(string(text), func(line []string, field int, changed string) {
			if name == "softnet_stat" && field == columnCPU {
				return
			}
			fields++
			want := maps.Clone(hostValues)
			for _, point := range affected(line, field) {
				require.Contains(t, want, point)
				want[point] += 7
			}
			assert.Equal(t, want, scrapeWith(t, name, changed), "%s: field %d of %q", name, field, line)
		})
	}
	assert.Greater(t, fields, 80)
}

// eachNumber calls f with each line, the index of each number in it, and the text with that number increased by 7.
func eachNumber(text string, f func(line []string, field int, changed string)) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		fields := strings.Fields(line)
		for j, field := range fields {
			var n int64
			format := "%d"
			if len(field) == 8 && len(fields) > 12 && !strings.Contains(line, ":") {
				format = "%08x"
			}
			if _, err := fmt.Sscanf(field, format, &n); err != nil || strings.Trim(field, "-0123456789abcdef") != "" {
				continue
			}
			changedFields := append([]string{}, fields...)
			changedFields[j] = fmt.Sprintf(format, n+7)
			changedLines := append([]string{}, lines...)
			changedLines[i] = strings.Join(changedFields, " ")
			f(fields, j, strings.Join(changedLines, "\n"))
		}
	}
}

// scrapeWith returns the values of testdata/host with another content of a file.
func scrapeWith(t *testing.T, name, text string) values {
	t.Helper()
	root := copyOf(t, host)
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc", "1", "net", name), []byte(text), 0o600))
	md, err := newTestScraper(t, root).scrape(t.Context())
	require.NoError(t, err)
	return read(t, md, time.Unix(1795278994, 0))
}

// copyOf returns a temporary directory with the files of a directory.
func copyOf(t *testing.T, directory string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "host")
	require.NoError(t, os.CopyFS(root, os.DirFS(directory)))
	return root
}

// TestMalformed checks that a malformed or missing file costs only its own metrics, and that the error names it.
func TestMalformed(t *testing.T) {
	for name, tc := range map[string]struct {
		file, text, want string
		lost             string // beginning or end of the points that are missing
	}{
		"no UDP":              {"snmp", "Ip: A\nIp: 1\n", "snmp: no two lines begin with Udp", "type:ipv4]"},
		"names only":          {"snmp", "Udp: InErrors\n", "snmp: no two lines begin with Udp", "type:ipv4]"},
		"fewer values":        {"snmp", "Udp: InErrors NoPorts\nUdp: 1\n", "snmp: the lines Udp have 2 names and 1 values", "type:ipv4]"},
		"text":                {"snmp", "Udp: InErrors\nUdp: x\n", `snmp: counter InErrors of Udp: "x" is not a counter`, "type:ipv4]"},
		"negative":            {"snmp", "Udp: InErrors\nUdp: -1\n", `snmp: counter InErrors of Udp: "-1" is not a counter`, "type:ipv4]"},
		"too large":           {"snmp", "Udp: InErrors\nUdp: 9223372036854775808\n", "is not a counter", "type:ipv4]"},
		"empty":               {"snmp", "", "snmp: no two lines begin with Udp", "type:ipv4]"},
		"missing":             {"snmp", "absent", "snmp: no such file or directory", "type:ipv4]"},
		"IPv6: no value":      {"snmp6", "Udp6InErrors\n", `snmp6: counter Udp6InErrors: "" is not a counter`, "type:ipv6]"},
		"IPv6: text":          {"snmp6", "Udp6InErrors x\n", `snmp6: counter Udp6InErrors: "x" is not a counter`, "type:ipv6]"},
		"softnet: columns":    {"softnet_stat", "00 01\n", "softnet_stat: line 1 has 2 columns, expected at least 3", "softnet."},
		"softnet: text":       {"softnet_stat", "00 01 02\n00 0g 02\n", `softnet_stat: line 2, column 2: "0g" is not a counter`, "softnet."},
		"softnet: empty line": {"softnet_stat", "00 01 02\n\n", "softnet_stat: line 2 has 0 columns", "softnet."},
		"softnet: missing":    {"softnet_stat", "absent", "softnet_stat: no such file or directory", "softnet."},
	} {
		t.Run(name, func(t *testing.T) {
			root := copyOf(t, host)
			path := filepath.Join(root, "proc", "1", "net", tc.file)
			if tc.text == "absent" {
				require.NoError(t, os.Remove(path))
			} else {
				require.NoError(t, os.WriteFile(path, []byte(tc.text), 0o600))
			}
			md, err := newTestScraper(t, root).scrape(t.Context())
			require.ErrorContains(t, err, tc.want)
			assert.True(t, scrapererror.IsPartialScrapeError(err))
			want := values{}
			for point, n := range hostValues {
				if !strings.HasPrefix(point, tc.lost) && !strings.HasSuffix(point, tc.lost) {
					want[point] = n
				}
			}
			assert.Equal(t, want, read(t, md, time.Unix(1795278994, 0)))
		})
	}
}

func TestStartFails(t *testing.T) {
	for name, tc := range map[string]struct{ stat, want string }{
		"no boot time":   {"cpu 1\n", "stat has no line btime"},
		"bad boot time":  {"btime x\n", `btime: "x" is not a counter`},
		"file is absent": {"", "no such file or directory: check the setting root_path"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if tc.stat != "" {
				require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(root, "proc", "stat"), []byte(tc.stat), 0o600))
			}
			s := &scraper{cfg: createDefaultConfig().(*Config), set: receivertest.NewNopSettings(metadata.Type), host: newHostFiles(root)}
			require.ErrorContains(t, s.start(t.Context(), componenttest.NewNopHost()), tc.want)
		})
	}
}

func TestOtherSystems(t *testing.T) {
	require.NoError(t, checkSystem("linux"))
	require.EqualError(t, checkSystem("windows"),
		"the receiver requires the proc file system of Linux, which windows does not have: remove the receiver from the configuration")
}

// TestReceiver checks the points of the default metrics, from the factory to the consumer.
func TestReceiver(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = host
	cfg.ControllerConfig.InitialDelay = 0
	metrics := make(chan pmetric.Metrics, 1)
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		metrics <- md
		return nil
	})
	require.NoError(t, err)
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	assert.Equal(t, 16, (<-metrics).DataPointCount())
	require.NoError(t, r.Shutdown(t.Context()))
}
