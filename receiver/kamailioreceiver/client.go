// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// The methods that the client calls. None of them changes the server.
const (
	apiMethods        = "system.listMethods"
	apiVersion        = "core.version"
	apiUptime         = "core.uptime"
	apiStatistics     = "stats.fetch"
	apiStatisticLines = "stats.get_statistics"
	apiGroups         = "cnt.grps_list"
	apiNames          = "cnt.var_list"
	apiProcesses      = "pkg.stats"
	apiTCP            = "core.tcp_info"
	apiTLS            = "tls.info"
	apiTransactions   = "tm.stats"
	apiDialogs        = "dlg.stats_active"
	apiProfileSize    = "dlg.profile_get_size"
	apiDispatcher     = "dispatcher.list"
	apiRTPEngines     = "rtpengine.show"
	apiRTPEngineCalls = "rtpengine.get_hash_total"
	apiHtables        = "htable.stats"
	apiPike           = "pike.top"
	apiDMQ            = "dmq.list_nodes"
	apiDNSMemory      = "dns.mem_info"
	apiDNSStatistics  = "dns.stats_get"
	apiPeers          = "peerstate.stats"
	apiPipes          = "pl.list"
	apiSecfilter      = "secfilter.stats"
)

// number is an integer that a server may omit.
type number = optional.Value[int64]

// process is one process of Kamailio with its private memory, in bytes.
type process struct {
	Index                      int64
	Description                string
	Used, RealUsed, Free, Size number
	Fragments                  number
}

// profileSize is the number of dialogs in a profile, or of those with one value of it.
type profileSize struct {
	Profile, Value string
	Dialogs        int64
}

// dispatcher lists the destinations of all sets.
type dispatcher struct {
	Sets    number
	Targets []target
}

// target is one destination of a set. A set may list the same address twice.
type target struct {
	Set, URI, Flags                   string
	Average, Deviation, Estimate, Max optional.Value[float64] // milliseconds, with ds_ping_latency_stats
	Timeouts                          number
	Dialogs                           number // with ds_hash_size
	Reduction                         number // percent, since 6.0
}

// relay is an rtpengine as Kamailio sees it.
type relay struct {
	URL                         string
	Set                         int64
	State                       relayState
	Index, Weight, RecheckDelay number // RecheckDelay is in seconds
}

// relayState is the state in which Kamailio keeps an rtpengine.
type relayState uint8

const (
	relayUnknown  relayState = iota
	relayEnabled             // in use
	relayDisabled            // failed, is tried again
	relayRemoved             // disabled permanently by an administrator
)

// htable is a hash table of the htable module.
type htable struct {
	Name                 string
	Slots, All, Min, Max number
}

// dmqNode is a node of the distributed message queue.
type dmqNode struct {
	Host, Port, Status string
	Local              bool
	Failures           number // since 6.1
}

// dnsMemory is the memory of the DNS cache in bytes.
type dnsMemory struct{ Usage, Limit int64 }

// pipe is a pipe of the module pipelimit.
type pipe struct {
	Name, Algorithm  string
	Limit, LastCount number
}

// secfilterCount is the number of messages of which a field matched a list of the module secfilter.
type secfilterCount struct {
	List, Field string
	Matches     int64
}

// lists are the methods whose results are JSON arrays.
var lists = map[string]bool{
	apiMethods: true, apiStatisticLines: true, apiGroups: true, apiNames: true,
	apiProcesses: true, apiRTPEngines: true, apiHtables: true, apiDMQ: true, apiPipes: true,
}

// call is a method call with its arguments and the function that decodes its reply.
type call struct {
	method  string
	args    []string
	numbers []int32                   // further arguments, after args
	read    func(reply []value) error // the reply is valid until it returns
	err     error
	// duration is the time that the server took for this call alone.
	duration time.Duration
}

// transport makes calls over BINRPC or JSON-RPC and sets their err and duration.
type transport interface {
	do(ctx context.Context, calls []*call)
	close()
}

// client calls the methods of Kamailio's RPC interface.
type client struct {
	transport transport
	fetches   fetches
	// suspects maps methods that hung recently to the number of replies after which they are trusted again.
	suspects map[string]int
}

// isHTTP reports whether an endpoint is a JSON-RPC endpoint. All others are BINRPC endpoints.
func isHTTP(endpoint string) bool {
	return strings.HasPrefix(endpoint, "http://") || strings.HasPrefix(endpoint, "https://")
}

