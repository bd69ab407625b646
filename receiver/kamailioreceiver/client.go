// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
)

// process is one process of Kamailio with its private memory, in bytes.
type process struct {
	Index                      int64
	Description                string
	Used, RealUsed, Free, Size optional.Value[int64]
	Fragments                  optional.Value[int64]
}

// profileSize is the number of dialogs in a profile, or with one value of it.
type profileSize struct {
	Profile, Value string
	Dialogs        int64
}

// dispatcher is the list of destinations.
type dispatcher struct {
	Sets    optional.Value[int64]
	Targets []target
}

// target is one destination of a set; it may be listed twice.
type target struct {
	Set, URI, Flags                   string
	Average, Deviation, Estimate, Max optional.Value[float64] // milliseconds, with ds_ping_latency_stats
	Timeouts                          optional.Value[int64]
	Dialogs                           optional.Value[int64] // with ds_hash_size
}

// relay is an rtpengine as Kamailio sees it.
type relay struct {
	URL                         string
	Set                         int64
	Disabled                    string                // 0, 1, or 1(permanent)
	Index, Weight, RecheckDelay optional.Value[int64] // the last in seconds
}

// htable is a hash table.
type htable struct {
	Name                 string
	Slots, All, Min, Max optional.Value[int64]
}

// dmqNode is a node of the distributed message queue.
type dmqNode struct {
	Host, Port, Status string
	Local              bool
}

// call is a method with its arguments, and what becomes of its reply.
type call struct {
	method string
	args   []string
	read   func(reply []value) error // the reply is valid until it returns
	err    error
}

// transport carries calls to the server: BINRPC or JSON-RPC.
type transport interface {
	do(ctx context.Context, calls []call)
	close()
}

// client speaks Kamailio's RPC interface: it knows the wire, not what becomes of it.
type client struct {
	transport transport
	fetches   fetches
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	if !isHTTP(cfg.ClientConfig.Endpoint) {
		return &client{transport: &ctl{endpoint: cfg.ClientConfig.Endpoint}}, nil
	}
	t, err := newJSONRPC(ctx, &cfg.ClientConfig, host, set)
	if err != nil {
		return nil, err
	}
	return &client{transport: t}, nil
}

func (c *client) close() { c.transport.close() }

// call makes one call.
func (c *client) call(ctx context.Context, method string, read func([]value) error, args ...string) error {
	calls := []call{{method: method, args: args, read: read}}
	c.transport.do(ctx, calls)
	return calls[0].err
}

// Uptime asks for the seconds since the server started.
func (c *client) Uptime(ctx context.Context) (float64, error) {
	var seconds float64
	err := c.call(ctx, apiUptime, func(reply []value) error {
		v, ok := first(reply).get("uptime").float().Get()
		if !ok || v < 0 {
			return unexpected("no uptime in it")
		}
		seconds = v
		return nil
	})
	return seconds, err
}

// Version asks for the release, such as 5.6.3.
func (c *client) Version(ctx context.Context) (string, error) {
	var version string
	err := c.call(ctx, apiVersion, func(reply []value) error {
		for word := range strings.FieldsSeq(first(reply).text()) {
			if word[0] >= '0' && word[0] <= '9' {
				version = word
				return nil
			}
		}
		return unexpected("no number of a release in it")
	})
	return version, err
}

// Methods asks for the methods that the server offers, which depends on its modules.
func (c *client) Methods(ctx context.Context) ([]string, error) {
	methods, err := c.texts(ctx, apiMethods)
	if err == nil && !slices.Contains(methods, apiUptime) { // a wrong list would switch off everything for good
		return nil, unexpected("no " + apiUptime + " in it")
	}
	return methods, err
}

// texts asks for a list of strings.
func (c *client) texts(ctx context.Context, method string, args ...string) ([]string, error) {
	var texts []string
	err := c.call(ctx, method, func(reply []value) error {
		for i := range reply {
			texts = append(texts, reply[i].text())
		}
		return nil
	}, args...)
	return texts, err
}

// Number asks for a single number.
func (c *client) Number(ctx context.Context, method string, args ...string) (int64, error) {
	var n int64
	err := c.call(ctx, method, readNumber(&n), args...)
	return n, err
}

