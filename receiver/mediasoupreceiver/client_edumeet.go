// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// edumeetSample is a sample of a page of edumeet's exporter. A label that it does not have is nil.
type edumeetSample struct {
	Family            []byte
	Value             float64
	Room, Kind, Codec []byte
}

// pathOf returns the path of edumeet's page, which is the endpoint itself.
func pathOf(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Path != "" {
		return u.Path
	}
	return "/"
}

// Page requests the page of edumeet's exporter and passes its samples to visit, which reports whether it knows their family. A sample is
// valid only until visit returns. A line that cannot be read costs itself only. The page must have a known family.
func (c *client) Page(ctx context.Context, visit func(*edumeetSample) (known bool)) error {
	var sample edumeetSample
	return explain(c.http.Get(ctx, "", nil, c.header, func(header http.Header, body io.Reader) error {
		c.page.Reset(body, header.Get("Content-Type"))
		anyKnown := false
		err := c.page.Each(func(s *exposition.Sample) error {
			sample.read(s)
			anyKnown = visit(&sample) || anyKnown
			return nil
		})
		if !anyKnown && (err == nil || scrape.IsPartial(err)) {
			return &httpapi.Error{
				Kind: httpapi.KindDecode, Text: "no sample of edumeet's exporter",
				Hint: "check that the setting endpoint leads to its page, and the setting format",
			}
		}
		return err
	}))
}

// read reads a sample. The label of a room is room_id in the old exporter and roomId in the room server.
func (e *edumeetSample) read(s *exposition.Sample) {
	*e = edumeetSample{Family: s.Name, Value: s.Value}
	for _, label := range s.Labels {
		switch string(label.Name) {
		case "room_id", "roomId":
			e.Room = label.Value
		case "kind":
			e.Kind = label.Value
		case "codec":
			e.Codec = label.Value
		}
	}
}
