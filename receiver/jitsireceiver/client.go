// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// The paths that the client asks for. None of them changes the server; others that are asked for by GET do.
const (
	apiColibri    = "/colibri/stats"
	apiStats      = "/stats"
	apiAboutStats = "/about/stats"
	apiJibri      = "/jibri/api/v1.0/health"
	apiMetrics    = "/metrics"
	apiVersion    = "/about/version"
	apiHealth     = "/about/health"
)

// Bounds on what an answer may hold, far above what a server can have.
const (
	maxSizes  = 1000
	maxValues = 100_000
	maxWrong  = 8
	// maxHealth is the number of bytes that are read of a health check that passes.
	maxHealth = 1 << 10
)

// source is one of the two answers of a component, which hold much the same values.
type source uint8

const (
	fromStats source = iota // JSON
	fromPage                // text
)

// kind is the type of a value.
type kind uint8

const (
	kindWhole kind = iota
	kindDecimal
	kindYesNo // kept as 1 or 0
	kindText
	kindSizes
)

// key says under which names an answer holds a value, as in row.
type key struct {
	stats, page string
	kind        kind
	named       bool // each of several named things has the value
}

// value is the value of a key in an answer.
type value struct {
	rank    int // of the name that was used, from 1; 0 where there is no value
	whole   int64
	decimal float64
	text    string // also the name of the thing, where each of several has the value
	sizes   []size
}

// size is the number of things of one size.
type size struct {
	label string
	upper float64 // of a bucket of the page
	count int64
}

// namedValue is the value of one of several named things.
type namedValue struct {
	key int
	value
}

// answer holds the values of a source. It is valid until the source is asked again.
type answer struct {
	values []value // by key
	named  []namedValue
	known  int // values in it
	other  int // anything else
	// owned counts the own keys of each component, or the families with its prefix.
	owned map[string]int
}

func (a *answer) reset(keys int) {
	a.values = slices.Grow(a.values[:0], keys)[:keys]
	for i := range a.values {
		a.values[i] = value{sizes: a.values[i].sizes[:0]}
	}
	a.named, a.known, a.other = a.named[:0], 0, 0
	if a.owned == nil {
		a.owned = map[string]int{}
	}
	clear(a.owned)
}

// set returns where to put the value of a key, nil where a better name has set it already.
func (a *answer) set(n *name) *value {
	a.known++
	v := &a.values[n.key]
	if v.rank != 0 && v.rank < n.rank {
		return nil
	}
	return v
}

// name is one of the names of a key.
type name struct {
	key, rank    int
	kind         kind
	named        bool
	label, value string
}

// names are all names of a component's keys.
type names struct {
	stats   map[string]name
	groups  map[string]bool // objects on the way to them
	page    map[string]name
	buckets map[string]int // keys by family of the page, those that are counted by size
	keys    int
}

func newNames(keys []key) *names {
	n := &names{stats: map[string]name{}, groups: map[string]bool{}, page: map[string]name{}, buckets: map[string]int{}, keys: len(keys)}
	for i, k := range keys {
		for rank, path := range strings.Fields(k.stats) {
			n.stats[path] = name{key: i, rank: rank + 1, kind: k.kind, named: k.named}
			for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path, '.') {
				path = path[:at]
				n.groups[path] = true
			}
		}
		for rank, family := range strings.Fields(k.page) {
			family, label, _ := strings.Cut(strings.TrimSuffix(family, "}"), "{")
			label, value, _ := strings.Cut(label, "=")
			if k.kind == kindSizes {
				family, label = family+"_bucket", "le"
				n.buckets[family] = i
			}
			n.page[family] = name{key: i, rank: rank + 1, kind: k.kind, named: k.named, label: label, value: value}
		}
	}
	return n
}

// client requests the answers of one component. Each source is requested by one call at a time.
type client struct {
	http      *httpapi.Client
	component *jitsiComponent
	names     *names
	json      *jsonwalk.Reader
	page      *exposition.Reader
	answers   [2]answer // by source
	path      []byte    // of the member being read
	last      []byte    // name of the last sample
}

