// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package server serves the pages of the exporters over HTTP.
package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
)

// Server is the HTTP server of an exporter. Its zero value has not been started.
type Server struct {
	http    *http.Server
	stop    chan struct{}
	running sync.WaitGroup
}

// Start serves handler as config says, and calls expire every interval, until Shutdown. It returns the address that it listens on, and an error
// if it cannot listen or if the configuration is not valid. A later error of the server is reported to host as fatal.
func (s *Server) Start(
	ctx context.Context, host component.Host, settings component.TelemetrySettings, config confighttp.ServerConfig, handler http.Handler,
	interval time.Duration, expire func(now time.Time),
) (net.Addr, error) {
	listener, err := config.ToListener(ctx)
	if err != nil {
		return nil, err
	}
	started, err := config.ToServer(ctx, host.GetExtensions(), settings, handler)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s.http, s.stop = started, make(chan struct{})
	s.running.Go(func() {
		if err := started.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	s.running.Go(func() { s.every(interval, expire) })
	return listener.Addr(), nil
}

func (s *Server) every(interval time.Duration, expire func(now time.Time)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			expire(now)
		case <-s.stop:
			return
		}
	}
}

// Shutdown waits for running requests until ctx ends, and closes the server if it was started.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	close(s.stop)
	err := s.http.Shutdown(ctx)
	s.running.Wait()
	return err
}
