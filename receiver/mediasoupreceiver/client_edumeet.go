// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"context"
	"net/url"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
)

// edumeetSample is a sample on a page of edumeet's exporter. Labels that it does not have are nil.
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

// Page requests the page of edumeet's exporter and calls visit for its samples, which reports whether it knows their family. A sample
// is valid only until visit returns. Malformed lines are skipped. The page must contain a known family.
func (c *client) Page(ctx context.Context, visit func(*edumeetSample) (known bool)) error {
	var sample edumeetSample
	return c.explain(c.http.GetPage(ctx, "", c.header(), c.page, func(s *exposition.Sample) (known bool, err error) {
		sample.read(s)
		return visit(&sample), nil
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