func newClient(
	ctx context.Context, e endpointConfig, keys []key, maxBody int64, host component.Host, set component.TelemetrySettings,
) (*client, error) {
	httpClient, err := e.client.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	c := &client{
		http: httpapi.New(httpClient, e.client.Endpoint), component: e.jitsiComponent, names: newNames(keys),
		json: jsonwalk.NewReader(), page: exposition.NewReader(),
	}
	c.http.Block, c.http.System, c.http.MaxBody = e.name, httpapi.System(e.title), maxBody
	return c, nil
}

func (c *client) close() { c.http.CloseIdle() }

// Without a type that is asked for by name, some versions answer with any, others not at all.
var (
	acceptJSON = http.Header{"Accept": {"application/json"}}
	acceptText = http.Header{"Accept": {"text/plain; version=0.0.4"}}
)

// get requests a path. The error of a path that the component does not have says what turns it on.
func (c *client) get(ctx context.Context, path string, accept http.Header, read func(http.Header, io.Reader) error) error {
	err := c.http.Get(ctx, path, nil, accept, read)
	if e, ok := errors.AsType[*httpapi.Error](err); ok && isAbsent(err) {
		if absent := c.component.absent[path]; absent != "" {
			e.Hint = absent + "; or the setting " + c.component.name + "::endpoint leads elsewhere"
		}
	}
	return err
}

// isAbsent reports whether the component does not have what was asked for.
func isAbsent(err error) bool { return hasStatus(err, http.StatusNotFound) }

// hasStatus reports whether the component, as far as is known, answered with this HTTP status.
func hasStatus(err error, status int) bool {
	e, ok := errors.AsType[*httpapi.Error](err)
	return ok && e.Status == status && e.From == ""
}

// Version requests the version of the component.
func (c *client) Version(ctx context.Context) (version string, err error) {
	err = c.get(ctx, apiVersion, acceptJSON, func(_ http.Header, body io.Reader) error {
		r := jsonwalk.NewReader()
		r.Reset(body)
		err := r.Object(func(key []byte) error {
			if string(key) != "version" {
				return r.Skip()
			}
			text, err := r.Str(nil)
			version = string(text)
			return err
		})
		return cmp.Or(err, r.Err())
	})
	if hasStatus(err, http.StatusServiceUnavailable) || err == nil && version == "" {
		err = errNoVersion
	}
	return version, err
}

// errNoVersion says that a component does not report its version, which some do with status 503.
var errNoVersion = errors.New("the component does not report its version")

// isNotOffered reports whether an error says that the component does not offer what was requested.
func isNotOffered(err error) bool { return isAbsent(err) || errors.Is(err, errNoVersion) }

// health is the result of a component's own health check.
type health struct {
	passed bool
	reason string // of a failure
}

// Health requests the component's own health check. One that passes answers with an empty object, one that fails with status 500 or 503.
func (c *client) Health(ctx context.Context) (health, error) {
	err := c.get(ctx, apiHealth, acceptJSON, func(_ http.Header, body io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(body, maxHealth))
		if err == nil && (!bytes.ContainsRune(text, '{') || len(bytes.Trim(text, "{} \t\r\n")) > 0) {
			err = &httpapi.Error{
				Kind: httpapi.KindDecode, Text: "this is no health check of " + c.component.title,
				Hint: "check that the setting " + c.component.name + "::endpoint leads to it",
			}
		}
		return err
	})
	if hasStatus(err, http.StatusInternalServerError) || hasStatus(err, http.StatusServiceUnavailable) {
		e, _ := errors.AsType[*httpapi.Error](err)
		return health{reason: selection.Name(e.Text)}, nil
	}
	return health{passed: err == nil}, err
}

