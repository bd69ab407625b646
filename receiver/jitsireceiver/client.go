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

// Paths that the client requests. None of these requests changes the component; GET requests for some other paths do.
const (
	apiColibri    = "/colibri/stats"
	apiStats      = "/stats"
	apiAboutStats = "/about/stats"
	apiJibri      = "/jibri/api/v1.0/health"
	apiMetrics    = "/metrics"
	apiVersion    = "/about/version"
	apiHealth     = "/about/health"
)

// Bounds on the contents of a response, far above what a real component sends.
const (
	maxSizes  = 1000
	maxValues = 100_000
	maxWrong  = 8
	// maxHealth is the number of bytes that are read from the response of a passing health check.
	maxHealth = 1 << 10
)

// source identifies one of the two responses of a component, which have most values in common.
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
	kindYesNo // stored as 1 or 0
	kindText
	kindSizes
	kindParts
)

// key holds the names of a value in the responses, in the syntax of row.
type key struct {
	stats, page string
	kind        kind
	named       bool // the value belongs to a named object: a bridge or a queue
}

// value is the value of a key in a response.
type value struct {
	rank    int // of the name that was used, from 1; 0 if there is no value
	whole   int64
	decimal float64
	text    string // for a named object, its name
	sizes   []size
	parts   []part
}

// part is a part of Jibri that reports its health.
type part struct {
	name    string
	healthy bool
}

// size is the number of conferences of one size.
type size struct {
	label string
	upper float64 // upper bound of a bucket on the page
	count int64
}

// namedValue is a value of a named object.
type namedValue struct {
	key int
	value
}