func readNumber(n *int64) func([]value) error {
	return func(reply []value) error {
		v, ok := first(reply).unsigned().Get()
		if !ok {
			return unexpected("no number in it")
		}
		*n = v
		return nil
	}
}

// Numbers asks for a struct and returns its members that are numbers, none of which can be negative.
func (c *client) Numbers(ctx context.Context, method string) (map[string]int64, error) {
	numbers := map[string]int64{}
	err := c.call(ctx, method, func(reply []value) error {
		members := first(reply).members
		for i := range members {
			if n, ok := members[i].unsigned().Get(); ok {
				numbers[string(members[i].name)] = n
			}
		}
		if len(numbers) == 0 {
			return unexpected("no number in it")
		}
		return nil
	})
	return numbers, err
}

// Processes asks for the private memory of every process.
func (c *client) Processes(ctx context.Context) ([]process, error) {
	var processes []process
	err := c.call(ctx, apiProcesses, func(reply []value) error {
		processes = make([]process, 0, len(reply))
		for i := range reply {
			r := &reply[i]
			index, ok := r.get("entry").int().Get()
			if !ok {
				return unexpected("a process without entry")
			}
			processes = append(processes, process{
				Index: index, Description: r.get("desc").text(),
				Used: r.get("used").unsigned(), RealUsed: r.get("real_used").unsigned(), Free: r.get("free").unsigned(),
				Size: r.get("total_size").unsigned(), Fragments: r.get("total_frags").unsigned(),
			})
		}
		return nil
	})
	return processes, err
}

// ProfileSizes asks for the number of dialogs in each profile, written profile or profile/value.
func (c *client) ProfileSizes(ctx context.Context, profiles []string) ([]profileSize, error) {
	sizes := make([]profileSize, len(profiles))
	calls := make([]call, len(profiles))
	for i, name := range profiles {
		profile, value, one := strings.Cut(name, "/")
		sizes[i] = profileSize{Profile: profile, Value: value}
		calls[i] = call{method: apiProfileSize, args: []string{profile}, read: readNumber(&sizes[i].Dialogs)}
		if one {
			calls[i].args = []string{profile, value}
		}
	}
	c.transport.do(ctx, calls)
	var known []profileSize
	var errs []error
	for i := range calls {
		switch fault, isFault := errors.AsType[*binrpc.Fault](calls[i].err); {
		case calls[i].err == nil:
			known = append(known, sizes[i])
		case isFault && fault.Code == codeNotFound:
			errs = append(errs, fmt.Errorf("%w: check the setting dialog_profiles", fault))
		default:
			return nil, calls[i].err
		}
	}
	if len(errs) > 0 {
		return known, &partialError{scrape.Response, errors.Join(errs...).Error()}
	}
	return known, nil
}

// codeNotFound is the fault of a thing that the server does not know.
const codeNotFound = 404

// Dispatcher asks for the destinations of the dispatcher.
func (c *client) Dispatcher(ctx context.Context) (dispatcher, error) {
	var d dispatcher
	err := c.call(ctx, apiDispatcher, func(reply []value) error {
		d.Sets = first(reply).get("NRSETS").unsigned()
		for set := range first(reply).get("RECORDS").each("SET") {
			id := set.get("ID").word()
			for dest := range set.get("TARGETS").each("DEST") {
				if dest.get("URI").text() == "" {
					return unexpected("a destination without URI")
				}
				d.Targets = append(d.Targets, readTarget(id, dest))
			}
		}
		return nil
	})
	if isFault(err, "No Destination Sets") {
		return dispatcher{Sets: optional.Of(int64(0))}, nil
	}
	return d, err
}

func readTarget(set string, dest *value) target {
	latency := dest.get("LATENCY")
	return target{
		Set: set, URI: withoutSecrets(dest.get("URI").text()), Flags: dest.get("FLAGS").text(),
		Average: latency.get("AVG").float(), Deviation: latency.get("STD").float(),
		Estimate: latency.get("EST").float(), Max: latency.get("MAX").float(),
		Timeouts: latency.get("TIMEOUT").unsigned(),
		Dialogs:  dest.get("RUNTIME").get("DLGLOAD").unsigned(),
	}
}

