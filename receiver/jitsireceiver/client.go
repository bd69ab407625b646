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
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
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
	maxSizes = 1000
	maxFacts = 100_000
	maxWrong = 8
	// maxHealth bounds in bytes what is read of a health check that passes.
	maxHealth = 1 << 10
)

// source is one of the two answers that tell the same facts.
type source uint8

const (
	fromStats source = iota // JSON
	fromPage                // text
)

// kind is what a fact is.
type kind uint8

const (
	kindWhole kind = iota
	kindDecimal
	kindYesNo // kept as 1 or 0
	kindWord
	kindSizes
)

// fact is what an answer tells under one of a row's names.
type fact struct {
	rank    int // of the name, from 1; 0 where there is no fact
	whole   int64
	decimal float64
	word    string // also whose fact it is, where each of several things has one
	sizes   []size
}

// size is how many things there are of one size.
type size struct {
	label string
	upper float64 // of a bucket of the page
	count int64
}

// thing is the fact of one of several things.
type thing struct {
	row int
	fact
}

// answer is what a source tells. It is valid until the source is asked again.
type answer struct {
	facts  []fact // by row
	things []thing
	known  int // facts in it
	other  int // anything else
	// owned counts the own keys of each component, or the families with its prefix, by block.
	owned map[string]int
}

func (a *answer) reset(rows int) {
	a.facts = slices.Grow(a.facts[:0], rows)[:rows]
	for i := range a.facts {
		a.facts[i] = fact{sizes: a.facts[i].sizes[:0]}
	}
	a.things, a.known, a.other = a.things[:0], 0, 0
	if a.owned == nil {
		a.owned = map[string]int{}
	}
	clear(a.owned)
}

// set returns where to put the fact of a row, unless a better name has told it already.
func (a *answer) set(n *name) *fact {
	a.known++
	f := &a.facts[n.row]
	if f.rank != 0 && f.rank < n.rank {
		return nil
	}
	return f
}

// name is one of the names of a row.
type name struct {
	row, rank    int
	kind         kind
	each         bool // of several things
	label, value string
}

// names are all names of a component's rows.
type names struct {
	stats   map[string]name
	groups  map[string]bool // objects on the way to them
	page    map[string]name
	buckets map[string]int // rows by family, those of the page that are told by size
	rows    int
}

func newNames(rows []row) *names {
	n := &names{stats: map[string]name{}, groups: map[string]bool{}, page: map[string]name{}, buckets: map[string]int{}, rows: len(rows)}
	for i := range rows {
		r := &rows[i]
		for rank, path := range strings.Fields(r.stats) {
			n.stats[path] = name{row: i, rank: rank + 1, kind: r.kind, each: r.of != 0}
			for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path, '.') {
				path = path[:at]
				n.groups[path] = true
			}
		}
		for rank, family := range strings.Fields(r.page) {
			family, label, _ := strings.Cut(strings.TrimSuffix(family, "}"), "{")
			label, value, _ := strings.Cut(label, "=")
			if r.kind == kindSizes {
				family, label = family+"_bucket", "le"
				n.buckets[family] = i
			}
			n.page[family] = name{row: i, rank: rank + 1, kind: r.kind, each: r.of != 0, label: label, value: value}
		}
	}
	return n
}

// client asks one component: it knows the wire, not what becomes of it. Each source is asked by one call at a time.
type client struct {
	http      *httpapi.Client
	component *program
	names     *names
	json      *jsonwalk.Reader
	text      *exposition.Reader
	answers   [2]answer // by source
	path      []byte    // of the member being read
	last      []byte    // name of the last sample
}

func newClient(ctx context.Context, of *program, cfg *confighttp.ClientConfig, host component.Host, set component.TelemetrySettings) (*client, error) {
	httpClient, err := cfg.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	c := &client{
		http: httpapi.New(httpClient, cfg.Endpoint), component: of, names: newNames(of.rows),
		json: jsonwalk.NewReader(), text: exposition.NewReader(),
	}
	c.http.Block, c.http.System = of.block, httpapi.System(of.title)
	return c, nil
}

func (c *client) close() { c.http.CloseIdle() }

// Without a type that is asked for by name, some versions answer with any, others not at all.
var (
	acceptJSON = http.Header{"Accept": {"application/json"}}
	acceptText = http.Header{"Accept": {"text/plain; version=0.0.4"}}
)

