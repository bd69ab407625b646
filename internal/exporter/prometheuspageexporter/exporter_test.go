// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package prometheuspageexporter

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/prometheuspageexporter/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/prometheuspageexporter/internal/metadatatest"
)

// running is a started exporter with a client of its page.
type running struct {
	exporter.Metrics
	client *http.Client
	url    string
}

// start starts an exporter that listens on a socket.
func start(t *testing.T, settings exporter.Settings, host component.Host, change func(*Config)) running {
	t.Helper()
	directory, err := os.MkdirTemp("", "page") //nolint:usetesting // paths of sockets must be short
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(directory)) })
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr = confignet.AddrConfig{Endpoint: filepath.Join(directory, "socket"), Transport: confignet.TransportTypeUnix}
	if change != nil {
		change(config)
	}
	require.NoError(t, config.Validate())
	metrics, err := NewFactory().CreateMetrics(t.Context(), settings, config)
	require.NoError(t, err)
	require.NoError(t, metrics.Start(t.Context(), host))
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", config.ServerConfig.NetAddr.Endpoint)
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, metrics.Shutdown(context.WithoutCancel(t.Context())))
	})
	return running{metrics, &http.Client{Transport: transport}, "http://example.com/metrics"}
}

// fetch returns the page, and the type and coding of the response.
func (r running) fetch(t *testing.T, headers ...string) (page, contentType, encoding string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url, http.NoBody)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := r.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	encoding = response.Header.Get("Content-Encoding")
	var reader io.Reader = response.Body
	if encoding == "gzip" {
		reader, err = gzip.NewReader(reader)
		require.NoError(t, err)
	}
	body, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(body), response.Header.Get("Content-Type"), encoding
}

// sample has a metric of each type.
func sample() pmetric.Metrics {
	const at = pcommon.Timestamp(1700000000123 * 1e6)
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "zlm")
	rm.Resource().Attributes().PutStr("service.instance.id", "host:80")
	rm.Resource().Attributes().PutStr("site", "fra")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("scope")
	list := sm.Metrics()

	gauge := list.AppendEmpty()
	gauge.SetName("server.load")
	gauge.SetDescription("The \"load\".\nC:\\")
	p := gauge.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(at)
	p.SetDoubleValue(0.5)

	counter := list.AppendEmpty()
	counter.SetName("server.io")
	counter.SetUnit("By")
	counter.SetEmptySum().SetIsMonotonic(true)
	counter.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p = counter.Sum().DataPoints().AppendEmpty()
	p.SetTimestamp(at)
	p.SetStartTimestamp(at - 1000e9)
	p.SetIntValue(12345678901)
	p.Attributes().PutStr("io.direction", `a"b`)

	histogram := list.AppendEmpty()
	histogram.SetName("duration")
	histogram.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	h := histogram.Histogram().DataPoints().AppendEmpty()
	h.SetTimestamp(at)
	h.SetStartTimestamp(at - 1000e9)
	h.SetCount(3)
	h.SetSum(7)
	h.ExplicitBounds().FromRaw([]float64{1, 2.5})
	h.BucketCounts().FromRaw([]uint64{1, 1, 1})

	summary := list.AppendEmpty()
	summary.SetName("latency")
	s := summary.SetEmptySummary().DataPoints().AppendEmpty()
	s.SetTimestamp(at)
	s.SetCount(2)
	s.SetSum(3)
	q := s.QuantileValues().AppendEmpty()
	q.SetQuantile(0.9)
	q.SetValue(2)
	return metrics
}

const target = `instance="host:80",job="zlm"`

