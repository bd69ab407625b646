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
	Key   string // group.name, any bytes
	Group string // empty when the key has none
	Name  string
	Known bool // it stands in the table of points
	Value int64
}

func newStatistic(key string) statistic {
	st := statistic{Key: key}
	_, st.Known = points[key]
	if group, name, ok := strings.Cut(key, "."); ok {
		st.Group, st.Name = group, name
	}
	return st
}

// statistics are all that could be read, the number of those that are known to be missing, and the keys of those whose values
// are no numbers. They are valid until they are asked for again.
type statistics struct {
	List       []statistic
	Omitted    int64
	Unreadable []string
}

// complete tells whether all statistics of the server are there.
func (s *statistics) complete() bool { return s.Omitted == 0 && len(s.Unreadable) == 0 }

const (
	// maxStruct is the part of a struct's room that a batch of names may fill: half of the default of
	// binrpc_struct_max_body_size, 8 KiB, because servers print some values longer than others.
	maxStruct = 4 << 10
	// statisticSize is what a statistic takes there besides its key: its value and the headers of both.
	statisticSize = 32
	// fullReply is the size from which a reply may have been cut: the default of binrpc_max_body_size, less one line.
	fullReply = 32<<10 - 512
)

// knownGroups are asked for where no module tells which groups there are.
var knownGroups = []string{
	"core", "shmem", "sl", "tmx", "tcp", "tls", "sctp", "dns", "usrloc", "registrar", "dialog", "pike", "script", "uac",
	"websocket", "siptrace", "sipcapture", "mysql", "http_async_client", "cdp", "msilo", "sst", "kafka", "nat_traversal",
	"imc", "p_usrloc", "tsilo",
}

// fetches are the arguments of the calls that together read all statistics. Each is one word, all or a group with a colon, or
// names of one group. They stay the same while the server runs: each that is too large costs it a line of its log per statistic.
type fetches struct {
	all       []fetch
	cut       int64       // statistics that no call can read
	uncounted bool        // there are more of those
	last      []statistic // what was read last: its names are seldom others
}

// fetch is one call of stats.fetch.
type fetch struct {
	group string // of names
	args  []string
}

// Restarted forgets what was learnt of a server that has been exchanged, or started again.
func (c *client) Restarted() { c.fetches = fetches{} }

// Statistics asks for all statistics. Where they do not fit into one struct, it asks group by group, and where one group does
// not, for its names. What still does not fit is counted, with a partial error, and so is what is no number.
func (c *client) Statistics(ctx context.Context) (statistics, error) {
	if c.fetches.all == nil {
		c.fetches.all = []fetch{{args: []string{"all"}}}
	}
	all := statistics{List: c.fetches.last[:0]}
	var done []fetch
	for todo := c.fetches.all; len(todo) > 0; {
		tooLarge, err := c.fetch(ctx, todo, &all, &done)
		if err == nil && len(tooLarge) > 0 {
			todo, err = c.divide(ctx, tooLarge)
		} else {
			todo = nil
		}
		if err != nil {
			c.Restarted()
			return statistics{}, err
		}
	}
	c.fetches.all, c.fetches.last = done, all.List
	all.Omitted += c.fetches.cut
	return all, errors.Join(c.fetches.missing(all.Omitted), unreadable(all.Unreadable))
}

// missing says of n statistics that they are missing; nil if none are.
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

// unreadable says of statistics that their values are no numbers; nil if there are none.
func unreadable(keys []string) error {
	const told = 2
	if len(keys) == 0 {
		return nil
	}
	what := fmt.Sprintf("%d statistics have values that are no whole numbers", len(keys))
	if len(keys) == 1 {
		what = "1 statistic has a value that is no whole number"
	}
	names := make([]string, min(len(keys), told))
	for i := range names {
		names[i] = strconv.Quote(selection.Name(keys[i]))
	}
	return &partialError{scrape.Format, what + ", such as " + strings.Join(names, " and ") + ": please report it with the version of kamailio"}
}

// fetch makes the calls, adds what they return to all and those that were answered to done, and returns those that were too large.
func (c *client) fetch(ctx context.Context, todo []fetch, all *statistics, done *[]fetch) (tooLarge []fetch, err error) {
	calls := make([]call, len(todo))
	for i, f := range todo {
		calls[i] = call{method: apiStatistics, args: f.args, read: func(reply []value) error {
			c.add(all, f, first(reply).members)
			return nil
		}}
	}
	c.transport.do(ctx, calls)
	for i := range calls {
		fault, isFault := errors.AsType[*binrpc.Fault](calls[i].err)
		switch {
		case calls[i].err == nil:
			*done = append(*done, todo[i])
		case isFault && !isAbsent(fault):
			tooLarge = append(tooLarge, todo[i])
		default:
			return nil, calls[i].err
		}
	}
	return tooLarge, nil
}

// add adds the statistics of one reply to all. Names are looked up by Kamailio without their group: one that two groups have
// returns the other's.
func (c *client) add(all *statistics, f fetch, members []value) {
	found := int64(0)
	all.List = slices.Grow(all.List, len(members))
	for i := range members {
		room := len(all.List)
		st := &all.List[:room+1][room] // as the last scrape left it
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
}

// divide makes smaller calls of those that were too large.
func (c *client) divide(ctx context.Context, tooLarge []fetch) (smaller []fetch, err error) {
	for _, f := range tooLarge {
		group, isGroup := strings.CutSuffix(f.args[0], ":")
		switch {
		case f.group != "":
			c.fetches.cut += int64(len(f.args))
		case isGroup:
			var batches []fetch
			batches, err = c.batches(ctx, group)
			smaller = append(smaller, batches...)
		default:
			smaller, err = c.groups(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return smaller, nil
}

// groups returns a call for every group.
func (c *client) groups(ctx context.Context) ([]fetch, error) {
	groups, err := c.texts(ctx, apiGroups)
	if isAbsent(err) {
		groups, err = knownGroups, nil
	}
	all := make([]fetch, len(groups))
	for i, group := range groups {
		all[i] = fetch{args: []string{group + ":"}}
	}
	return all, err
}

// batches returns calls for all names of a group, each of a size that fits into a struct.
func (c *client) batches(ctx context.Context, group string) ([]fetch, error) {
	names, err := c.names(ctx, group)
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

// names asks for the names of a group. Where they do not fit into one reply either, or no module tells them, it takes those
// of stats.get_statistics, which Kamailio cuts without a word: how many are lost is unknown then, and counts as one.
func (c *client) names(ctx context.Context, group string) ([]string, error) {
	names, err := c.texts(ctx, apiNames, group)
	if _, isFault := errors.AsType[*binrpc.Fault](err); !isFault {
		return names, err
	}
	lines, err := c.texts(ctx, apiStatisticLines, group+":")
	size := 0
	for _, line := range lines { // such as script:calls = 5
		size += len(line) + len("\x00") + 2
		line = strings.TrimPrefix(line, group+":")
		if end := strings.LastIndex(line, " = "); end >= 0 {
			names = append(names, line[:end])
		}
	}
	if size >= fullReply {
		c.fetches.cut++
		c.fetches.uncounted = true
	}
	return names, err
}
