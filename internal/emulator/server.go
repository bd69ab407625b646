// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package emulator plays the monitored servers for tests and demonstrations: it answers with captured bytes, scales
// them to any number of streams, advances in time and misbehaves on demand.
package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxRequestBody = 1 << 20
	maxRequests    = 1000
)

// system is what one kind of server adds to the shared part.
type system struct {
	api     func(*http.Request) string // what is asked, as faults and Requests name it
	answer  func(*http.Request) answer
	denied  func() answer // to a wrong secret
	restart func()        // counters begin at 0
}

// Server is one emulated server.
type Server struct {
	scheme   string
	network  string
	address  string
	system   system
	serve    func(net.Listener) error // until the listener is closed
	control  http.Handler
	stop     context.CancelFunc
	lifetime context.Context
	running  sync.WaitGroup // the accept loop and every connection

	mu       sync.Mutex
	listener net.Listener // nil while the server refuses
	stale    bool         // the file of a unix socket on which nobody listens is there
	conns    map[net.Conn]struct{}
	fault    *activeFault // nil when it behaves
	requests []string
	closed   bool
}

// activeFault is the fault of the moment.
type activeFault struct {
	name  string
	apis  []string    // none: all of them
	timer *time.Timer // ends it; nil: it lasts
}

type connKey struct{}

// newServer listens on address, on a free loopback port when it is empty.
func newServer(address string, sys system) (*Server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	s := &Server{scheme: "http", network: "tcp", address: address, system: sys}
	s.control = s.newControl()
	server := &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext:       func(net.Listener) context.Context { return s.lifetime },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: s.track,
	}
	s.serve = server.Serve
	if err := s.begin(); err != nil {
		return nil, err
	}
	return s, nil
}

// begin begins to listen.
func (s *Server) begin() error {
	s.conns = map[net.Conn]struct{}{}
	s.lifetime, s.stop = context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.listen(); err != nil {
		s.stop()
		return err
	}
	s.address = s.listener.Addr().String()
	return nil
}

// URL is the base URL, such as http://127.0.0.1:18080, or the endpoint of a socket, such as unix:///run/kamailio_ctl.
func (s *Server) URL() string { return s.scheme + "://" + s.address }

// Close stops the server, closes all connections and returns when nothing of it runs any more.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.endFault()
	s.unlisten()
	s.closeConns(nil)
	s.removeStale()
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
}

// SetFault makes the server misbehave from now on, for the named APIs only, or for all of them when none is named. It
// replaces the fault before it; an empty name only ends that one. The fault "restart" happens once and leaves none.
func (s *Server) SetFault(name string, apis ...string) error {
	return s.setFault(name, apis, 0, nil)
}

// Requests are the APIs that were asked for, in order, each with its query or arguments; the last 1,000 of them.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// setFault is SetFault for a while (0: for good) that spares the connection over which it was asked for.
func (s *Server) setFault(name string, apis []string, lasts time.Duration, spare net.Conn) error {
	if name != "" {
		if _, err := findFault(name, apis); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the emulated server is closed")
	}
	s.endFault()
	if name == refuse {
		s.unlisten()
		s.closeConns(spare)
	} else if err := s.listen(); err != nil {
		return err
	}
	switch name {
	case "":
		return nil
	case restart:
		s.system.restart()
		s.closeConns(spare)
		return nil
	}
	fault := &activeFault{name: name, apis: slices.Clone(apis)}
	if lasts > 0 {
		fault.timer = time.AfterFunc(lasts, func() { s.expire(fault) })
	}
	s.fault = fault
	return nil
}

// expire ends a fault whose time is over, unless another one has replaced it. A port that was taken meanwhile stays
// refused.
func (s *Server) expire(fault *activeFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == fault && s.listen() == nil {
		s.fault = nil
	}
}

// endFault forgets the current fault. The caller holds mu.
func (s *Server) endFault() {
	if s.fault != nil && s.fault.timer != nil {
		s.fault.timer.Stop()
	}
	s.fault = nil
}

// listen opens the port, the same one as before once it was open. The caller holds mu.
func (s *Server) listen() error {
	if s.listener != nil {
		return nil
	}
	s.removeStale()
	listener, err := (&net.ListenConfig{}).Listen(s.lifetime, s.network, s.address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", s.address, err)
	}
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // without the file a client would not be refused
	}
	s.listener = listener
	// serve ends with an error that says what is known: the listener was closed.
	s.running.Go(func() { _ = s.serve(listener) })
	return nil
}

// unlisten closes the port. The caller holds mu.
func (s *Server) unlisten() {
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
		s.stale = s.network == "unix"
	}
}

// removeStale removes the file that a unix socket left behind. The caller holds mu.
func (s *Server) removeStale() {
	if s.stale {
		_ = os.Remove(s.address)
	}
	s.stale = false
}

// closeConns closes all connections but spare. The caller holds mu.
func (s *Server) closeConns(spare net.Conn) {
	for c := range s.conns {
		if c != spare {
			_ = c.Close()
		}
	}
}

// track knows the open connections. One that was accepted while the server closed is closed at once.
func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.running.Add(1)
		s.conns[c] = struct{}{}
		if s.closed {
			_ = c.Close()
		}
	case http.StateClosed:
		delete(s.conns, c)
		s.running.Done()
	}
}

// handle answers one request, well or badly.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		s.control.ServeHTTP(w, r)
		return
	}
	// The body is read first, because net/http notices only then that a client has gone away.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if err != nil {
		http.Error(w, "cannot read the request body: "+err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	api := s.system.api(r)
	request := api
	if r.URL.RawQuery != "" {
		request += "?" + r.URL.RawQuery
	}
	if fault := s.note(api, request); fault != "" {
		httpFaults[fault](exchange{w, r, s.system})
		return
	}
	s.system.answer(r).write(w)
}

// note records a request and returns the name of the fault that is due.
func (s *Server) note(api, request string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, 1)
	}
	s.requests = append(s.requests, request)
	if s.fault == nil {
		return ""
	}
	asked := func(name string) bool { return strings.EqualFold(name, api) }
	if len(s.fault.apis) > 0 && !slices.ContainsFunc(s.fault.apis, asked) {
		return ""
	}
	return s.fault.name
}