func TestFormats(t *testing.T) {
	for name, test := range map[string]struct {
		change                    func(*Config)
		accept, contentType, page string
	}{
		"text": {nil, "", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", `
# HELP duration 
# TYPE duration histogram
duration_bucket{TARGET,le="1"} 1
duration_bucket{TARGET,le="2.5"} 2
duration_bucket{TARGET,le="+Inf"} 3
duration_sum{TARGET} 7
duration_count{TARGET} 3
# HELP latency 
# TYPE latency summary
latency{TARGET,quantile="0.9"} 2
latency_sum{TARGET} 3
latency_count{TARGET} 2
# HELP server_io_bytes_total 
# TYPE server_io_bytes_total counter
server_io_bytes_total{instance="host:80",io_direction="a\"b",job="zlm"} 12345678901
# HELP server_load The "load".\nC:\\
# TYPE server_load gauge
server_load{TARGET} 0.5
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{TARGET,site="fra"} 1
`},
		"timestamps and labels": {func(c *Config) {
			c.SendTimestamps, c.ConstLabels, c.ResourceLabels, c.Namespace = true, map[string]string{"env": "prod"}, []string{"site", "rack"}, "rtc"
		}, "", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", `
# HELP rtc_duration 
# TYPE rtc_duration histogram
rtc_duration_bucket{env="prod",TARGET,site="fra",le="1"} 1 1700000000123
rtc_duration_bucket{env="prod",TARGET,site="fra",le="2.5"} 2 1700000000123
rtc_duration_bucket{env="prod",TARGET,site="fra",le="+Inf"} 3 1700000000123
rtc_duration_sum{env="prod",TARGET,site="fra"} 7 1700000000123
rtc_duration_count{env="prod",TARGET,site="fra"} 3 1700000000123
# HELP rtc_latency 
# TYPE rtc_latency summary
rtc_latency{env="prod",TARGET,site="fra",quantile="0.9"} 2 1700000000123
rtc_latency_sum{env="prod",TARGET,site="fra"} 3 1700000000123
rtc_latency_count{env="prod",TARGET,site="fra"} 2 1700000000123
# HELP rtc_server_io_bytes_total 
# TYPE rtc_server_io_bytes_total counter
rtc_server_io_bytes_total{env="prod",instance="host:80",io_direction="a\"b",job="zlm",site="fra"} 12345678901 1700000000123
# HELP rtc_server_load The "load".\nC:\\
# TYPE rtc_server_load gauge
rtc_server_load{env="prod",TARGET,site="fra"} 0.5 1700000000123
# HELP rtc_target_info Target metadata
# TYPE rtc_target_info gauge
rtc_target_info{TARGET,site="fra"} 1
`},
		"OpenMetrics": {
			func(c *Config) { c.EnableOpenMetrics, c.SendTimestamps = true, true },
			"application/openmetrics-text; version=1.0.0, text/plain;q=0.5", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores", `
# HELP duration 
# TYPE duration histogram
duration_bucket{TARGET,le="1"} 1 1700000000.123
duration_bucket{TARGET,le="2.5"} 2 1700000000.123
duration_bucket{TARGET,le="+Inf"} 3 1700000000.123
duration_sum{TARGET} 7 1700000000.123
duration_count{TARGET} 3 1700000000.123
duration_created{TARGET} 1699999000.123
# HELP latency 
# TYPE latency summary
latency{TARGET,quantile="0.9"} 2 1700000000.123
latency_sum{TARGET} 3 1700000000.123
latency_count{TARGET} 2 1700000000.123
# HELP server_io_bytes 
# TYPE server_io_bytes counter
server_io_bytes_total{instance="host:80",io_direction="a\"b",job="zlm"} 12345678901 1700000000.123
server_io_bytes_created{instance="host:80",io_direction="a\"b",job="zlm"} 1699999000.123
# HELP server_load The \"load\".\nC:\\
# TYPE server_load gauge
server_load{TARGET} 0.5 1700000000.123
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{TARGET,site="fra"} 1
# EOF
`,
		},
		"UTF-8": {
			func(c *Config) {
				c.TranslationStrategy, c.EnableOpenMetrics = otlptranslator.NoUTF8EscapingWithSuffixes, true
			},
			"application/openmetrics-text; version=1.0.0; escaping=allow-utf-8", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8", `
# HELP duration 
# TYPE duration histogram
duration_bucket{TARGET,le="1"} 1
duration_bucket{TARGET,le="2.5"} 2
duration_bucket{TARGET,le="+Inf"} 3
duration_sum{TARGET} 7
duration_count{TARGET} 3
duration_created{TARGET} 1699999000.123
# HELP latency 
# TYPE latency summary
latency{TARGET,quantile="0.9"} 2
latency_sum{TARGET} 3
latency_count{TARGET} 2
# HELP "server.io_bytes" 
# TYPE "server.io_bytes" counter
{"server.io_bytes_total",instance="host:80","io.direction"="a\"b",job="zlm"} 12345678901
{"server.io_bytes_created",instance="host:80","io.direction"="a\"b",job="zlm"} 1699999000.123
# HELP "server.load" The \"load\".\nC:\\
# TYPE "server.load" gauge
{"server.load",TARGET} 0.5
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{TARGET,site="fra"} 1
# EOF
`,
		},
		"UTF-8 for clients without it, and protobuf": {
			func(c *Config) {
				c.TranslationStrategy, c.ConstLabels, c.Namespace = otlptranslator.NoTranslation, map[string]string{`"a:b`: "x,y"}, `n"s`
			}, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited, text/plain; version=0.0.4",
			"text/plain; version=0.0.4; charset=utf-8; escaping=underscores", `
# HELP n_s_duration 
# TYPE n_s_duration histogram
n_s_duration_bucket{_a_b="x,y",TARGET,le="1"} 1
n_s_duration_bucket{_a_b="x,y",TARGET,le="2.5"} 2
n_s_duration_bucket{_a_b="x,y",TARGET,le="+Inf"} 3
n_s_duration_sum{_a_b="x,y",TARGET} 7
n_s_duration_count{_a_b="x,y",TARGET} 3
# HELP n_s_latency 
# TYPE n_s_latency summary
n_s_latency{_a_b="x,y",TARGET,quantile="0.9"} 2
n_s_latency_sum{_a_b="x,y",TARGET} 3
n_s_latency_count{_a_b="x,y",TARGET} 2
# HELP n_s_server_io 
# TYPE n_s_server_io counter
n_s_server_io{_a_b="x,y",instance="host:80",io_direction="a\"b",job="zlm"} 12345678901
# HELP n_s_server_load The "load".\nC:\\
# TYPE n_s_server_load gauge
n_s_server_load{_a_b="x,y",TARGET} 0.5
# HELP n_s_target_info Target metadata
# TYPE n_s_target_info gauge
n_s_target_info{TARGET,site="fra"} 1
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, exportertest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), test.change)
			require.NoError(t, r.ConsumeMetrics(t.Context(), sample()))
			page, contentType, _ := r.fetch(t, "Accept", test.accept)
			assert.Equal(t, strings.TrimPrefix(strings.ReplaceAll(test.page, "TARGET", target), "\n"), page)
			assert.Equal(t, test.contentType, contentType)
		})
	}
}

