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
)

// apiSnapshot is the only call to the agent. It changes nothing.
const apiSnapshot = "/v1/snapshot"

// client speaks to an agent or reads the page of edumeet: it knows the wire, not what becomes of it.
type client struct {
	http   *httpapi.Client
	header http.Header
	walk   walk
	page   *exposition.Reader
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	httpClient, err := cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	c := &client{
		http:   httpapi.New(httpClient, cfg.ClientConfig.Endpoint),
		header: http.Header{},
		walk:   walk{reader: jsonwalk.NewReader()},
		page:   exposition.NewReader(),
	}
	c.http.System = map[Format]httpapi.System{FormatSnapshot: httpapi.MediasoupAgent, FormatEdumeet: httpapi.Edumeet}[cfg.Format]
	c.http.MaxBody = cfg.MaxResponseSize
	if cfg.Token != "" {
		c.header.Set("Authorization", "Bearer "+string(cfg.Token))
	}
	return c, nil
}

func (c *client) close() {
	c.http.CloseIdle()
}

// Snapshot asks for all objects, with the statistics of the named kinds of them, and hands them to visitor. When the answer
// breaks off, visitor has got what came before.
func (c *client) Snapshot(ctx context.Context, stats []string, visitor *visitor) (snapshot, error) {
	query := url.Values{"stats": {strings.Join(stats, ",")}}
	err := c.http.Get(ctx, apiSnapshot, query, c.header, func(_ http.Header, body io.Reader) error {
		return c.walk.read(body, visitor)
	})
	return c.walk.snapshot, explain(err)
}

// explain says which format is that of the system that answered.
func explain(err error) error {
	e, ok := errors.AsType[*httpapi.Error](err)
	if !ok {
		return err
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