// Stats requests the JSON answer. Members of a wrong type cost themselves only.
func (c *client) Stats(ctx context.Context) (*answer, error) {
	a := &c.answers[fromStats]
	a.reset(c.names.keys)
	err := c.get(ctx, c.component.stats, acceptJSON, func(_ http.Header, body io.Reader) error {
		c.json.Reset(body)
		if !c.json.IsObject() {
			return c.noObject()
		}
		if err := c.walk(a, 0, ""); err != nil {
			return err
		}
		if err := c.json.End(); err != nil {
			return err
		}
		return cmp.Or(c.judge(a, nil), c.json.Err())
	})
	return a, err
}

// noObject reads an answer that is no object. JVB 1 says null while it has no statistics.
func (c *client) noObject() error {
	if _, err := c.json.Raw(); err != nil {
		return err
	}
	return &httpapi.Error{Kind: httpapi.KindDecode, Text: "the answer is no JSON object"}
}

// walk reads the values in an object, whose path takes up the first bytes of c.path. It may be that of a named thing.
func (c *client) walk(a *answer, length int, thing string) error {
	return c.json.Object(func(key []byte) error {
		if a.known+a.other >= maxValues {
			return jsonwalk.TooMany("members", maxValues)
		}
		group := len(c.appendPath(length, key))
		if owner := owners[string(c.path)]; owner != "" {
			a.owned[owner]++
		}
		if n, ok := c.names.stats[string(c.path)]; ok {
			return c.member(a, &n, thing)
		}
		if c.names.groups[string(c.path)] {
			if !c.json.IsText() { // many APIs have a text named status
				a.known++
			}
			return c.walk(a, group, thing)
		}
		if ownerGroups[string(c.path)] && c.json.IsObject() {
			a.other++
			return c.walk(a, group, thing)
		}
		if group = len(c.appendPath(length, []byte("*"))); c.names.groups[string(c.path)] {
			return c.walk(a, group, string(key))
		}
		a.other++
		return c.json.Skip()
	})
}

func (c *client) appendPath(length int, key []byte) []byte {
	c.path = c.path[:length]
	if length > 0 {
		c.path = append(c.path, '.')
	}
	c.path = append(c.path, key...)
	return c.path
}

// member reads one value.
func (c *client) member(a *answer, n *name, thing string) error {
	if n.named {
		return c.memberOf(a, n, thing)
	}
	v := a.set(n)
	if v == nil {
		return c.json.Skip()
	}
	read := value{rank: n.rank, sizes: v.sizes[:0]}
	there, err := c.value(&read, n.kind)
	if there {
		*v = read
	}
	return err
}

// memberOf reads the value of a named thing.
func (c *client) memberOf(a *answer, n *name, thing string) error {
	a.known++
	v := value{text: thing}
	there, err := c.value(&v, n.kind)
	if there {
		a.named = append(a.named, namedValue{n.key, v})
	}
	return err
}

// value reads a value of a kind, and reports whether there is one.
func (c *client) value(v *value, k kind) (there bool, err error) {
	switch k {
	case kindWhole:
		var n optional.Value[int64]
		err = c.json.Int(&n)
		v.whole, there = n.Get()
	case kindDecimal:
		var f optional.Value[float64]
		err = c.json.Float(&f)
		v.decimal, there = f.Get()
	case kindYesNo:
		var b optional.Value[bool]
		err = c.json.Bool(&b)
		yes, ok := b.Get()
		v.whole, there = rows.BoolToInt(yes), ok
	case kindText:
		v.text, err = c.text()
		there = v.text != ""
	case kindSizes:
		v.sizes, err = c.sizes(v.sizes)
		there = len(v.sizes) > 0
	}
	return there, err
}

// text reads a string, or a number as one.
func (c *client) text() (string, error) {
	if c.json.IsText() {
		text, err := c.json.Str(nil)
		return string(text), err
	}
	var v optional.Value[int64]
	err := c.json.Int(&v)
	if n, ok := v.Get(); ok {
		return strconv.FormatInt(n, 10), err
	}
	return "", err
}