// get asks for a path. The error of a path that the component does not have says what turns it on.
func (c *client) get(ctx context.Context, path string, accept http.Header, read func(http.Header, io.Reader) error) error {
	err := c.http.Get(ctx, path, nil, accept, read)
	if e, ok := errors.AsType[*httpapi.Error](err); ok && isAbsent(err) {
		if absent := c.component.absent[path]; absent != "" {
			e.Hint = absent + "; or the setting " + c.component.block + "::endpoint leads elsewhere"
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

// Version asks for the version of the component.
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
	return version, err
}

// health is the result of a component's own health check.
type health struct {
	passed bool
	reason string // of a failure
}

// Health asks for the component's own health check. One that passes answers with an empty object, one that fails with status 500 or 503.
func (c *client) Health(ctx context.Context) (health, error) {
	err := c.get(ctx, apiHealth, acceptJSON, func(_ http.Header, body io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(body, maxHealth))
		if err == nil && (!bytes.ContainsRune(text, '{') || len(bytes.Trim(text, "{} \t\r\n")) > 0) {
			err = &httpapi.Error{
				Kind: httpapi.KindDecode, Text: "this is no health check of " + c.component.title,
				Hint: "check that the setting " + c.component.block + "::endpoint leads to it",
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

// Stats asks for the JSON answer. Members of a wrong type cost themselves only.
func (c *client) Stats(ctx context.Context) (*answer, error) {
	a := &c.answers[fromStats]
	a.reset(c.names.rows)
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
		return cmp.Or(c.judge(a), c.json.Err())
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

// walk reads the facts in an object, whose path takes up the first bytes of c.path. It may be of one of several things.
func (c *client) walk(a *answer, length int, of string) error {
	return c.json.Object(func(key []byte) error {
		if a.known+a.other >= maxFacts {
			return tooMany("members", maxFacts)
		}
		group := len(c.appendPath(length, key))
		if block := owners[string(c.path)]; block != "" {
			a.owned[block]++
		}
		if n, ok := c.names.stats[string(c.path)]; ok {
			return c.member(a, &n, of)
		}
		if c.names.groups[string(c.path)] {
			if !c.json.IsText() { // the status of many an API is a word
				a.known++
			}
			return c.walk(a, group, of)
		}
		if ownerGroups[string(c.path)] && c.json.IsObject() {
			a.other++
			return c.walk(a, group, of)
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

// member reads one fact.
func (c *client) member(a *answer, n *name, of string) error {
	if n.each {
		return c.memberOf(a, n, of)
	}
	f := a.set(n)
	if f == nil {
		return c.json.Skip()
	}
	told := fact{rank: n.rank, sizes: f.sizes[:0]}
	there, err := c.value(&told, n.kind)
	if there {
		*f = told
	}
	return err
}

// memberOf reads the fact of one of several things.
func (c *client) memberOf(a *answer, n *name, of string) error {
	a.known++
	f := fact{word: of}
	there, err := c.value(&f, n.kind)
	if there {
		a.things = append(a.things, thing{n.row, f})
	}
	return err
}

func tooMany(things string, limit int) error {
	return &jsonwalk.SizeError{What: fmt.Sprintf("more than %d %s", limit, things)}
}

// value reads a value into a fact, and reports whether there is one.
func (c *client) value(f *fact, k kind) (there bool, err error) {
	switch k {
	case kindWhole:
		var v optional.Value[int64]
		err = c.json.Int(&v)
		f.whole, there = v.Get()
	case kindDecimal:
		var v optional.Value[float64]
		err = c.json.Float(&v)
		f.decimal, there = v.Get()
	case kindYesNo:
		var v optional.Value[bool]
		err = c.json.Bool(&v)
		yes, ok := v.Get()
		f.whole, there = scrape.Number(yes), ok
	case kindWord:
		f.word, err = c.word()
		there = f.word != ""
	case kindSizes:
		f.sizes, err = c.sizes(f.sizes)
		there = len(f.sizes) > 0
	}
	return there, err
}

// word reads a string, or a number as one.
func (c *client) word() (string, error) {
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

// sizes reads how many things there are of each size: a list by size, whose last element counts all larger ones too, or
// buckets. Before its first statistics JVB sends "[]", as text.
func (c *client) sizes(all []size) ([]size, error) {
	switch {
	case c.json.IsText():
		text, err := c.json.Str(nil)
		if err == nil && string(text) != "[]" {
			c.json.Wrong()
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
			return tooMany("sizes", maxSizes)
		}
		var v optional.Value[int64]
		err := c.json.Int(&v)
		n, ok := v.Get()
		whole = whole && ok
		all = append(all, size{label: strconv.Itoa(len(all)), count: n})
		return err
	})
	if !whole { // without one of them, the others would be of other sizes
		c.json.Wrong()
		all = all[:0]
	}
	if len(all) > 0 {
		all[len(all)-1].label += "+"
	}
	return all, err
}

// buckets reads an object whose keys tell from which size to which other, that one left out, it counts: 3_to_5 counts those
// of 3 and 4. Other keys are percentiles.
func (c *client) buckets(all []size) ([]size, error) {
	err := c.json.Object(func(key []byte) error {
		label, ok := bucketLabel(string(key))
		if !ok {
			return c.json.Skip()
		}
		if len(all) == maxSizes {
			return tooMany("sizes", maxSizes)
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

// bucketLabel writes the sizes of a bucket: 3_to_5 is 3-4, 1_to_2 is 1, 500_to_max is 500+.
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

// judge refuses an answer, read to its end, of another program, or one that has more own keys of another component than of
// the one that was asked.
func (c *client) judge(a *answer) error {
	most := c.component.block
	for _, block := range slices.Sorted(maps.Keys(a.owned)) {
		if a.owned[block] > a.owned[most] {
			most = block
		}
	}
	switch {
	case most != c.component.block:
		return &httpapi.Error{
			Kind: httpapi.KindDecode, Text: "this is the answer of " + programs[most].title + ", not of " + c.component.title,
			Hint: "its endpoint belongs into the setting " + most + "::endpoint", From: httpapi.System(programs[most].title),
		}
	case a.known == 0:
		return &httpapi.Error{
			Kind: httpapi.KindDecode, Text: "nothing of the answer is known of " + c.component.title,
			Hint: "check that the setting " + c.component.block + "::endpoint leads to it",
		}
	}
	return nil
}

// Page asks for the page of metrics. Lines that cannot be read, and values of a wrong type, cost themselves only.
func (c *client) Page(ctx context.Context) (*answer, error) {
	a := &c.answers[fromPage]
	a.reset(c.names.rows)
	err := c.get(ctx, apiMetrics, acceptText, func(header http.Header, body io.Reader) error {
		c.text.Reset(body, header.Get("Content-Type"))
		c.last = c.last[:0]
		var wrong []string
		err := c.text.Each(func(s *exposition.Sample) error {
			ok, err := c.sample(a, s)
			if !ok && len(wrong) < maxWrong {
				wrong = append(wrong, string(s.Name))
			}
			return err
		})
		if err != nil && !scrape.IsPartial(err) {
			return err
		}
		wrong = append(wrong, c.countBuckets(a)...)
		return cmp.Or(c.judge(a), err, typeError(wrong))
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
	if a.known+a.other >= maxFacts {
		return true, tooMany("samples", maxFacts)
	}
	family, block := family(s.Name)
	if block != "" && !bytes.Equal(s.Name, c.last) { // however many samples a family has
		a.owned[block]++
		c.last = append(c.last[:0], s.Name...)
	}
	n, known := c.names.page[string(family)]
	if !known || block != c.component.block {
		a.other++
		return true, nil
	}
	label := s.Label(n.label)
	if n.value != "" && string(label) != n.value || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		a.known++
		return true, nil
	}
	if n.each {
		return a.sampleOf(&n, label, s.Value), nil
	}
	f := a.set(&n)
	if f == nil {
		return true, nil
	}
	told := fact{rank: n.rank, sizes: f.sizes}
	if ok = told.setSample(n.kind, label, s.Value); ok {
		*f = told
	}
	return ok, nil
}

// sampleOf reads the fact of one of several things. What lies behind the list is what the last answer left there: the names
// are seldom others.
func (a *answer) sampleOf(n *name, of []byte, v float64) (ok bool) {
	a.known++
	number, ok := wholeNumber(v)
	if !ok || len(of) == 0 {
		return ok
	}
	room := len(a.things)
	a.things = slices.Grow(a.things, 1)[:room+1]
	t := &a.things[room]
	if t.word != string(of) {
		t.word = string(of)
	}
	*t = thing{n.row, fact{whole: number, word: t.word}}
	return true
}

// setSample puts the value of a sample into a fact, and reports false where it is of a wrong type.
func (f *fact) setSample(k kind, label []byte, v float64) (ok bool) {
	switch k {
	case kindWhole:
		f.whole, ok = wholeNumber(v)
	case kindYesNo:
		f.whole, ok = int64(v), v == 0 || v == 1
	case kindDecimal:
		f.decimal, ok = v, true
	case kindWord:
		if f.word, ok = string(label), true; label == nil {
			f.word = strconv.FormatFloat(v, 'f', -1, 64)
		}
	case kindSizes:
		upper, err := strconv.ParseFloat(string(label), 64)
		count, isWhole := wholeNumber(v)
		if ok = err == nil && isWhole && isSize(upper) && len(f.sizes) < maxSizes; ok {
			f.sizes = append(f.sizes, size{upper: upper, count: count})
		}
	}
	return ok
}

// isSize reports whether a bucket can end there.
func isSize(upper float64) bool {
	return upper >= 0 && (upper == math.Trunc(upper) && upper < 1<<31 || math.IsInf(upper, 1))
}

// wholeNumber returns a whole number that was written as any.
func wholeNumber(v float64) (int64, bool) {
	if v != math.Trunc(v) || math.Abs(v) >= 1<<63 {
		return 0, false
	}
	return int64(v), true
}

// countBuckets turns the buckets of the page, each of which counts all smaller ones too, into counts by size. It returns
// the names of those that are none.
func (c *client) countBuckets(a *answer) (wrong []string) {
	for family, row := range c.names.buckets {
		if f := &a.facts[row]; !countBySize(f.sizes) {
			*f = fact{sizes: f.sizes[:0]}
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
