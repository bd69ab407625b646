// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// The functions below decode the reply of each method. A reply of another shape is an error, never an empty result.

// beginsWith returns the struct at the beginning of a reply. The struct must have a member with the given name.
func beginsWith(reply []value, name string) (*value, error) {
	v := first(reply)
	if v.kind != kindStruct || v.get(name).kind == kindNone {
		return nil, unexpected("no " + name + " in it")
	}
	return v, nil
}

// readUptime returns the seconds since the server started.
func readUptime(reply []value) (float64, error) {
	seconds, ok := first(reply).get("uptime").float().Get()
	if !ok || seconds < 0 {
		return 0, unexpected("no uptime in it")
	}
	return seconds, nil
}

// readVersion returns the release, such as 5.6.3.
func readVersion(reply []value) (string, error) {
	for word := range strings.FieldsSeq(first(reply).text()) {
		if word[0] >= '0' && word[0] <= '9' {
			return word, nil
		}
	}
	return "", unexpected("no number of a release in it")
}

// readMethods returns the methods that the server offers, which depend on the loaded modules.
func readMethods(reply []value) ([]string, error) {
	methods, err := readTexts(reply)
	if err == nil && !slices.Contains(methods, apiUptime) { // a wrong list would disable all calls
		return nil, unexpected("no " + apiUptime + " in it")
	}
	return methods, err
}

// readTexts returns a list of strings, which must not be empty.
func readTexts(reply []value) ([]string, error) {
	if len(reply) == 0 {
		return nil, unexpected("nothing in it")
	}
	texts := make([]string, len(reply))
	for i := range reply {
		if reply[i].kind != kindText {
			return nil, unexpected("a list of strings with something else in it")
		}
		texts[i] = reply[i].text()
	}
	return texts, nil
}

// readNumber returns a single number.
func readNumber(reply []value) (int64, error) {
	n, ok := first(reply).unsigned().Get()
	if !ok {
		return 0, unexpected("no number in it")
	}
	return n, nil
}

// readNumbers returns a function that reads a struct of numbers, some of which are required. Negative numbers are skipped.
func readNumbers(required ...string) func([]value) (map[string]int64, error) {
	return readMembers((*value).count, required)
}

// readCounters is readNumbers for structs of unsigned 32-bit integers.
func readCounters(required ...string) func([]value) (map[string]int64, error) {
	return readMembers((*value).unsigned, required)
}

func readMembers(of func(*value) number, required []string) func([]value) (map[string]int64, error) {
	return func(reply []value) (map[string]int64, error) {
		numbers := map[string]int64{}
		members := first(reply).members
		for i := range members {
			if n, ok := of(&members[i]).Get(); ok {
				numbers[string(members[i].name)] = n
			}
		}
		for _, name := range required {
			if !first(reply).get(name).isNumber() {
				return nil, unexpected("no " + name + " in it")
			}
		}
		return numbers, nil
	}
}

// readTransactions returns the numbers of the module tm. Its counters are unsigned 32-bit integers.
func readTransactions(reply []value) (map[string]int64, error) {
	numbers, err := readNumbers("current", "total")(reply)
	if err != nil {
		return nil, err
	}
	members := first(reply).members
	for i := range members {
		name := string(members[i].name)
		if n, ok := members[i].unsigned().Get(); ok && name != "current" && name != "waiting" {
			numbers[name] = n
		}
	}
	return numbers, nil
}

// readProcesses returns the private memory of every process.
func readProcesses(reply []value) ([]process, error) {
	processes := make([]process, len(reply))
	for i := range reply {
		r := &reply[i]
		index, ok := r.get("entry").int().Get()
		if !ok || !r.get("used").isNumber() {
			return nil, unexpected("a process without entry or used")
		}
		processes[i] = process{
			Index: index, Description: r.get("desc").text(),
			Used: r.get("used").unsigned(), RealUsed: r.get("real_used").unsigned(), Free: r.get("free").unsigned(),
			Size: r.get("total_size").unsigned(), Fragments: r.get("total_frags").unsigned(),
		}
	}
	if len(processes) == 0 {
		return nil, unexpected("no process in it")
	}
	return processes, nil
}

// profileSizes requests the number of dialogs in each profile, which is written as profile or profile/value.
func profileSizes(profiles []string) *query[[]profileSize] {
	sizes := make([]profileSize, len(profiles))
	calls := make([]*call, len(profiles))
	for i, name := range profiles {
		args := strings.SplitN(name, "/", 2)
		sizes[i].Profile = args[0]
		if len(args) > 1 {
			sizes[i].Value = args[1]
		}
		calls[i] = &call{method: apiProfileSize, args: args, read: func(reply []value) (err error) {
			sizes[i].Dialogs, err = readNumber(reply)
			return err
		}}
	}
	return &query[[]profileSize]{calls, func(context.Context) ([]profileSize, error) { return knownProfiles(sizes, calls) }}
}

