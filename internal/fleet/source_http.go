// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
)

// httpFinder requests targets from an HTTP server.
type httpFinder struct {
	endpoint *Endpoint
	client   *httpapi.Client
	part     string // the URL without its query, which may contain secrets
	path     string
	query    url.Values
}

func newHTTPFinder(
	ctx context.Context, e *Endpoint, cfg *HTTPConfig, host component.Host, set component.TelemetrySettings,
) (*httpFinder, error) {
	client, err := cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.setting("targets::http"), err)
	}
	u, err := url.Parse(cfg.ClientConfig.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("%s: not a URL", e.setting("targets::http::endpoint"))
	}
	server := u.Scheme + "://" + u.Host
	f := &httpFinder{
		endpoint: e, client: httpapi.New(client, server), part: server + u.EscapedPath(), path: u.EscapedPath(), query: u.Query(),
	}
	f.client.Block, f.client.MaxBody = e.setting("targets::http"), maxDocument
	return f, nil
}

// find requests the targets.
func (f *httpFinder) find(ctx context.Context) []answer {
	a := answer{part: f.part}
	header := http.Header{"Accept": {"application/json"}}
	a.err = f.client.Get(ctx, f.path, f.query, header, func(_ http.Header, body io.Reader) error {
		document, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		groups, err := decodeJSON(document)
		if err == nil {
			a.targets, err = f.endpoint.targets(groups)
		}
		if err != nil {
			return &httpapi.Error{Kind: httpapi.KindDecode, Text: err.Error()}
		}
		return nil
	})
	return []answer{a}
}
