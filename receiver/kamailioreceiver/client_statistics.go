// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// statistic is one of Kamailio's statistics.
type statistic struct {
	Key   string // group.name; may contain any bytes
	Group string // empty if the key has none
	Name  string
	Value int64
}

func newStatistic(key string) statistic {
	st := statistic{Key: key}
	if group, name, ok := strings.Cut(key, "."); ok {
		st.Group, st.Name = group, name
	}
	return st
}

// statistics are all statistics of a server. They are valid until the next request.
type statistics struct {
	List       []statistic
	Omitted    int64    // number of statistics known to be missing
	Unreadable []string // keys of statistics whose values are not integers
}

// complete reports whether all statistics of the server are included.
func (s *statistics) complete() bool { return s.Omitted == 0 && len(s.Unreadable) == 0 }

const (
	// maxStruct is the size that a batch of names may fill of a struct: half of the default of binrpc_struct_max_body_size, 8 KiB,
	// because some values are longer than others.
	maxStruct = 4 << 10
	// statisticSize is the size of a statistic in a struct besides its key: the value and the headers of key and value.
	statisticSize = 32
	// fullReply is the size from which a reply may be truncated: the default of binrpc_max_body_size less one line.
	fullReply = 32<<10 - 512
)

// knownGroups are requested from servers that lack the module that lists the groups.
var knownGroups = []string{
	"core", "shmem", "sl", "tmx", "tcp", "tls", "sctp", "dns", "usrloc", "registrar", "dialog", "pike", "script", "uac",
	"websocket", "siptrace", "sipcapture", "mysql", "http_async_client", "httpclient", "cdp", "msilo", "sst", "kafka",
	"nat_traversal", "imc", "p_usrloc", "tsilo", "ims_auth", "ims_charging", "ims_icscf", "ims_qos", "ims_qos_npn",
	"ims_registrar_scscf",
}

// fetches holds the calls that together read all statistics. They stay the same while the server runs, because for each call whose
// reply is too large, the server logs one line per statistic.
type fetches struct {
	all       []fetch
	cut       int64       // number of statistics that no call can read
	uncounted bool        // whether cut is only a lower bound
	last      []statistic // from the last scrape; reused, because most names stay the same
}

// fetch is one call of stats.fetch. Its arguments are "all", a group with a colon, or names.
type fetch struct {
	group string // if args are names
	args  []string
}

// Restarted discards the calls that read the statistics, because the server was replaced or restarted.
func (c *client) Restarted() { c.fetches = fetches{} }

// Statistics requests all statistics. If they do not fit into one struct, it requests them by group, and if a group does not fit, by
// name. Statistics that still do not fit and values that are not integers result in partial errors.
func (c *client) Statistics() *query[statistics] {
	if c.fetches.all == nil {
		c.fetches.all = []fetch{{args: []string{"all"}}}
	}
	r := &statisticsReader{client: c, query: &query[statistics]{}, all: statistics{List: c.fetches.last[:0]}}
	r.begin(c.fetches.all)
	r.query.answer = r.finish
	return r.query
}

// statisticsReader reads all statistics, in one call or several.
type statisticsReader struct {
	*client
	query *query[statistics]
	all   statistics
	todo  []fetch
	calls []*call // one per element of todo
	done  []fetch // those that succeeded
	again bool    // whether todo is not the first request
}

// begin creates the calls for todo and adds them to the query.
func (r *statisticsReader) begin(todo []fetch) {
	r.todo, r.calls = todo, make([]*call, len(todo))
	for i, f := range todo {
		r.calls[i] = &call{method: apiStatistics, args: f.args, read: func(reply []value) error { return r.add(f, reply) }}
	}
	r.query.calls = append(r.query.calls, r.calls...)
}

// finish makes further calls for statistics that did not fit into the replies.
func (r *statisticsReader) finish(ctx context.Context) (statistics, error) {
	for len(r.todo) > 0 {
		tooLarge, err := r.sort()
		var smaller []fetch
		if err == nil {
			smaller, err = r.divide(ctx, tooLarge)
		}
		if err != nil {
			if r.again || !isLost(err) { // otherwise the same calls can be repeated
				r.Restarted()
			}
			return statistics{}, err
		}
		r.again = true
		r.begin(smaller)
		if len(smaller) > 0 {
			r.do(ctx, r.calls)
		}
	}
	r.fetches.all, r.fetches.last = r.done, r.all.List
	if len(r.all.List) > keptValues {
		r.fetches.last = nil
	}
	r.all.Omitted += r.fetches.cut
	if len(r.all.List) == 0 && r.all.Omitted == 0 {
		return statistics{}, unexpected("no statistic in it that is a whole number")
	}
	return r.all, errors.Join(r.fetches.missing(r.all.Omitted), unreadable(r.all.Unreadable))
}

// isLost reports whether a call failed because no reply arrived.
func isLost(err error) bool {
	counted := scrape.TypeOf(err)
	return counted == scrape.Timeout || counted == scrape.Connection
}

// sort adds the fetches that succeeded to done and returns those whose replies were too large. It drops groups without names.
func (r *statisticsReader) sort() (tooLarge []fetch, err error) {
	for i, made := range r.calls {
		fault, isFault := errors.AsType[*binrpc.Fault](made.err)
		switch {
		case made.err == nil:
			r.done = append(r.done, r.todo[i])
		case errors.Is(made.err, errNoNames):
		case isFault && !isAbsent(fault):
			tooLarge = append(tooLarge, r.todo[i])
		default:
			return nil, made.err
		}
	}
	return tooLarge, nil
}