// sizes reads the number of things of each size: a list by size, whose last element counts all larger ones too, or
// buckets. Before its first statistics JVB sends "[]", as text.
func (c *client) sizes(all []size) ([]size, error) {
	switch {
	case c.json.IsText():
		text, err := c.json.Str(nil)
		if err == nil && string(text) != "[]" {
			c.json.NoteWrongType()
		}
		return all, err
	case c.json.IsObject():
		err := c.json.Object(func(key []byte) error {
			if string(key) != "buckets" {
				return c.json.Skip()
			}
			var err error
			all, err = c.buckets(all)
			return err
		})
		return all, err
	}
	whole := true
	err := c.json.Array(func() error {
		if len(all) == maxSizes {
			return jsonwalk.TooMany("sizes", maxSizes)
		}
		var v optional.Value[int64]
		err := c.json.Int(&v)
		n, ok := v.Get()
		whole = whole && ok
		all = append(all, size{label: strconv.Itoa(len(all)), count: n})
		return err
	})
	if !whole { // without one of them, the others would be of other sizes
		c.json.NoteWrongType()
		all = all[:0]
	}
	if len(all) > 0 {
		all[len(all)-1].label += "+"
	}
	return all, err
}

// buckets reads an object whose keys are ranges of sizes without the upper end: 3_to_5 counts the things of size 3 and 4. Other keys
// are percentiles.
func (c *client) buckets(all []size) ([]size, error) {
	err := c.json.Object(func(key []byte) error {
		label, ok := bucketLabel(string(key))
		if !ok {
			return c.json.Skip()
		}
		if len(all) == maxSizes {
			return jsonwalk.TooMany("sizes", maxSizes)
		}
		var v optional.Value[int64]
		err := c.json.Int(&v)
		if n, ok := v.Get(); ok {
			all = append(all, size{label: label, count: n})
		}
		return err
	})
	return all, err
}

// bucketLabel returns the sizes of a bucket: 3_to_5 is 3-4, 1_to_2 is 1, 500_to_max is 500+.
func bucketLabel(key string) (string, bool) {
	from, to, ok := strings.Cut(key, "_to_")
	least, err := strconv.ParseUint(from, 10, 31)
	if !ok || err != nil {
		return "", false
	}
	if to == "max" {
		return from + "+", true
	}
	limit, err := strconv.ParseUint(to, 10, 31)
	switch {
	case err != nil || limit <= least:
		return "", false
	case limit == least+1:
		return from, true
	}
	return fmt.Sprintf("%d-%d", least, limit-1), true
}

// judge refuses an answer without any value of the component, which may have a cause, and one that has more own keys of another
// component.
func (c *client) judge(a *answer, cause error) error {
	most := c.component.name
	for _, owner := range slices.Sorted(maps.Keys(a.owned)) {
		if a.owned[owner] > a.owned[most] {
			most = owner
		}
	}
	switch {
	case most != c.component.name:
		return &httpapi.Error{
			Kind: httpapi.KindDecode, Text: "this is the answer of " + components[most].title + ", not of " + c.component.title,
			Hint: "its endpoint belongs into the setting " + most + "::endpoint", From: httpapi.System(components[most].title),
		}
	case a.known == 0:
		return &httpapi.Error{
			Kind: httpapi.KindDecode, Text: "nothing of the answer is known of " + c.component.title, Err: cause,
			Hint: "check that the setting " + c.component.name + "::endpoint leads to it",
		}
	}
	return nil
}

// Page requests the page of metrics. Lines that cannot be read, and values of a wrong type, cost themselves only.
func (c *client) Page(ctx context.Context) (*answer, error) {
	a := &c.answers[fromPage]
	a.reset(c.names.keys)
	err := c.get(ctx, apiMetrics, acceptText, func(header http.Header, body io.Reader) error {
		c.page.Reset(body, header.Get("Content-Type"))
		c.last = c.last[:0]
		var wrong []string
		err := c.page.Each(func(s *exposition.Sample) error {
			ok, err := c.sample(a, s)
			if !ok && len(wrong) < maxWrong {
				wrong = append(wrong, string(s.Name))
			}
			return err
		})
		if _, readToEnd := errors.AsType[*exposition.LineError](err); err != nil && !readToEnd {
			return err
		}
		wrong = append(wrong, c.countBuckets(a)...)
		return cmp.Or(c.judge(a, err), err, typeError(wrong))
	})
	return a, err
}