// withoutSecrets leaves out of a SIP address what may be a secret: the password, the headers, and parameters other than
// those that say how the host is reached.
func withoutSecrets(uri string) string {
	uri, _, _ = strings.Cut(uri, "?")
	scheme, rest, hasScheme := strings.Cut(uri, ":")
	if !hasScheme {
		return uri
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		user, _, _ = strings.Cut(user, ";")
		rest = user + rest[at:]
	}
	host, parameters, _ := strings.Cut(rest, ";")
	for p := range strings.SplitSeq(parameters, ";") {
		switch name, _, _ := strings.Cut(strings.ToLower(p), "="); name {
		case "transport", "lr", "maddr", "ttl", "user", "comp", "alias", "ob":
			host += ";" + p
		}
	}
	return scheme + ":" + host
}

// RTPEngines asks for the rtpengines that are configured.
func (c *client) RTPEngines(ctx context.Context) ([]relay, error) {
	var relays []relay
	err := c.call(ctx, apiRTPEngines, func(reply []value) error {
		for i := range reply {
			r := &reply[i]
			if r.get("url").text() == "" {
				return unexpected("an rtpengine without url")
			}
			set, _ := r.get("set").unsigned().Get()
			relays = append(relays, relay{
				URL: r.get("url").text(), Set: set, Disabled: r.get("disabled").word(),
				Index: r.get("index").unsigned(), Weight: r.get("weight").unsigned(), RecheckDelay: r.get("recheck_ticks").unsigned(),
			})
		}
		return nil
	}, "all")
	return relays, err
}

// Htables asks how full the hash tables are.
func (c *client) Htables(ctx context.Context) ([]htable, error) {
	var tables []htable
	err := c.call(ctx, apiHtables, func(reply []value) error {
		for i := range reply {
			r := &reply[i]
			if r.get("name").text() == "" {
				return unexpected("a hash table without name")
			}
			tables = append(tables, htable{
				Name: r.get("name").text(), Slots: r.get("slots").unsigned(),
				All: r.get("all").unsigned(), Min: r.get("min").unsigned(), Max: r.get("max").unsigned(),
			})
		}
		return nil
	})
	return tables, err
}

// PikeAddresses asks for the addresses that send much and counts them by status, such as HOT.
func (c *client) PikeAddresses(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	err := c.call(ctx, apiPike, func(reply []value) error {
		for row := range first(reply).get("list").each("") {
			counts[row.get("status").text()]++
		}
		return nil
	}, "ALL")
	return counts, err
}

// DMQNodes asks for the nodes of the distributed message queue.
func (c *client) DMQNodes(ctx context.Context) ([]dmqNode, error) {
	var nodes []dmqNode
	err := c.call(ctx, apiDMQ, func(reply []value) error {
		for i := range reply {
			r := &reply[i]
			if r.get("host").text() == "" {
				return unexpected("a node without host")
			}
			local, _ := r.get("local").int().Get()
			nodes = append(nodes, dmqNode{
				Host: r.get("host").text(), Port: r.get("port").word(), Status: r.get("status").text(), Local: local != 0,
			})
		}
		return nil
	})
	return nodes, err
}

// isFault reports whether the server answered with a fault that says so.
func isFault(err error, text string) bool {
	fault, ok := errors.AsType[*binrpc.Fault](err)
	return ok && strings.Contains(fault.Text, text)
}

// isAbsent reports whether the server does not know the method because a module is not loaded, or has switched off what
// it is about.
func isAbsent(err error) bool {
	fault, ok := errors.AsType[*binrpc.Fault](err)
	return ok && (strings.HasPrefix(fault.Text, "command ") && strings.HasSuffix(fault.Text, " not found") ||
		strings.EqualFold(fault.Text, "method not found") || fault.Text == "tcp support disabled")
}

// partialError spoilt only a part of an answer.
type partialError struct {
	counted scrape.ErrorType
	text    string
}

func (e *partialError) Error() string { return e.text }

// ErrorType returns how the error is counted.
func (e *partialError) ErrorType() scrape.ErrorType { return e.counted }

// Partial says that the rest of the answer is good.
func (*partialError) Partial() bool { return true }

// unexpected is a reply of another form than the method's.
func unexpected(text string) error {
	return &binrpc.Error{Type: scrape.Format, Text: "a reply that cannot be understood: " + text, Hint: "please report it with the version of kamailio"}
}
