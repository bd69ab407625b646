// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package page_test compares the exporter prometheus_page with contrib's prometheus exporter.
package page_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/prometheuspageexporter"
)

// compared counts pages of both exporters that were found equal.
var compared atomic.Int64

func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Printf("%d pages compared\n", compared.Load())
	os.Exit(code)
}

const (
	plain       = "text/plain;version=0.0.4"
	plainUTF8   = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5"
	openMetrics = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2"
)

// server is a running exporter.
type server struct {
	exporter.Metrics
	client *http.Client
}

// start starts an exporter that listens on a socket.
func start(t testing.TB, factory exporter.Factory, settings map[string]any) server {
	t.Helper()
	directory, err := os.MkdirTemp("", "page") //nolint:usetesting // paths of sockets must be short
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(directory)) })
	socket := filepath.Join(directory, "socket")
	conf := confmap.NewFromStringMap(map[string]any{"endpoint": socket, "transport": "unix"})
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(settings)))
	config := factory.CreateDefaultConfig()
	require.NoError(t, conf.Unmarshal(config))
	set := exportertest.NewNopSettings(factory.Type())
	set.Logger = zap.NewNop()
	metrics, err := factory.CreateMetrics(t.Context(), set, config)
	require.NoError(t, err)
	require.NoError(t, metrics.Start(t.Context(), componenttest.NewNopHost()))
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, metrics.Shutdown(context.WithoutCancel(t.Context())))
	})
	return server{metrics, &http.Client{Transport: transport}}
}

// fetch returns the page and its type.
func (s server) fetch(t testing.TB, accept, encoding string) (body []byte, contentType string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://exporter/metrics", http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Accept", accept)
	request.Header.Set("Accept-Encoding", encoding)
	response, err := s.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var reader io.Reader = response.Body
	require.Equal(t, encoding == "gzip", response.Header.Get("Content-Encoding") == "gzip")
	if encoding == "gzip" {
		reader, err = gzip.NewReader(reader)
		require.NoError(t, err)
	}
	body, err = io.ReadAll(reader)
	require.NoError(t, err)
	if response.StatusCode != http.StatusOK { // contrib has no page without metrics
		body = nil
	}
	return body, response.Header.Get("Content-Type")
}

// pair holds both exporters, with the same settings.
type pair struct {
	ours, theirs server
	accept       []string
}

func newPair(t testing.TB, settings map[string]any, accept ...string) pair {
	t.Helper()
	defaults := map[string]any{"without_scope_info": true, "const_labels": map[string]any{}}
	maps.Copy(defaults, settings)
	return pair{
		start(t, prometheuspageexporter.NewFactory(), defaults), start(t, prometheusexporter.NewFactory(), defaults), accept,
	}
}

func (p pair) consume(t testing.TB, metrics pmetric.Metrics) {
	t.Helper()
	theirs := pmetric.NewMetrics()
	metrics.CopyTo(theirs)
	require.NoError(t, p.ours.ConsumeMetrics(t.Context(), metrics))
	require.NoError(t, p.theirs.ConsumeMetrics(t.Context(), theirs))
}

// compare fetches both pages in all formats.
func (p pair) compare(t testing.TB) bool {
	t.Helper()
	for _, accept := range p.accept {
		ours, ourType := p.ours.fetch(t, accept, "")
		theirs, theirType := p.theirs.fetch(t, accept, "gzip")
		if theirs != nil && !assert.Equal(t, theirType, ourType) {
			return false
		}
		if !assert.Equal(t, parse(t, theirs, theirType), parse(t, ours, ourType)) {
			t.Logf("ours:\n%s\ntheirs:\n%s", ours, theirs)
			return false
		}
		compared.Add(1)
	}
	return true
}

// parsed holds the result of parsing a page as Prometheus does. The keys of values are series with labels.
type parsed struct {
	types, help map[string]string
	values      map[string]string
}

