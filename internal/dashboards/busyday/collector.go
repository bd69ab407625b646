// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package busyday

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/prometheuspageexporter"
)

// collector scrapes all servers with the receivers and serves the page for Prometheus. All receivers scrape in step with the test: each
// waits after a scrape until resume is called.
type collector struct {
	page     exporter.Metrics
	client   *http.Client
	scrapers []*scraper
}

// scraper is a receiver that waits after each scrape.
type scraper struct {
	receiver receiver.Metrics
	scraped  chan error
	resume   chan struct{}
	stop     chan struct{}
}

// startCollector starts a collector with the default metrics and those in enable.
func startCollector(tb testing.TB, f *fleet, enable []string) *collector {
	tb.Helper()
	directory, err := os.MkdirTemp("", "busyday") //nolint:usetesting // paths of sockets must be short
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, os.RemoveAll(directory)) })
	socket := filepath.Join(directory, "socket")
	factory := prometheuspageexporter.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(tb, confmap.NewFromStringMap(settings{"endpoint": socket, "transport": "unix"}).Unmarshal(cfg))
	page, err := factory.CreateMetrics(tb.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(tb, err)
	require.NoError(tb, page.Start(tb.Context(), componenttest.NewNopHost()))
	c := &collector{page: page, client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
	for _, s := range sources {
		c.scrapers = append(c.scrapers, s.start(tb, f, page, enable))
	}
	return c
}

// start starts the receiver. Its first scrape begins at once.
func (s *source) start(tb testing.TB, f *fleet, next consumer.Metrics, enable []string) *scraper {
	tb.Helper()
	metrics := settings{}
	for _, name := range enable {
		root, _, _ := strings.Cut(name, ".")
		if slices.Contains(s.roots, root) {
			metrics[name] = settings{"enabled": true}
		}
	}
	config := settings{"collection_interval": "1ms", "timeout": "20s", "initial_delay": "1ms", "metrics": metrics}
	maps.Copy(config, s.config(f))
	cfg := s.factory.CreateDefaultConfig()
	require.NoError(tb, confmap.NewFromStringMap(config).Unmarshal(cfg))
	scraper := &scraper{scraped: make(chan error), resume: make(chan struct{}), stop: make(chan struct{})}
	waiting, err := consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		err := next.ConsumeMetrics(ctx, md)
		select {
		case scraper.scraped <- err:
		case <-scraper.stop:
			return err
		}
		select {
		case <-scraper.resume:
		case <-scraper.stop:
		}
		return err
	})
	require.NoError(tb, err)
	scraper.receiver, err = s.factory.CreateMetrics(tb.Context(), receivertest.NewNopSettings(s.factory.Type()), cfg, waiting)
	require.NoError(tb, err)
	require.NoError(tb, scraper.receiver.Start(tb.Context(), componenttest.NewNopHost()))
	return scraper
}

// scrape waits until every receiver has scraped and returns the page.
func (c *collector) scrape(tb testing.TB) []byte {
	tb.Helper()
	for _, s := range c.scrapers {
		require.NoError(tb, <-s.scraped)
	}
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "http://exporter/metrics", http.NoBody)
	require.NoError(tb, err)
	response, err := c.client.Do(request)
	require.NoError(tb, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(tb, err)
	return page
}

// resume lets every receiver scrape once more.
func (c *collector) resume() {
	for _, s := range c.scrapers {
		s.resume <- struct{}{}
	}
}

// shutdown stops the collector after a scrape.
func (c *collector) shutdown(tb testing.TB) {
	tb.Helper()
	for _, s := range c.scrapers {
		close(s.stop)
		require.NoError(tb, s.receiver.Shutdown(tb.Context()))
	}
	require.NoError(tb, c.page.Shutdown(tb.Context()))
	c.client.CloseIdleConnections()
}