func TestGzip(t *testing.T) {
	r := start(t, exportertest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), nil)
	require.NoError(t, r.ConsumeMetrics(t.Context(), sample()))
	plain, _, _ := r.fetch(t)
	for accept, want := range map[string]string{
		"gzip": "gzip", "deflate, gzip;q=0.5": "gzip", "br,GZIP": "", "gzip;q=0": "", "gzip; q=0.0": "", "identity": "", "zstd": "",
	} {
		page, _, encoding := r.fetch(t, "Accept-Encoding", accept)
		assert.Equal(t, want, encoding, accept)
		assert.Equal(t, plain, page, accept)
	}
}

// TestCompleteness checks that the context reaches the store.
func TestCompleteness(t *testing.T) {
	r := start(t, exportertest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), nil)
	require.NoError(t, r.ConsumeMetrics(completeness.With(t.Context(), completeness.Full), sample()))
	later := sample()
	later.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Name() != "server.load" })
	require.NoError(t, r.ConsumeMetrics(t.Context(), later))
	page, _, _ := r.fetch(t)
	assert.Contains(t, page, "server_io_bytes_total{")
	require.NoError(t, r.ConsumeMetrics(completeness.With(t.Context(), completeness.Full), later))
	page, _, _ = r.fetch(t)
	assert.NotContains(t, page, "server_io_bytes_total{")
	assert.Contains(t, page, "server_load{")
}

// TestSilence checks that the page becomes empty by itself.
func TestSilence(t *testing.T) {
	r := start(t, exportertest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), func(c *Config) { c.MetricExpiration = time.Millisecond })
	require.NoError(t, r.ConsumeMetrics(t.Context(), sample()))
	require.Eventually(t, func() bool {
		page, _, _ := r.fetch(t)
		return page == ""
	}, 10*time.Second, time.Millisecond)
}