// knownProfiles returns the sizes of the profiles that are defined on the server.
func knownProfiles(sizes []profileSize, calls []*call) ([]profileSize, error) {
	var known []profileSize
	var errs []error
	for i, made := range calls {
		switch fault, isFault := errors.AsType[*binrpc.Fault](made.err); {
		case made.err == nil:
			known = append(known, sizes[i])
		case isFault && fault.Code == codeNotFound:
			errs = append(errs, fmt.Errorf("%w: check the setting dialog_profiles", fault))
		default:
			return nil, made.err
		}
	}
	if len(errs) > 0 {
		return known, &partialError{scrape.Response, errors.Join(errs...).Error()}
	}
	return known, nil
}

// codeNotFound is the fault code for a profile that does not exist.
const codeNotFound = 404

// dispatcherQuery requests the destinations of the dispatcher, with args that select their members.
func dispatcherQuery(args ...string) *query[dispatcher] {
	return ask(apiDispatcher, readDispatcher, args...).orEmpty("No Destination Sets", dispatcher{Sets: optional.Of(int64(0))})
}

// orEmpty makes the query return empty instead of a fault whose text contains text.
func (q *query[T]) orEmpty(text string, empty T) *query[T] {
	answer := q.answer
	q.answer = func(ctx context.Context) (T, error) {
		all, err := answer(ctx)
		if isFault(err, text) {
			return empty, nil
		}
		return all, err
	}
	return q
}

func readDispatcher(reply []value) (d dispatcher, err error) {
	v, err := beginsWith(reply, "NRSETS")
	if err != nil {
		return d, err
	}
	if d.Sets = v.get("NRSETS").count(); !v.get("NRSETS").isNumber() {
		return d, unexpected("NRSETS is no number")
	}
	sets := 0
	var odd []error
	for set := range v.get("RECORDS").each("SET") {
		sets++
		id := set.get("ID").word()
		for dest := range set.get("TARGETS").each("DEST") {
			if dest.get("URI").text() == "" {
				return d, unexpected("a destination without URI")
			}
			t := readTarget(id, dest)
			if !t.hasState() {
				odd = append(odd, fmt.Errorf("FLAGS of %s are %q", t.URI, selection.Name(t.Flags)))
			}
			d.Targets = append(d.Targets, t)
		}
	}
	if sets == 0 {
		return d, unexpected("no SET in it")
	}
	return d, oddValues(odd)
}

// hasState reports whether the flags begin with one of the known states of a destination.
func (t *target) hasState() bool { return strings.IndexAny(t.Flags, "ATID") == 0 }

func readTarget(set string, dest *value) target {
	latency := dest.get("LATENCY")
	return target{
		Set: set, URI: withoutSecrets(dest.get("URI").text()), Flags: dest.get("FLAGS").text(),
		Average: latency.get("AVG").float(), Deviation: latency.get("STD").float(),
		Estimate: latency.get("EST").float(), Max: latency.get("MAX").float(),
		Timeouts: latency.get("TIMEOUT").count(),
		Dialogs:  dest.get("RUNTIME").get("DLGLOAD").count(),

		Reduction: dest.get("OCRATE").count(),
	}
}

// withoutSecrets removes possible secrets from a SIP URI: the password, the headers, and all parameters except those that describe
// how to reach the host.
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

// relaysQuery requests the configured rtpengines.
func relaysQuery() *query[[]relay] {
	return ask(apiRTPEngines, readRelays, "all").orEmpty("no sets loaded", nil)
}

func readRelays(reply []value) ([]relay, error) {
	relays := make([]relay, len(reply))
	var odd []error
	for i := range reply {
		r := &reply[i]
		url := r.get("url").text()
		set, ok := r.get("set").int().Get()
		if url == "" || !ok {
			return nil, unexpected("an rtpengine without url or set")
		}
		state, key := readRelayState(r)
		if state == relayUnknown {
			odd = append(odd, fmt.Errorf("%s of %s is %q", key, selection.Name(url), selection.Name(r.get(key).word())))
		}
		relays[i] = relay{
			URL: url, Set: set, State: state,
			Index: r.get("index").count(), Weight: r.get("weight").count(), RecheckDelay: r.get("recheck_ticks").count(),
		}
	}
	return relays, oddValues(odd)
}

// readRelayState returns the state of an rtpengine, or the key that has an unknown value. Before 6.0, disabled holds the whole state;
// since then, disabled reports whether an administrator disabled the rtpengine, and active whether it is in use.
func readRelayState(r *value) (relayState, string) {
	disabled, hasDisabled := r.get("disabled").bool().Get()
	if r.get("active").kind == kindNone {
		switch {
		case r.get("disabled").text() == "1(permanent)":
			return relayRemoved, ""
		case !hasDisabled:
			return relayUnknown, "disabled"
		case disabled:
			return relayDisabled, ""
		}
		return relayEnabled, ""
	}
	active, hasActive := r.get("active").bool().Get()
	switch {
	case !hasActive:
		return relayUnknown, "active"
	case !hasDisabled:
		return relayUnknown, "disabled"
	case active:
		return relayEnabled, ""
	case disabled:
		return relayRemoved, ""
	}
	return relayDisabled, ""
}