func typeError(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return &jsonwalk.TypeError{Members: slices.Compact(wrong)}
}

// sample reads one line of the page. It reports false where the value is of a wrong type.
func (c *client) sample(a *answer, s *exposition.Sample) (ok bool, err error) {
	if a.known+a.other >= maxValues {
		return true, jsonwalk.TooMany("samples", maxValues)
	}
	family, owner := family(s.Name)
	if owner != "" && !bytes.Equal(s.Name, c.last) { // however many samples a family has
		a.owned[owner]++
		c.last = append(c.last[:0], s.Name...)
	}
	n, known := c.names.page[string(family)]
	if !known || owner != c.component.name {
		a.other++
		return true, nil
	}
	label := s.Label(n.label)
	if n.value != "" && string(label) != n.value || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		a.known++
		return true, nil
	}
	if n.named {
		return a.sampleOf(&n, label, s.Value), nil
	}
	v := a.set(&n)
	if v == nil {
		return true, nil
	}
	read := value{rank: n.rank, sizes: v.sizes}
	if ok = read.setSample(n.kind, label, s.Value); ok {
		*v = read
	}
	return ok, nil
}

// sampleOf reads the value of a named thing. It reuses the string that the last answer left behind the end of the list, because the
// names are mostly the same.
func (a *answer) sampleOf(n *name, thing []byte, sample float64) (ok bool) {
	a.known++
	number, ok := rows.ToWhole(sample)
	if !ok || len(thing) == 0 {
		return ok
	}
	end := len(a.named)
	a.named = slices.Grow(a.named, 1)[:end+1]
	v := &a.named[end]
	if v.text != string(thing) {
		v.text = string(thing)
	}
	*v = namedValue{n.key, value{whole: number, text: v.text}}
	return true
}

// setSample sets a value to that of a sample, and reports false where it is of a wrong type.
func (v *value) setSample(k kind, label []byte, sample float64) (ok bool) {
	switch k {
	case kindWhole:
		v.whole, ok = rows.ToWhole(sample)
	case kindYesNo:
		v.whole, ok = int64(sample), sample == 0 || sample == 1
	case kindDecimal:
		v.decimal, ok = sample, true
	case kindText:
		if v.text, ok = string(label), true; label == nil {
			v.text = strconv.FormatFloat(sample, 'f', -1, 64)
		}
	case kindSizes:
		upper, err := strconv.ParseFloat(string(label), 64)
		count, isWhole := rows.ToWhole(sample)
		if ok = err == nil && isWhole && isSize(upper) && len(v.sizes) < maxSizes; ok {
			v.sizes = append(v.sizes, size{upper: upper, count: count})
		}
	}
	return ok
}

// isSize reports whether a bucket can end there.
func isSize(upper float64) bool {
	return upper >= 0 && (upper == math.Trunc(upper) && upper < 1<<31 || math.IsInf(upper, 1))
}

// countBuckets turns the buckets of the page, each of which counts all smaller ones too, into counts by size. It returns the names of
// families whose buckets contradict each other.
func (c *client) countBuckets(a *answer) (wrong []string) {
	for family, key := range c.names.buckets {
		if v := &a.values[key]; !countBySize(v.sizes) {
			*v = value{sizes: v.sizes[:0]}
			wrong = append(wrong, family)
		}
	}
	return wrong
}

func countBySize(all []size) bool {
	slices.SortFunc(all, func(a, b size) int { return cmp.Compare(a.upper, b.upper) })
	below := size{upper: -1}
	for i, s := range all {
		all[i].count -= below.count
		switch {
		case s.upper <= below.upper || s.count < 0 || all[i].count < 0:
			return false
		case math.IsInf(s.upper, 1):
			all[i].label = strconv.Itoa(int(below.upper)+1) + "+"
		default:
			all[i].label = strconv.Itoa(int(s.upper))
		}
		below = s
	}
	return true
}
