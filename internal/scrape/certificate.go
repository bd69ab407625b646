// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"sync"
	"time"
)

// certificates collects when the certificates end that a process presents during a scrape.
type certificates struct {
	mu  sync.Mutex
	end time.Time // of the certificate that ends first; zero if there is none
}

type certificatesKey struct{}

// in returns a context for calls whose certificates c collects.
func (c *certificates) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, certificatesKey{}, c)
}

// NoteCertificate notes when the certificate of a server ends that a call with ctx has connected to.
func NoteCertificate(ctx context.Context, end time.Time) {
	c, ok := ctx.Value(certificatesKey{}).(*certificates)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end.IsZero() || end.Before(c.end) {
		c.end = end
	}
}

// remaining returns the seconds until the first certificate ends, negative if it has ended. ok is false if there is none.
func (c *certificates) remaining(now time.Time) (seconds float64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end.Sub(now).Seconds(), !c.end.IsZero()
}