// htablesQuery requests the sizes of the hash tables.
func htablesQuery() *query[[]htable] { return ask(apiHtables, readHtables).orEmpty("No htables", nil) }

func readHtables(reply []value) ([]htable, error) {
	tables := make([]htable, len(reply))
	for i := range reply {
		r := &reply[i]
		if r.get("name").text() == "" || !r.get("all").isNumber() {
			return nil, unexpected("a hash table without name or all")
		}
		tables[i] = htable{
			Name: r.get("name").text(), Slots: r.get("slots").unsigned(),
			All: r.get("all").unsigned(), Min: r.get("min").unsigned(), Max: r.get("max").unsigned(),
		}
	}
	if len(tables) == 0 {
		return nil, unexpected("no hash table in it")
	}
	return tables, nil
}

// readPike counts the addresses that pike watches, by status such as HOT.
func readPike(reply []value) (map[string]int64, error) {
	v, err := beginsWith(reply, "max_hits")
	if err != nil {
		return nil, err
	}
	list := v.get("list")
	if list.kind != kindNone && !list.isList() {
		return nil, unexpected("a list that is none")
	}
	counts := map[string]int64{}
	for row := range list.each("") {
		if row.get("status").kind != kindText {
			return nil, unexpected("an address without status")
		}
		counts[row.get("status").text()]++
	}
	return counts, nil
}

// readDMQNodes returns the nodes of the distributed message queue.
func readDMQNodes(reply []value) ([]dmqNode, error) {
	nodes := make([]dmqNode, len(reply))
	for i := range reply {
		r := &reply[i]
		if r.get("host").text() == "" || r.get("status").kind != kindText {
			return nil, unexpected("a node without host or status")
		}
		local, _ := r.get("local").int().Get()
		nodes[i] = dmqNode{
			Host: r.get("host").text(), Port: r.get("port").word(), Status: r.get("status").text(), Local: local != 0,
			Failures: r.get("fail_count").count(),
		}
	}
	if len(nodes) == 0 {
		return nil, unexpected("no node in it")
	}
	return nodes, nil
}

// readDNSMemory returns the memory of the DNS cache.
func readDNSMemory(reply []value) (m dnsMemory, err error) {
	const usageAndLimit = 2
	if len(reply) != usageAndLimit {
		return m, unexpected("not two numbers in it")
	}
	usage, hasUsage := reply[0].unsigned().Get()
	limit, hasLimit := reply[1].unsigned().Get()
	if !hasUsage || !hasLimit {
		return m, unexpected("not two numbers in it")
	}
	return dnsMemory{usage, limit}, nil
}

// dnsStatisticsQuery requests the counters of the DNS cache. A second argument other than 0 would reset them.
func dnsStatisticsQuery() *query[map[string]int64] {
	q := ask(apiDNSStatistics, readCounters("dns_req_cnt"), "dc_all_stats")
	q.calls[0].numbers = []int32{0}
	return q
}

// readPipes returns the pipes of the module pipelimit.
func readPipes(reply []value) ([]pipe, error) {
	pipes := make([]pipe, len(reply))
	for i := range reply {
		r := &reply[i]
		if r.get("name").text() == "" {
			return nil, unexpected("a pipe without name")
		}
		pipes[i] = pipe{
			Name: r.get("name").text(), Algorithm: r.get("algorithm").text(),
			Limit: r.get("limit").count(), LastCount: r.get("last_counter").count(),
		}
	}
	return pipes, nil
}

// errOnlyText is returned for the statistics of secfilter before 5.7, which are text for people.
var errOnlyText = errors.New("text instead of numbers: Kamailio 5.7 or later is required")

// readSecfilter returns the statistics of the module secfilter.
func readSecfilter(reply []value) ([]secfilterCount, error) {
	if len(reply) > 0 && first(reply).kind == kindText && first(reply).text() == "" { // the blank line at its beginning
		return nil, errOnlyText
	}
	v, err := beginsWith(reply, "Blacklist")
	if err != nil {
		return nil, err
	}
	var counts []secfilterCount
	for i := range v.members {
		list := &v.members[i]
		for j := range list.members {
			field := &list.members[j]
			if n, ok := field.unsigned().Get(); ok {
				counts = append(counts, secfilterCount{string(list.name), string(field.name), n})
			}
		}
	}
	return counts, nil
}

// oddValues returns a partial error that quotes unknown values, nil if there are none.
func oddValues(odd []error) error {
	const quoted = 2
	if len(odd) == 0 {
		return nil
	}
	text := "values that cannot be understood: " + errors.Join(odd[:min(len(odd), quoted)]...).Error()
	return &partialError{scrape.Format, strings.ReplaceAll(text, "\n", "; ") + ": please report it with the version of kamailio"}
}