func TestRefused(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	settings := metadatatest.NewSettings(telemetry)
	settings.ID = component.NewID(metadata.Type)
	core, logs := observer.New(zapcore.WarnLevel)
	settings.Logger = zap.New(core)
	r := start(t, settings, componenttest.NewNopHost(), nil)
	metrics := pmetric.NewMetrics()
	list := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for _, name := range []string{"exponential", "delta", "updown", "日本", "labels", "le"} {
		list.AppendEmpty().SetName(name)
	}
	list.At(0).SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	list.At(1).SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	list.At(1).Histogram().DataPoints().AppendEmpty()
	list.At(1).Histogram().DataPoints().AppendEmpty()
	list.At(2).SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	list.At(2).Sum().DataPoints().AppendEmpty()
	list.At(3).SetEmptyGauge().DataPoints().AppendEmpty()
	list.At(4).SetEmptyGauge().DataPoints().AppendEmpty().Attributes().PutStr("__name__", "x")
	list.At(5).SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	list.At(5).Histogram().DataPoints().AppendEmpty().Attributes().PutStr("le", "1")
	for range 2 {
		require.NoError(t, r.ConsumeMetrics(t.Context(), metrics))
	}
	page, _, _ := r.fetch(t)
	assert.Empty(t, page)
	point := func(reason string, value int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String("reason", reason)), Value: value}
	}
	metadatatest.AssertEqualExporterPrometheusPageRefusedPoints(t, telemetry, []metricdata.DataPoint[int64]{
		point("exponential_histogram", 2), point("temporality", 6), point("metric_name", 2), point("labels", 4),
	}, metricdatatest.IgnoreTimestamp())
	var logged []string
	for _, entry := range logs.All() {
		logged = append(logged, entry.ContextMap()["metric"].(string)+": "+entry.Message)
	}
	assert.Equal(t, []string{
		"exponential: data points cannot be on the page: let the sender use explicit buckets, or export it over OTLP or remote write",
		"delta: data points cannot be on the page: let the sender use cumulative temporality, or convert with the processor deltatocumulative on the way",
		"updown: data points cannot be on the page: let the sender use cumulative temporality, or convert with the processor deltatocumulative on the way",
		"日本: data points cannot be on the page: rename the metric",
		"labels: data points cannot be on the page: rename or remove attributes",
		"le: data points cannot be on the page: rename or remove attributes",
	}, logged)
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

// authenticator is an extension that accepts one password.
type authenticator struct {
	component.StartFunc
	component.ShutdownFunc
	extensionauth.ServerAuthenticateFunc
}

type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func TestTLSAndPassword(t *testing.T) {
	id := component.MustNewID("basicauth")
	h := host{componenttest.NewNopHost(), map[component.ID]component.Component{id: authenticator{
		ServerAuthenticateFunc: func(ctx context.Context, sources map[string][]string) (context.Context, error) {
			if strings.Join(sources["Authorization"], "") != "Basic dTpw" {
				return ctx, errors.New("wrong password")
			}
			return ctx, nil
		},
	}}}
	server := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer server.Close()
	certificate := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	require.NoError(t, err)
	r := start(t, exportertest.NewNopSettings(metadata.Type), h, func(c *Config) {
		c.ServerConfig.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{
			CertPem: configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
			KeyPem:  configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		}})
		c.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
	})
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	r.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	r.url = "https://example.com/metrics"

	response, err := r.client.Get(r.url) //nolint:noctx // a test
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)

	require.NoError(t, r.ConsumeMetrics(t.Context(), sample()))
	page, _, _ := r.fetch(t, "Authorization", "Basic dTpw")
	assert.Contains(t, page, "server_load{")
}

// TestNotStarted checks that an address in use fails the start, and that the exporter can be shut down afterwards.
func TestNotStarted(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, listener.Close()) }()
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr.Endpoint = listener.Addr().String()
	metrics, err := NewFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(metadata.Type), config)
	require.NoError(t, err)
	require.ErrorContains(t, metrics.Start(t.Context(), componenttest.NewNopHost()), "address already in use")
	require.NoError(t, metrics.Shutdown(t.Context()))
}