// errNoNames is the error of a requested group that the server does not have.
var errNoNames = errors.New("no names in the group")

// missing returns the error for n missing statistics, nil if n is 0.
func (f *fetches) missing(n int64) error {
	what := fmt.Sprintf("%d statistics do", n)
	switch {
	case n == 0:
		return nil
	case f.uncounted:
		what = "an unknown number of statistics do"
	case n == 1:
		what = "1 statistic does"
	}
	return &partialError{scrape.Size, what + ` not fit into kamailio's replies: raise modparam("ctl", "binrpc_struct_max_body_size", 64) ` +
		`and modparam("ctl", "binrpc_max_body_size", 128) in kamailio.cfg`}
}

// unreadable returns the error for statistics whose values are not integers, nil if there are none.
func unreadable(keys []string) error {
	const quoted = 2
	if len(keys) == 0 {
		return nil
	}
	what := fmt.Sprintf("%d statistics have values that are no whole numbers", len(keys))
	if len(keys) == 1 {
		what = "1 statistic has a value that is no whole number"
	}
	names := make([]string, min(len(keys), quoted))
	for i := range names {
		names[i] = strconv.Quote(selection.Name(keys[i]))
	}
	return &partialError{scrape.Format, what + ", such as " + strings.Join(names, " and ") + ": please report it with the version of kamailio"}
}

// add adds the statistics of one reply. Kamailio looks up names without their group: if two groups have the same name, it may return
// the statistic of the other group, which add skips.
func (r *statisticsReader) add(f fetch, reply []value) error {
	members := first(reply).members
	switch {
	case first(reply).kind != kindStruct:
		return unexpected("no struct of statistics")
	case len(members) == 0 && r.again && f.group == "":
		return errNoNames
	case len(members) == 0:
		return unexpected("no statistic in it")
	}
	all := &r.all
	found := int64(0)
	all.List = slices.Grow(all.List, len(members))
	for i := range members {
		room := len(all.List)
		st := &all.List[:room+1][room] // from the last scrape
		if st.Key != string(members[i].name) {
			*st = newStatistic(string(members[i].name))
		}
		var ok bool
		st.Value, ok = members[i].statistic().Get()
		switch {
		case f.group != "" && st.Group != f.group:
		case !ok || st.Group == "":
			all.Unreadable = append(all.Unreadable, st.Key)
			found++
		default:
			all.List = all.List[:room+1]
			found++
		}
	}
	if f.group != "" {
		all.Omitted += int64(len(f.args)) - found
	}
	return nil
}

// divide replaces calls whose replies were too large by smaller ones.
func (r *statisticsReader) divide(ctx context.Context, tooLarge []fetch) (smaller []fetch, err error) {
	for _, f := range tooLarge {
		group, isGroup := strings.CutSuffix(f.args[0], ":")
		switch {
		case f.group != "":
			r.fetches.cut += int64(len(f.args))
		case isGroup:
			var batches []fetch
			batches, err = r.batches(ctx, group)
			smaller = append(smaller, batches...)
		default:
			smaller, err = r.groups(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return smaller, nil
}

// groups returns a fetch for every group.
func (r *statisticsReader) groups(ctx context.Context) ([]fetch, error) {
	groups, err := r.texts(ctx, apiGroups)
	if isAbsent(err) {
		groups, err = knownGroups, nil
	}
	all := make([]fetch, len(groups))
	for i, group := range groups {
		all[i] = fetch{args: []string{group + ":"}}
	}
	return all, err
}

// batches returns fetches for all names of a group, each of which fits into a struct.
func (r *statisticsReader) batches(ctx context.Context, group string) ([]fetch, error) {
	names, err := r.names(ctx, group)
	var all []fetch
	room := 0
	for _, name := range names {
		size := len(group) + len(".") + len(name) + statisticSize
		if room -= size; room < 0 {
			all = append(all, fetch{group: group})
			room = maxStruct - size
		}
		last := &all[len(all)-1]
		last.args = append(last.args, name)
	}
	return all, err
}

// names requests the names of a group. If they do not fit into one reply, or no module lists them, it takes them from
// stats.get_statistics, whose reply Kamailio truncates silently. The number of lost names is then unknown and counted as one.
func (r *statisticsReader) names(ctx context.Context, group string) ([]string, error) {
	names, err := r.texts(ctx, apiNames, group)
	if _, isFault := errors.AsType[*binrpc.Fault](err); !isFault {
		return names, err
	}
	lines, err := r.texts(ctx, apiStatisticLines, group+":")
	size := 0
	for _, line := range lines { // such as script:calls = 5
		size += len(line) + len("\x00") + 2
		line = strings.TrimPrefix(line, group+":")
		if end := strings.LastIndex(line, " = "); end >= 0 {
			names = append(names, line[:end])
		}
	}
	if size >= fullReply {
		r.fetches.cut++
		r.fetches.uncounted = true
	}
	return names, err
}

// texts requests a list of strings.
func (r *statisticsReader) texts(ctx context.Context, method string, args ...string) ([]string, error) {
	q := ask(method, readTexts, args...)
	r.query.calls = append(r.query.calls, q.calls...)
	return get(ctx, r.client, q)
}