// parseEndpoint returns the network (unix or tcp) and the address of a BINRPC endpoint.
func parseEndpoint(endpoint string) (network, address string, err error) {
	return binrpc.ParseEndpoint(endpoint)
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	if !isHTTP(cfg.ClientConfig.Endpoint) {
		return &client{transport: &ctl{endpoint: cfg.ClientConfig.Endpoint}}, nil
	}
	t, err := newJSONRPC(ctx, cfg, host, set)
	if err != nil {
		return nil, err
	}
	return &client{transport: t}, nil
}

func (c *client) close() { c.transport.close() }

// trustedAfter is the number of replies after which a method that hung is no longer called last.
const trustedAfter = 10

// do makes the calls in order, but methods that hung recently come last.
func (c *client) do(ctx context.Context, calls []*call) {
	calls = slices.Clone(calls)
	slices.SortStableFunc(calls, func(a, b *call) int { return cmp.Compare(c.suspects[a.method], c.suspects[b.method]) })
	c.transport.do(ctx, calls)
	for i, made := range calls {
		switch scrape.TypeOf(made.err) {
		case scrape.Timeout:
			if i > 0 { // if the first call hangs, the whole server does
				c.suspect(made.method)
			}
			return
		case scrape.Connection:
			return
		}
		if repeats := i > 0 && calls[i-1].method == made.method; !repeats && c.suspects[made.method] > 0 {
			c.suspects[made.method]--
		}
	}
}

func (c *client) suspect(method string) {
	if c.suspects == nil {
		c.suspects = map[string]int{}
	}
	c.suspects[method] = trustedAfter
}

// query is a request for one result, which takes one call or several.
type query[T any] struct {
	calls []*call
	// answer returns the result after the calls have been made. It may make further calls, which it adds to calls.
	answer func(ctx context.Context) (T, error)
}

// required marks the query's errors as errors of a method that every Kamailio has, so that isNotOffered never reports true for them.
func (q *query[T]) required() *query[T] {
	answer := q.answer
	q.answer = func(ctx context.Context) (T, error) {
		all, err := answer(ctx)
		if err != nil {
			err = &requiredError{err}
		}
		return all, err
	}
	return q
}

// requiredError is the error of a method that every Kamailio has.
type requiredError struct{ error }

func (e *requiredError) Unwrap() error { return e.error }

// isNotOffered reports whether an error means that the server does not offer a method.
func isNotOffered(err error) bool {
	_, required := errors.AsType[*requiredError](err)
	return !required && isAbsent(err)
}

// ask returns the query that makes one call and decodes its reply with read.
func ask[T any](method string, read func(reply []value) (T, error), args ...string) *query[T] {
	var answer T
	made := &call{method: method, args: args, read: func(reply []value) (err error) {
		answer, err = read(reply)
		return err
	}}
	return &query[T]{[]*call{made}, func(context.Context) (T, error) { return answer, made.err }}
}

// get makes the calls of a query and returns its result.
func get[T any](ctx context.Context, c *client, q *query[T]) (T, error) {
	c.do(ctx, q.calls)
	return q.answer(ctx)
}

// isFault reports whether the error is a fault from the server whose text contains text.
func isFault(err error, text string) bool {
	fault, ok := errors.AsType[*binrpc.Fault](err)
	return ok && strings.Contains(fault.Text, text)
}

// isAbsent reports whether the server does not know the method because its module is not loaded, or has disabled the feature.
func isAbsent(err error) bool {
	fault, ok := errors.AsType[*binrpc.Fault](err)
	return errors.Is(err, errOnlyText) || ok && (strings.HasPrefix(fault.Text, "command ") && strings.HasSuffix(fault.Text, " not found") ||
		strings.EqualFold(fault.Text, "method not found") || fault.Code == codeNoMethod || fault.Text == "tcp support disabled" ||
		strings.HasPrefix(fault.Text, "dns cache support disabled"))
}

// codeNoMethod is the JSON-RPC error code for a method that does not exist.
const codeNoMethod = -32601

// partialError is an error that affects only a part of a result.
type partialError struct {
	counted scrape.ErrorType
	text    string
}

func (e *partialError) Error() string { return e.text }

// ErrorType returns the error type under which the error is counted.
func (e *partialError) ErrorType() scrape.ErrorType { return e.counted }

// Partial reports that the rest of the result is usable.
func (*partialError) Partial() bool { return true }

// unexpected returns the error for a reply that does not have the form that the method defines.
func unexpected(text string) error {
	return &binrpc.Error{
		Type: scrape.Format, Text: "a reply that cannot be understood: " + text, Hint: "please report it with the version of kamailio",
	}
}