// parse reads a page with the parser of Prometheus. It checks that no family and no series comes twice, and that families are sorted.
func parse(t testing.TB, page []byte, contentType string) parsed {
	t.Helper()
	p := parsed{map[string]string{}, map[string]string{}, map[string]string{}}
	if strings.HasPrefix(contentType, "text/plain") {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		_, err := parser.TextToMetricFamilies(strings.NewReader(string(page)))
		require.NoError(t, err, "%s", page)
	}
	if len(page) == 0 {
		return p
	}
	parser, err := textparse.New(slices.Clone(page), contentType, labels.NewSymbolTable(), textparse.ParserOptions{OpenMetricsSkipSTSeries: true})
	require.NoError(t, err)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return p
		}
		require.NoError(t, err, "%s", page)
		switch entry {
		case textparse.EntryType:
			name, kind := parser.Type()
			require.NotContains(t, p.types, string(name))
			p.types[string(name)] = string(kind)
		case textparse.EntryHelp:
			name, help := parser.Help()
			require.NotContains(t, p.help, string(name))
			p.help[string(name)] = string(help)
		case textparse.EntrySeries:
			var set labels.Labels
			parser.Labels(&set)
			_, at, value := parser.Series()
			time := ""
			if at != nil {
				time = strconv.FormatInt(*at, 10)
			}
			if math.IsNaN(value) {
				value = math.NaN() // there are several
			}
			require.NotContains(t, p.values, set.String(), "%s", page)
			p.values[set.String()] = fmt.Sprint(value, " ", time)
		}
	}
}

// variants are settings under which both are compared.
var variants = map[string]struct {
	settings map[string]any
	accept   []string
}{
	"defaults":          {nil, []string{plain, plainUTF8, ""}},
	"scope":             {map[string]any{"without_scope_info": false}, []string{plain}},
	"timestamps":        {map[string]any{"send_timestamps": true}, []string{plain}},
	"resource":          {map[string]any{"resource_to_telemetry_conversion": map[string]any{"enabled": true}}, []string{plain}},
	"namespace, labels": {map[string]any{"namespace": "my.space", "const_labels": map[string]any{"a": "b", "c d": `e"`}}, []string{plain, plainUTF8}},
	"resource without service": {
		map[string]any{"resource_to_telemetry_conversion": map[string]any{"enabled": true, "exclude_service_attributes": true}}, []string{plain},
	},
	"without suffixes": {
		map[string]any{"translation_strategy": "UnderscoreEscapingWithoutSuffixes", "enable_open_metrics": true}, []string{plain, openMetrics},
	},
	"UTF-8 with suffixes": {
		map[string]any{"translation_strategy": "NoUTF8EscapingWithSuffixes", "enable_open_metrics": true},
		[]string{plain, plainUTF8, openMetrics, "text/plain;escaping=dots", "text/plain;escaping=values"},
	},
	"UTF-8":       {map[string]any{"translation_strategy": "NoTranslation"}, []string{plain, plainUTF8}},
	"OpenMetrics": {map[string]any{"enable_open_metrics": true}, []string{openMetrics, plain}},
	"OpenMetrics with timestamps": {
		map[string]any{"enable_open_metrics": true, "send_timestamps": true}, []string{openMetrics, plain},
	},
}

// TestHostMetrics compares the pages of three scrapes of a Linux machine with contrib's hostmetrics receiver.
func TestHostMetrics(t *testing.T) {
	files, err := filepath.Glob("testdata/hostmetrics_*.json")
	require.NoError(t, err)
	require.Len(t, files, 3)
	for name, variant := range variants {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, variant.settings, variant.accept...)
			for _, file := range files {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(text)
				require.NoError(t, err)
				require.Greater(t, metrics.DataPointCount(), 70)
				p.consume(t, metrics)
				require.True(t, p.compare(t), file)
			}
		})
	}
}

// TestGolden compares the pages of the expected metrics of all receivers.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../../receiver/*/testdata/*.golden.yaml")
	require.NoError(t, err)
	require.Greater(t, len(files), 40)
	expected := make([]pmetric.Metrics, len(files))
	for i, file := range files {
		expected[i], err = golden.ReadMetrics(file)
		require.NoError(t, err)
	}
	for name, variant := range variants {
		t.Run(name, func(t *testing.T) {
			before := compared.Load()
			for i, metrics := range expected {
				if name != "defaults" && i%4 > 0 { // contrib's exporter takes its time
					continue
				}
				p := newPair(t, variant.settings, variant.accept...)
				p.consume(t, metrics)
				require.True(t, p.compare(t), files[i])
			}
			t.Logf("%d pages compared", compared.Load()-before)
		})
	}
}
