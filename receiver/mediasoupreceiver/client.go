// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// apiSnapshot is the only API call to the agent. It does not change the application.
const apiSnapshot = "/v1/snapshot"

// client requests the snapshots of an agent or the page of edumeet, and decodes them.
type client struct {
	http   *httpapi.Client
	socket string // path of the agent's socket, or empty
	token  *scrape.Credential
	walk   walk
	page   *exposition.Reader
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	token, err := scrape.NewCredential("token", cfg.Token, cfg.TokenFile)
	if err != nil {
		return nil, err
	}
	settings, extensions, endpoint := cfg.ClientConfig, host.GetExtensions(), cfg.ClientConfig.Endpoint
	socket, ok := scrape.SocketPath(endpoint)
	if ok {
		settings, extensions = throughSocket(settings, extensions, socket)
		endpoint = "http://localhost"
	}
	httpClient, err := settings.ToClient(ctx, extensions, set)
	if err != nil {
		return nil, err
	}
	c := &client{
		http:   httpapi.New(httpClient, endpoint),
		socket: socket,
		token:  token,
		walk:   walk{reader: jsonwalk.NewReader()},
		page:   exposition.NewReader(),
	}
	c.http.System = map[Format]httpapi.System{FormatSnapshot: httpapi.MediasoupAgent, FormatEdumeet: httpapi.Edumeet}[cfg.Format]
	c.http.MaxBody = cfg.MaxResponseSize
	return c, nil
}

// header returns the header of the next request.
func (c *client) header() http.Header {
	header := http.Header{}
	if token := c.token.Text(); token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return header
}

func (c *client) close() {
	c.http.CloseIdle()
}

// Snapshot requests all objects with the given kinds of statistics and calls visitor for each object. If the response is truncated,
// visitor has been called for the objects before that point.
func (c *client) Snapshot(ctx context.Context, stats []string, visitor *visitor) (snapshot, error) {
	query := url.Values{"stats": {strings.Join(stats, ",")}}
	err := c.http.Get(ctx, apiSnapshot, query, c.header(), func(_ http.Header, body io.Reader) error {
		return c.walk.read(body, visitor)
	})
	return c.walk.snapshot, c.explain(err)
}

// explain adds to an error what to check: the socket, or the format of the system that responded.
func (c *client) explain(err error) error {
	e, ok := errors.AsType[*httpapi.Error](err)
	if !ok {
		return err
	}
	if e.Kind == httpapi.KindRefused && c.socket != "" {
		e.Hint = "check that the application runs, that the setting endpoint names its socket, and that the collector may write to it"
	}
	switch e.From {
	case "":
		if e.Kind == httpapi.KindDecode && e.Hint != "" {
			e.Hint += ", and the setting format"
		}
	case httpapi.Edumeet:
		e.Hint = "set format: edumeet, or " + e.Hint
	case httpapi.MediasoupAgent:
		e.Hint = "set format: snapshot, or " + e.Hint
	}
	return err
}
