// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"net/url"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// maxSeries bounds the number of series that are kept from one page.
const maxSeries = 10_000

// page is a page of metrics in the Prometheus text format, served by an rtpengine or by a Kamailio script. Get must not be called
// concurrently.
type page struct {
	http   *httpapi.Client
	path   string
	keep   func(name string) bool
	reader *exposition.Reader

	// State of the current response.
	answer pageAnswer
	seen   map[string]bool // series
	key    []byte          // reused
}

// pageAnswer holds one sample of each kept series.
type pageAnswer struct {
	Samples []sample
	Omitted int64 // samples beyond maxSeries
	Refused int64 // infinite samples
}

// sample is one sample of a page. Its strings are safe to use as attributes.
type sample struct {
	Name    string
	Labels  labels
	Value   float64 // finite
	Counter bool    // whether the family has the type counter
	Help    string  // help text of the family
}

// labels are the labels of a sample; names may repeat.
type labels []label

type label struct{ Name, Value string }

// get returns the value of a label, "" if the sample does not have it.
func (l labels) get(name string) string {
	for i := range l {
		if l[i].Name == name {
			return l[i].Value
		}
	}
	return ""
}

// newPage returns the page that a configuration block describes. It keeps only samples whose names keep accepts.
func newPage(
	ctx context.Context, block string, cfg *confighttp.ClientConfig, maxBody int64, keep func(name string) bool,
	host component.Host, set component.TelemetrySettings,
) (*page, error) {
	client, err := cfg.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	p := &page{
		http: httpapi.New(client, cfg.Endpoint), path: cmp.Or(u.Path, "/"), keep: keep,
		reader: exposition.NewReader(), seen: map[string]bool{},
	}
	p.http.Block, p.http.System, p.http.MaxBody = block, pageSystems[block], maxBody
	return p, nil
}

// pageSystems maps the configuration blocks of pages to the systems that serve them.
var pageSystems = map[string]httpapi.System{"rtpengine": httpapi.RTPEngine, "user_metrics": "a page of metrics"}

func (p *page) close() { p.http.CloseIdle() }

// Get requests the page. Its result is valid until the next call. Malformed lines are skipped. A page of rtpengine must contain
// rtpengine metrics.
func (p *page) Get(ctx context.Context) (*pageAnswer, error) {
	p.answer = pageAnswer{Samples: p.answer.Samples[:0]}
	clear(p.seen)
	err := p.http.GetPage(ctx, "", nil, p.reader, func(s *exposition.Sample) (known bool, err error) {
		p.add(s)
		return p.http.System != httpapi.RTPEngine || bytes.HasPrefix(s.Name, []byte("rtpengine_")), nil
	})
	return &p.answer, err
}

// add adds a sample to the result. NaN and repeated series are skipped, infinities are refused.
func (p *page) add(s *exposition.Sample) {
	p.key = appendSeries(p.key[:0], s)
	if math.IsNaN(s.Value) || p.seen[string(p.key)] {
		return
	}
	kept := p.headOf(s)
	if !p.keep(kept.Name) {
		return
	}
	if math.IsInf(s.Value, 0) {
		p.answer.Refused++
		return
	}
	if len(p.seen) == maxSeries {
		p.answer.Omitted++
		return
	}
	p.seen[string(p.key)] = true
	kept.Value, kept.Labels = s.Value, make(labels, len(s.Labels))
	for i, l := range s.Labels {
		kept.Labels[i] = label{selection.Name(l.Name), selection.Name(l.Value)}
	}
	p.answer.Samples = append(p.answer.Samples, kept)
}

// headOf returns a sample with the name, type and help text. Samples of one name are adjacent and share these strings.
func (p *page) headOf(s *exposition.Sample) sample {
	if n := len(p.answer.Samples); n > 0 && p.answer.Samples[n-1].Name == string(s.Name) {
		last := &p.answer.Samples[n-1]
		return sample{Name: last.Name, Counter: last.Counter, Help: last.Help}
	}
	return sample{Name: selection.Name(s.Name), Counter: s.Family.Type == exposition.Counter, Help: selection.Name(s.Family.Help)}
}

// appendSeries appends the identity of a sample's series: its name and its labels, with values as in attributes.
func appendSeries(key []byte, s *exposition.Sample) []byte {
	key = append(key, s.Name...)
	for _, l := range s.Labels {
		key = append(append(key, 0), l.Name...)
		key = selection.AppendName(append(key, 0), l.Value)
	}
	return key
}
