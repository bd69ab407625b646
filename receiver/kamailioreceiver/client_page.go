// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// page is a page of metrics in the text format of Prometheus. It is read by one call at a time.
type page struct {
	http   *httpapi.Client
	path   string
	reader *exposition.Reader
}

// newPage returns the page that a block of the configuration describes.
func newPage(ctx context.Context, block string, cfg *confighttp.ClientConfig, host component.Host, set component.TelemetrySettings) (*page, error) {
	client, err := cfg.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	p := &page{http: httpapi.New(client, cfg.Endpoint), path: cmp.Or(u.Path, "/"), reader: exposition.NewReader()}
	p.http.Block, p.http.System = block, pageSystems[block]
	return p, nil
}

// pageSystems are the systems whose pages the blocks of the configuration describe.
var pageSystems = map[string]httpapi.System{"rtpengine": httpapi.RTPEngine, "user_metrics": "a page of metrics"}

func (p *page) close() { p.http.CloseIdle() }

// Each walks over the samples of the page. The sample is valid only inside f. A line that cannot be read costs itself only. A page of
// rtpengine must have metrics of it.
func (p *page) Each(ctx context.Context, f func(*exposition.Sample) error) error {
	return p.http.Get(ctx, "", nil, nil, func(header http.Header, body io.Reader) error {
		p.reader.Reset(body, header.Get("Content-Type"))
		known := p.http.System != httpapi.RTPEngine
		err := p.reader.Each(func(s *exposition.Sample) error {
			known = known || bytes.HasPrefix(s.Name, []byte("rtpengine_"))
			return f(s)
		})
		if !known && (err == nil || scrape.IsPartial(err)) {
			return &httpapi.Error{Kind: httpapi.KindDecode, Text: "a page without a single metric of rtpengine"}
		}
		return err
	})
}
