// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
)

// GetPage requests a page of metrics from a path below the endpoint and passes its samples to each, which reports whether it knows
// the sample. It skips malformed lines. A page without any known sample is an error, because it comes from another program. A Reader
// must not be used concurrently.
func (c *Client) GetPage(
	ctx context.Context, path string, header http.Header, r *exposition.Reader, each func(*exposition.Sample) (known bool, err error),
) error {
	return c.Get(ctx, path, nil, header, func(received http.Header, body io.Reader) error {
		r.Reset(body, received.Get("Content-Type"))
		anyKnown := false
		err := r.Each(func(s *exposition.Sample) error {
			known, err := each(s)
			anyKnown = anyKnown || known
			return err
		})
		if _, readToEnd := errors.AsType[*exposition.LineError](err); !anyKnown && (err == nil || readToEnd) {
			return &Error{Kind: KindDecode, Text: "a page without a metric of " + string(c.System), Err: err, Hint: c.advice()}
		}
		return err
	})
}
