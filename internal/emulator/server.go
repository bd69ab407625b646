// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package emulator is the engine of the emulated servers: it listens, records requests and simulates faults. Each of its subpackages
// emulates a system with captured responses, which can be scaled to any number of streams and advance in time.
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

// Handler handles the HTTP requests of an emulated server.
type Handler struct {
	// API returns the name of the requested API, as used by SetFault and Requests.
	API func(*http.Request) string
	// Answer returns the response to a request. The request body is held in memory.
	Answer func(*http.Request) Answer
	// Denied returns the response to a wrong secret.
	Denied func() Answer
	// Restart sets all counters to 0.
	Restart func()
	// Outage returns for how long the server is down now, or 0. If it is nil, the server is never down.
	Outage func() time.Duration
}

// Server is an emulated server.
type Server struct {
	scheme   string
	network  string
	address  string
	serve    func(net.Listener) error // runs until the listener is closed
	restart  func()
	stop     context.CancelFunc
	lifetime context.Context
	running  sync.WaitGroup // the accept loop and every connection

	mu       sync.Mutex
	listener net.Listener // nil while the server refuses connections
	stale    bool         // the file of a closed unix socket still exists
	conns    map[net.Conn]struct{}
	fault    *activeFault // nil if there is none
	requests []string
	closed   bool
}

// activeFault is a fault that is in effect.
type activeFault struct {
	name  string
	apis  []string    // all APIs if empty
	timer *time.Timer // ends the fault; nil if it does not end
}

type connKey struct{}

// NewServer starts an HTTP server on address, or on a free loopback port if address is empty.
func NewServer(address string, handler Handler) (*Server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	s := &Server{scheme: "http", network: "tcp", address: address, restart: handler.Restart}
	control := s.newControl()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, controlPath) {
				control.ServeHTTP(w, r)
				return
			}
			s.handle(w, r, handler)
		}),
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
	if err := s.start(); err != nil {
		return nil, err
	}
	return s, nil
}

// NewConnServer starts a server for a protocol other than HTTP on a socket of network "unix" or "tcp". It calls converse for every
// connection and closes the connection afterwards.
func NewConnServer(network, address string, converse func(*Server, net.Conn), restart func()) (*Server, error) {
	s := &Server{scheme: network, network: network, address: address, restart: restart}
	s.serve = func(listener net.Listener) error {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return err
			}
			s.track(conn, http.StateNew)
			go func() {
				defer s.track(conn, http.StateClosed)
				converse(s, conn)
				_ = conn.Close()
			}()
		}
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	return s, nil
}

// start starts to listen.
func (s *Server) start() error {
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

// URL returns the base URL, such as http://127.0.0.1:18080, or the endpoint of a socket, such as unix:///run/ctl.
func (s *Server) URL() string { return s.scheme + "://" + s.address }

// Close stops the server, closes all connections and waits until all goroutines have ended.
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

// SetFault sets the fault of the named APIs, or of all APIs if none is named. It replaces the previous fault. An empty name only ends
// the previous fault. The fault Restart happens once and leaves no fault.
func (s *Server) SetFault(name string, apis ...string) error {
	return s.setFault(name, apis, 0, nil)
}

// Requests returns the last 1,000 requests in order: the API of each with its query or arguments.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// setFault is SetFault with a duration; 0 means no end. It does not close the connection spare.
func (s *Server) setFault(name string, apis []string, lasts time.Duration, spare net.Conn) error {
	if name != "" {
		if err := checkFault(name, apis); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the emulated server is closed")
	}
	s.endFault()
	if name == Refuse {
		s.unlisten()
		s.closeConns(spare)
	} else if err := s.listen(); err != nil {
		return err
	}
	switch name {
	case "":
		return nil
	case Restart:
		s.restart()
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

// expire ends a fault unless another one has replaced it. If another process has taken the port in the meantime, the fault remains.
func (s *Server) expire(fault *activeFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == fault && s.listen() == nil {
		s.fault = nil
	}
}

// endFault ends the current fault. The caller holds mu.
func (s *Server) endFault() {
	if s.fault != nil && s.fault.timer != nil {
		s.fault.timer.Stop()
	}
	s.fault = nil
}

// listen opens the socket unless it is open. It uses the same port each time. The caller holds mu.
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
		unix.SetUnlinkOnClose(false) // without the file, a client would get "no such file" instead of "connection refused"
	}
	s.listener = listener
	s.running.Go(func() { _ = s.serve(listener) }) // returns an error when the listener is closed
	return nil
}

// unlisten closes the socket. The caller holds mu.
func (s *Server) unlisten() {
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
		s.stale = s.network == "unix"
	}
}

// removeStale removes the file of a closed unix socket. The caller holds mu.
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

// track keeps the set of open connections. It closes a connection that was accepted while the server closed.
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

// handle handles one request, with the current fault if there is one.
func (s *Server) handle(w http.ResponseWriter, r *http.Request, handler Handler) {
	// Read the body first, because only then does net/http notice that a client has disconnected.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if err != nil {
		http.Error(w, "cannot read the request body: "+err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	api := handler.API(r)
	request := api
	if r.URL.RawQuery != "" {
		request += "?" + r.URL.RawQuery
	}
	if fault := s.Record(api, request); fault != "" {
		httpFaults[fault](exchange{w, r, handler})
		return
	}
	if handler.Outage != nil {
		if remaining := handler.Outage(); remaining > 0 {
			_ = s.setFault(Refuse, nil, remaining, nil) // fails only if the server is closed
			abort()
		}
	}
	handler.Answer(r).write(w)
}

// Record adds a request to Requests and returns the name of the current fault of its API, or "". Servers of NewConnServer call it for
// each request.
func (s *Server) Record(api, request string) (fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, 1)
	}
	s.requests = append(s.requests, request)
	if s.fault == nil {
		return ""
	}
	isThis := func(name string) bool { return strings.EqualFold(name, api) }
	if len(s.fault.apis) > 0 && !slices.ContainsFunc(s.fault.apis, isThis) {
		return ""
	}
	return s.fault.name
}