// answer holds the values of a source. It is valid until the source is requested again.
type answer struct {
	values []value // by key
	named  []namedValue
	known  int // number of members or samples with a known name
	other  int // number of all others
	// owned counts, by component, the keys that no other component has, or the families with its prefix.
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

// set returns the value to set for a name, or nil if a name of higher rank has already set it.
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

// names holds all names of a component's keys.
type names struct {
	stats   map[string]name
	groups  map[string]bool // paths of the objects that contain values
	page    map[string]name
	buckets map[string]int // keys of histograms, by family
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

// client requests the data of one component. Each source is requested by only one call at a time.
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
	httpClient, err := e.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	c := &client{
		http: httpapi.New(httpClient, e.ClientConfig.Endpoint), component: e.jitsiComponent, names: newNames(keys),
		json: jsonwalk.NewReader(), page: exposition.NewReader(),
	}
	c.http.Block, c.http.System, c.http.MaxBody = e.name, httpapi.System(e.title), maxBody
	return c, nil
}

func (c *client) close() { c.http.CloseIdle() }

// Unless a media type is requested explicitly, some versions respond with any type, and others do not respond.
var (
	acceptJSON = http.Header{"Accept": {"application/json"}}
	acceptText = http.Header{"Accept": {"text/plain; version=0.0.4"}}
)

// get requests a path. If the component does not have the path, the error says how to enable it.
func (c *client) get(ctx context.Context, path string, accept http.Header, read func(http.Header, io.Reader) error) error {
	err := c.http.Get(ctx, path, nil, accept, read)
	if e, ok := errors.AsType[*httpapi.Error](err); ok && isAbsent(err) {
		if absent := c.component.absent[path]; absent != "" {
			e.Hint = absent + "; or the setting " + c.component.name + "::endpoint leads elsewhere"
		}
	}
	return err
}

// isAbsent reports whether the component does not have the requested path.
func isAbsent(err error) bool { return hasStatus(err, http.StatusNotFound) }

// hasStatus reports whether a response has this HTTP status and is not known to come from another system.
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

// errNoVersion means that a component does not report its version. Some components respond with status 503.
var errNoVersion = errors.New("the component does not report its version")

// isNotOffered reports whether an error means that the component does not offer the requested data.
func isNotOffered(err error) bool { return isAbsent(err) || errors.Is(err, errNoVersion) }

// health is the result of a component's own health check.
type health struct {
	passed bool
	reason string // of a failure
}

// Health requests the component's own health check. The response is an empty object if it passes, and has status 500 or 503 if it fails.
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

// Stats requests the JSON response. Members of a wrong type or range are skipped and named in the error.
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

// noObject reads a response that is not an object. JVB 1 sends null while it has no statistics.
func (c *client) noObject() error {
	if _, err := c.json.Raw(); err != nil {
		return err
	}
	return &httpapi.Error{Kind: httpapi.KindDecode, Text: "the answer is no JSON object"}
}

// walk reads the values in the object whose path is c.path[:length]. named is the name of the bridge or queue that contains them, if any.
func (c *client) walk(a *answer, length int, named string) error {
	return c.json.Object(func(key []byte) error {
		if a.known+a.other >= maxValues {
			return jsonwalk.TooMany("members", maxValues)
		}
		group := len(c.appendPath(length, key))
		if owner := owners[string(c.path)]; owner != "" {
			a.owned[owner]++
		}
		if n, ok := c.names.stats[string(c.path)]; ok {
			return c.member(a, &n, named)
		}
		if c.names.groups[string(c.path)] {
			if !c.json.IsText() { // many APIs have a string named status
				a.known++
			}
			return c.walk(a, group, named)
		}
		if ownerGroups[string(c.path)] && c.json.IsObject() {
			a.other++
			return c.walk(a, group, named)
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
func (c *client) member(a *answer, n *name, named string) error {
	if n.named {
		return c.memberOf(a, n, named)
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

// memberOf reads a value of a named object.
func (c *client) memberOf(a *answer, n *name, named string) error {
	a.known++
	v := value{text: named}
	there, err := c.value(&v, n.kind)
	if there {
		a.named = append(a.named, namedValue{n.key, v})
	}
	return err
}

// value reads a value of kind k and reports whether there is one.
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
	case kindParts:
		v.parts, err = c.parts()
		there = len(v.parts) > 0
	}
	return there, err
}

// healthyStatus is the health of a Jibri, or of a part of it, that is healthy.
const healthyStatus = "HEALTHY"

// parts reads the health of each part of Jibri. If several have the same name, the first one is used.
func (c *client) parts() (all []part, err error) {
	err = c.json.Object(func(key []byte) error {
		name := selection.Name(key)
		if slices.ContainsFunc(all, func(p part) bool { return p.name == name }) {
			return c.json.Skip()
		}
		if len(all) == maxSizes {
			return jsonwalk.TooMany("parts", maxSizes)
		}
		status := ""
		err := c.json.Texts(map[string]*string{"healthStatus": &status})
		if status != "" {
			all = append(all, part{name, status == healthyStatus})
		}
		return err
	})
	return all, err
}

// text reads a string, or a number as a string.
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

// sizes reads the number of conferences of each size: an array indexed by size, whose last element includes all larger sizes, or
// buckets. Before its first statistics, JVB sends the string "[]".
func (c *client) sizes(all []size) ([]size, error) {
	switch {
	case c.json.IsText():
		text, err := c.json.Str(nil)
		if err == nil && string(text) != "[]" {
			c.json.NoteWrong()
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
	if !whole { // without one element, the sizes of the others are unknown
		c.json.NoteWrong()
		all = all[:0]
	}
	if len(all) > 0 {
		all[len(all)-1].label += "+"
	}
	return all, err
}

// buckets reads an object whose keys are ranges that exclude the upper end: 3_to_5 counts the conferences of sizes 3 and 4. Other keys
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

// bucketLabel returns the label of a bucket: 3-4 for 3_to_5, 1 for 1_to_2, 500+ for 500_to_max.
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

// judge rejects a response without any value of the component, for which cause may be the reason, and one in which the keys of another
// component prevail.
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

// Page requests the metrics page. Lines that cannot be read and values of a wrong type or range are skipped and named in the error.
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

// sample reads one line of the page. It reports false if the value has a wrong type.
func (c *client) sample(a *answer, s *exposition.Sample) (ok bool, err error) {
	if a.known+a.other >= maxValues {
		return true, jsonwalk.TooMany("samples", maxValues)
	}
	family, owner := family(s.Name)
	if owner != "" && !bytes.Equal(s.Name, c.last) { // count each family once
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
		return !math.IsInf(s.Value, 0), nil
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

// sampleOf reads a value of a named object. It reuses the string that the last response left beyond the end of a.named, because names
// rarely change.
func (a *answer) sampleOf(n *name, named []byte, sample float64) (ok bool) {
	a.known++
	number, ok := rows.ToWhole(sample)
	if !ok || len(named) == 0 {
		return ok
	}
	end := len(a.named)
	a.named = slices.Grow(a.named, 1)[:end+1]
	v := &a.named[end]
	if v.text != string(named) {
		v.text = string(named)
	}
	*v = namedValue{n.key, value{whole: number, text: v.text}}
	return true
}

// setSample sets v to the value of a sample. It reports false if the value has a wrong type.
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

// isSize reports whether upper is a valid upper bound of a bucket.
func isSize(upper float64) bool {
	return upper >= 0 && (upper == math.Trunc(upper) && upper < 1<<31 || math.IsInf(upper, 1))
}

// countBuckets converts the cumulative buckets of the page into counts by size. It returns the families whose buckets are inconsistent.
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
