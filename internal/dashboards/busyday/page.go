// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package busyday

import (
	_ "embed" // the page of the collector
	"errors"
	"io"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

// collectorPage holds the collector's own metrics and those of its host.
//
//go:embed testdata/collector.txt
var collectorPage []byte

// Sample is a sample of a page.
type Sample struct {
	Labels  labels.Labels
	Value   float64
	Counter bool
}

// Scrape returns the samples of one scrape of all servers and the collector, with the default metrics and those in enable.
func Scrape(tb testing.TB, enable ...string) []Sample {
	tb.Helper()
	c := startCollector(tb, newFleet(tb, emulatortest.NewClock().Now), enable)
	page := c.scrape(tb)
	c.shutdown(tb)
	return append(parse(tb, page), parse(tb, collectorPage)...)
}

// parse returns the samples of a page. Like Prometheus, it adds job and instance of the scrape if the page has none.
func parse(tb testing.TB, page []byte) (samples []Sample) {
	tb.Helper()
	p := textparse.NewPromParser(page, labels.NewSymbolTable(), false)
	kind := model.MetricTypeUnknown
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return samples
		}
		require.NoError(tb, err)
		switch entry {
		case textparse.EntryType:
			_, kind = p.Type()
		case textparse.EntrySeries:
			_, _, value := p.Series()
			var found labels.Labels
			p.Labels(&found)
			samples = append(samples, Sample{withTarget(found), value, kind == model.MetricTypeCounter})
		}
	}
}

// withTarget adds the missing labels of a target.
func withTarget(found labels.Labels) labels.Labels {
	builder := labels.NewBuilder(found)
	for name, scraped := range map[string]string{"job": "otelcol-rtc", "instance": "127.0.0.1:9464"} {
		if found.Get(name) == "" {
			builder.Set(name, scraped)
		}
	}
	return builder.Labels()
}
