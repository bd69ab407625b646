// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.yaml.in/yaml/v3"
)

// Scene is a set of answers that a server gives, and what scrapes a server that gives them.
type Scene struct {
	Name string
	// Answers are the documents by file.
	Answers map[string]Document
	// Scrape starts a receiver with everything enabled and returns the metrics of its last scrape of a server that gives these
	// answers. Where a metric is a growth, the receiver has scraped the scene's own answers before. Equal answers must give equal
	// points, so the receiver's clock stands still.
	Scrape func(t *testing.T, answers map[string]Document) pmetric.Metrics
}

// LeafTest changes each leaf of a field ledger alone and requires that exactly those metrics move that the ledger names, by the
// amounts that it states. The columns of the ledger are:
//
//   - answer, path: which leaf.
//   - becomes: the metrics and attributes that the leaf becomes, comma-separated; "start times", where it moves these alone; or
//     "ignored: " and the reason.
//   - effects: what a change does to each of these names, comma-separated in the same order.
//     A number such as 1, 0.001 or -1: each point that moves does so by the change times this factor. The change of a word is 1.
//     0.001/n: likewise, divided by a whole number up to 100, because the metric is a mean over n things.
//     0.001~: in this direction, by at most this much, because the metric is an extreme over several things.
//     move: by whatever amount, because the metric is a product, or a word decides whether it has a point.
//     shift: from points to others, while their total stays. For states and counts of groups.
//     key: an attribute; points keep their values under another value of the attribute.
//   - unit: of the server's value. It must agree with the factor and the metric's unit. Or what the value is: "word", "bool",
//     "list" for a leaf whose presence alone matters (metrics that are not named may then move as well).
//   - attributes: key=value of the points that move, comma-separated. Attributes with a fixed set of values must be given,
//     as key=* where another leaf decides the value.
//   - starts: by what factor the change moves the start times of monotonic sums, such as -1 or "0.001 of x.stream.*, x.requests". Without
//     names all sums of the scene move, but those of the receiver itself. Empty where start times stay.
//   - change: how the leaf is changed: +7 or -0.5 is added, =x is put in its place, "absent" takes it out.
//     The default is +7 for whole numbers, +0.25 for others, the opposite for booleans, "absent" for lists, the word with an x for words.
//
// Columns at the end may be left out. A leaf is found in the first scene that has it; where a list has many elements they are
// tried in turn until each name of the row has moved.
type LeafTest struct {
	Ledger, Metadata string
	Scenes           []Scene
	// Answer names a file's answer as the ledger does; nil means the file's base name up to its first dot.
	Answer func(file string) string
	// Expected is a table of values that were taken from the captures by other means, as Expected reads it: it covers metrics, too.
	Expected string
	// Uncovered are metrics that no leaf becomes, with the reason.
	Uncovered map[string]string
}

// startTimes stands for the start times of points among the names that a leaf moves.
const startTimes = "start times"

// maxTries bounds how many elements of lists are tried for one row.
const maxTries = 60

// toBase converts the units of servers to those of metrics.
var toBase = map[string]struct {
	unit   string
	factor float64
}{
	"ms": {"s", 1e-3}, "us": {"s", 1e-6}, "ns": {"s", 1e-9}, "min": {"s", 60}, "h": {"s", 3600}, "d": {"s", 86400},
	"%": {"1", 1e-2}, "1/256": {"1", 1. / 256}, "1/255": {"1", 1. / 255},
	"kbit/s": {"By/s", 125}, "bit/s": {"By/s", 1. / 8}, "Mbit/s": {"By/s", 125000}, "kB/s": {"By/s", 1000},
	"KiBy": {"By", 1024}, "MiBy": {"By", 1 << 20}, "kBy": {"By", 1000}, "MBy": {"By", 1e6}, "GBy": {"By", 1e9}, "GiBy": {"By", 1 << 30},
	"{error}/min": {"{error}/s", 1. / 60},
}

// kinds are the words in the column unit that stand for no quantity.
var kinds = []string{"word", "bool", "list"}

// Run proves the ledger and logs how much of the receiver it covers.
func (l LeafTest) Run(t *testing.T) {
	t.Helper()
	md := readUnits(t, l.Metadata)
	run := leafRun{LeafTest: l, metadata: md, moved: map[string]bool{}, bases: map[string]snapshot{}}
	if l.Answer == nil {
		run.Answer = func(file string) string {
			name, _, _ := strings.Cut(file[strings.LastIndexByte(file, '/')+1:], ".")
			return name
		}
	}
	run.findLeaves(t)
	rows, leaves := 0, 0
	for _, columns := range Table(t, l.Ledger) {
		leaves++
		if strings.HasPrefix(columns[2], "ignored: ") {
			continue
		}
		rows++
		row, err := md.parseRow(columns)
		if err == nil {
			err = run.prove(t, row)
		}
		if err != nil {
			t.Errorf("%s %s: %v", columns[0], columns[1], err)
		}
	}
	uncovered := run.uncovered(t)
	assert.Empty(t, uncovered, "metrics that no leaf moves and of which no value is checked")
	t.Logf("%d leaves, %d of them become metrics or attributes; %d of %d metrics move with a leaf, the others are checked by value",
		leaves, rows, len(run.moved), len(md.metrics))
}

// leafRun is the state of one LeafTest.
type leafRun struct {
	LeafTest
	metadata units
	moved    map[string]bool
	bases    map[string]snapshot // by scene
	// found holds the places of each leaf, by answer and path.
	found map[[2]string][]place
}

// place is where a leaf is.
type place struct {
	scene *Scene
	file  string
	leaf  Leaf
}

func (r *leafRun) findLeaves(t *testing.T) {
	t.Helper()
	r.found = map[[2]string][]place{}
	for i := range r.Scenes {
		scene := &r.Scenes[i]
		base := r.points(t, scene, scene.Answers)
		require.NoError(t, base.equal(r.points(t, scene, scene.Answers)), "two scrapes of the same answers of %s", scene.Name)
		r.bases[scene.Name] = base
		for _, file := range slices.Sorted(maps.Keys(scene.Answers)) {
			scene.Answers[file].EachLeaf(func(leaf Leaf) {
				key := [2]string{r.Answer(file), leaf.Path}
				r.found[key] = append(r.found[key], place{scene, file, leaf})
			})
		}
	}
}

func (r *leafRun) points(t *testing.T, scene *Scene, answers map[string]Document) snapshot {
	t.Helper()
	return takeSnapshot(t, scene.Scrape(t, answers))
}

// prove changes the leaf of a row in one place after the other until each of its names has moved.
func (r *leafRun) prove(t *testing.T, row ledgerRow) error {
	t.Helper()
	places := r.found[[2]string{row.answer, row.path}]
	if len(places) == 0 {
		return errors.New("no scene has this leaf")
	}
	missing := map[string]bool{}
	for _, effect := range row.effects {
		missing[effect.name] = true
	}
	for metric := range r.startsOf(row, places) {
		missing[startOf(metric)] = true
	}
	for _, at := range places[:min(len(places), maxTries)] {
		to, amount, err := row.change(at.leaf.Value)
		if err != nil {
			continue // another place may have a value that can be changed so
		}
		answers := maps.Clone(at.scene.Answers)
		answers[at.file] = at.leaf.With(to)
		moved, err := row.compare(r.bases[at.scene.Name], r.points(t, at.scene, answers), amount)
		if err != nil {
			return fmt.Errorf("in %s of %s, changed from %v to %v: %w", at.file, at.scene.Name, at.leaf.Value, to, err)
		}
		for name := range moved {
			delete(missing, name)
			if _, isMetric := r.metadata.metrics[name]; isMetric {
				r.moved[name] = true
			}
		}
		if !anyTrue(missing) {
			break
		}
	}
	if anyTrue(missing) {
		return fmt.Errorf("changed in %d places, it did not move %s", min(len(places), maxTries), strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return nil
}

// startsOf returns the metrics whose start times a row moves, as far as its scenes have points of them.
func (r *leafRun) startsOf(row ledgerRow, places []place) iter.Seq[string] {
	return func(yield func(string) bool) {
		if row.starts == 0 {
			return
		}
		for _, at := range places {
			for _, p := range r.bases[at.scene.Name].points {
				if p.monotonic && row.movesStart(p.metric) && !yield(p.metric) {
					return
				}
			}
		}
	}
}

// startOf names the start times of a metric among what a leaf moves.
func startOf(metric string) string { return startTimes + " of " + metric }

func anyTrue(set map[string]bool) bool {
	maps.DeleteFunc(set, func(_ string, yes bool) bool { return !yes })
	return len(set) > 0
}

// uncovered returns the metrics that no leaf moves, of which no value is checked, and for which no reason is given.
func (r *leafRun) uncovered(t *testing.T) (names []string) {
	t.Helper()
	checked := map[string]bool{}
	if r.Expected != "" {
		for _, line := range Table(t, r.Expected) {
			name, _, _ := strings.Cut(line[1], "{")
			value, err := strconv.ParseFloat(line[2], 64)
			checked[name] = checked[name] || err == nil && value != 0
		}
	}
	for name := range r.metadata.metrics {
		_, excused := r.Uncovered[name]
		assert.False(t, excused && (r.moved[name] || checked[name]), "%s is covered", name)
		if !r.moved[name] && !checked[name] && !excused && !strings.HasPrefix(name, "rtc.") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// units holds the parts of a metadata.yaml that a field ledger is checked against.
type units struct {
	metrics map[string]struct {
		Unit       string
		Attributes []string
	}
	// fixed holds the attributes that have a fixed set of values. Keys are as on points, not as in the file.
	fixed    map[string]bool
	names    map[string]string // of attributes on points, by their names in the file
	resource map[string]bool
}

func readUnits(t *testing.T, file string) units {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a file of this repository
	require.NoError(t, err)
	var md struct {
		Metrics map[string]struct {
			Unit       string
			Attributes []string
		}
		Attributes map[string]struct {
			Name string `yaml:"name_override"`
			Enum []string
		}
		Resource map[string]any `yaml:"resource_attributes"`
	}
	require.NoError(t, yaml.Unmarshal(text, &md))
	u := units{metrics: md.Metrics, fixed: map[string]bool{}, names: map[string]string{}, resource: map[string]bool{}}
	for key, attribute := range md.Attributes {
		u.names[key] = key
		if attribute.Name != "" {
			u.names[key] = attribute.Name
		}
		u.fixed[u.names[key]] = len(attribute.Enum) > 0
	}
	for key := range md.Resource {
		u.resource[key] = true
	}
	return u
}

// ledgerRow is a row of a field ledger, parsed.
type ledgerRow struct {
	answer, path string
	effects      []effect
	unit         string
	attributes   map[string]string // of moved points; "*" is any value
	starts       float64
	startsOf     []string // patterns of the sums whose start times move; all when empty
	how          string
}

// effect describes how a metric or attribute responds to a change of a leaf.
type effect struct {
	name string
	// kind is "" for a factor, "n", "~", "move", "shift" or "key".
	kind     string
	factor   float64
	resource bool
}

func (u units) parseRow(columns []string) (ledgerRow, error) {
	columns = append(slices.Clone(columns), make([]string, 5)...)
	if columns[2] == startTimes {
		columns[2] = ""
		if columns[6] == "" {
			return ledgerRow{}, errors.New("the column starts is empty")
		}
	}
	row := ledgerRow{answer: columns[0], path: columns[1], unit: columns[4], how: columns[7], attributes: map[string]string{}}
	names, kinds := split(columns[2]), split(columns[3])
	if len(names) != len(kinds) {
		return row, fmt.Errorf("%d names have %d effects", len(names), len(kinds))
	}
	for i, name := range names {
		e, err := u.parseEffect(name, kinds[i], row.unit)
		if err != nil {
			return row, fmt.Errorf("%s: %w", name, err)
		}
		row.effects = append(row.effects, e)
	}
	for _, pair := range split(columns[5]) {
		key, value, ok := strings.Cut(pair, "=")
		if _, known := u.fixed[key]; !ok || !known {
			return row, fmt.Errorf("%q is not an attribute with its value", pair)
		}
		row.attributes[key] = value
	}
	if columns[6] != "" {
		factor, names, _ := strings.Cut(columns[6], " of ")
		var err error
		if row.starts, err = parseFactor(factor); err != nil {
			return row, fmt.Errorf("starts: %w", err)
		}
		row.startsOf = split(names)
	}
	return row, u.checkAttributes(row)
}

// movesStart reports whether the leaf moves the start times of a metric.
func (r ledgerRow) movesStart(metric string) bool {
	if len(r.startsOf) == 0 {
		return r.starts != 0 && !strings.HasPrefix(metric, "rtc.")
	}
	return slices.ContainsFunc(r.startsOf, func(pattern string) bool {
		matches, err := path.Match(pattern, metric)
		return err == nil && matches
	})
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}

func (u units) parseEffect(name, text, unit string) (effect, error) {
	e := effect{name: name, resource: u.resource[name]}
	metric, isMetric := u.metrics[name]
	switch {
	case text == "key":
		e.kind = text
		if attribute, ok := u.names[name]; ok {
			e.name = attribute
		} else if !e.resource {
			return e, errors.New("only an attribute can be a key")
		}
		return e, nil
	case !isMetric:
		return e, errors.New("is not a metric")
	case text == "move", text == "shift":
		e.kind = text
		return e, nil
	case strings.HasSuffix(text, "/n"):
		e.kind, text = "n", strings.TrimSuffix(text, "/n")
	case strings.HasSuffix(text, "~"):
		e.kind, text = "~", strings.TrimSuffix(text, "~")
	}
	factor, err := parseFactor(text)
	if err != nil {
		return e, err
	}
	e.factor = factor
	return e, checkFactor(factor, unit, metric.Unit)
}

// parseFactor reads a number or a quotient of two, such as 1/256.
func parseFactor(text string) (float64, error) {
	over, under, isQuotient := strings.Cut(text, "/")
	factor, err := strconv.ParseFloat(over, 64)
	if err == nil && isQuotient {
		var divisor float64
		divisor, err = strconv.ParseFloat(under, 64)
		factor /= divisor
	}
	if err != nil {
		return 0, fmt.Errorf("the effect is neither a factor nor a word that is known: %w", err)
	}
	return factor, nil
}

// checkFactor requires that a factor is the one between two units.
func checkFactor(factor float64, from, to string) error {
	want := 1.0
	if base, ok := toBase[from]; ok {
		if base.unit != to {
			return fmt.Errorf("the unit %q does not become %q", from, to)
		}
		want = base.factor
	} else if !slices.Contains(kinds, from) && from != "" && from != to {
		return fmt.Errorf("the unit %q does not become %q", from, to)
	}
	if !near(math.Abs(factor), want) {
		return fmt.Errorf("the factor from %q to %q is %v, not %v", from, to, want, factor)
	}
	return nil
}

// checkAttributes requires a value for each attribute with a fixed set of values that a moved point has.
func (u units) checkAttributes(row ledgerRow) error {
	for _, e := range row.effects {
		if e.kind == "key" || e.kind == "shift" {
			continue
		}
		for _, key := range u.metrics[e.name].Attributes {
			if _, given := row.attributes[u.names[key]]; u.fixed[u.names[key]] && !given {
				return fmt.Errorf("%s has the attribute %s: name its value, or * where another leaf decides", e.name, u.names[key])
			}
		}
	}
	return nil
}

// change returns another value for the leaf, and by how much it is more.
func (r ledgerRow) change(value any) (to any, amount float64, err error) {
	if r.how == "absent" { // also of a word that looks like a number
		return Absent, -1, nil
	}
	word, isWord := value.(string)
	if _, err := strconv.ParseFloat(word, 64); isWord && err == nil && r.unit != "word" {
		to, amount, err = r.changeNumber(json.Number(word))
		return fmt.Sprint(to), amount, err
	}
	how := r.how
	switch {
	case how == "" && r.unit == "list":
		return Absent, -1, nil
	case strings.HasPrefix(how, "="):
		return r.replace(value, how[1:])
	}
	switch value := value.(type) {
	case json.Number:
		return r.changeNumber(value)
	case bool:
		return !value, map[bool]float64{true: -1, false: 1}[value], nil
	case string:
		return value + "x", 1, nil
	}
	return nil, 0, fmt.Errorf("%v cannot be changed", value)
}

// replace puts a given value of the leaf's type in its place.
func (r ledgerRow) replace(value any, text string) (to any, amount float64, err error) {
	if fmt.Sprint(value) == text {
		return nil, 0, errors.New("the leaf has this value")
	}
	switch value := value.(type) {
	case json.Number:
		before, err1 := value.Float64()
		after, err2 := strconv.ParseFloat(text, 64)
		return json.Number(text), after - before, errors.Join(err1, err2)
	case string:
		return text, 1, nil
	}
	return nil, 0, fmt.Errorf("%v cannot be replaced by %s", value, text)
}

func (r ledgerRow) changeNumber(number json.Number) (to any, amount float64, err error) {
	if text, replaced := strings.CutPrefix(r.how, "="); replaced {
		return r.replace(number, text)
	}
	whole, err := number.Int64()
	if isWhole := err == nil; isWhole {
		amount = 7
		if r.how != "" {
			if amount, err = strconv.ParseFloat(r.how, 64); err != nil {
				return nil, 0, err
			}
		}
		if amount == math.Trunc(amount) {
			return json.Number(strconv.FormatInt(whole+int64(amount), 10)), amount, nil
		}
	}
	before, err := number.Float64()
	if err != nil {
		return nil, 0, err
	}
	amount = 0.25
	if r.how != "" {
		if amount, err = strconv.ParseFloat(r.how, 64); err != nil {
			return nil, 0, err
		}
	}
	return json.Number(strconv.FormatFloat(before+amount, 'f', -1, 64)), amount, nil
}

// near reports whether two figures are equal but for rounding.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b))
}

// point is a data point, as far as a change of a leaf can move it.
type point struct {
	metric     string
	service    string
	attributes map[string]string
	value      float64
	monotonic  bool
	start      time.Time
}

// snapshot holds the points of a scrape and its resources' attributes.
type snapshot struct {
	points    map[string]point
	resources map[string]string // by service.name and key
}

// takeSnapshot leaves out what no server decides: how long requests took, and how often the server was scraped.
func takeSnapshot(t *testing.T, md pmetric.Metrics) snapshot {
	t.Helper()
	s := snapshot{points: map[string]point{}, resources: map[string]string{}}
	for _, rm := range md.ResourceMetrics().All() {
		name, named := rm.Resource().Attributes().Get("service.name")
		require.True(t, named, "a resource without service.name")
		service := "of " + name.Str() + ": "
		for key, value := range rm.Resource().Attributes().All() {
			s.resources[service+key] = value.AsString()
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() == "rtc.scrape.duration" || m.Name() == "rtc.scrapes" {
					continue
				}
				for _, dp := range NumberPoints(m).All() {
					key := service + m.Name() + attributes(dp.Attributes())
					_, twice := s.points[key]
					require.False(t, twice, "two points %s", key)
					p := point{
						metric: m.Name(), service: service, attributes: map[string]string{}, value: value(dp),
						monotonic: m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic(), start: dp.StartTimestamp().AsTime(),
					}
					for k, v := range dp.Attributes().All() {
						p.attributes[k] = v.AsString()
					}
					s.points[key] = p
				}
			}
		}
	}
	return s
}

func (s snapshot) equal(other snapshot) error {
	_, err := ledgerRow{}.compare(s, other, 0)
	return err
}

// compare returns what moved between two scrapes, and fails when that is not what the row says.
func (r ledgerRow) compare(before, after snapshot, amount float64) (moved map[string]bool, err error) {
	moved = map[string]bool{}
	c := comparison{ledgerRow: r, moved: moved, amount: amount, lost: map[string]point{}, gained: map[string]point{}}
	errs := c.compareResources(before.resources, after.resources)
	for _, key := range slices.Sorted(maps.Keys(before.points)) {
		if p, stays := after.points[key]; stays {
			errs = append(errs, c.comparePoint(key, before.points[key], p))
		} else {
			c.lost[key] = before.points[key]
		}
	}
	for key, p := range after.points {
		if _, was := before.points[key]; !was {
			c.gained[key] = p
		}
	}
	c.matchRenamed()
	errs = append(errs, c.compareLostAndGained()...)
	errs = append(errs, c.compareTotals(before, after)...)
	return moved, errors.Join(errs...)
}

// comparison is the state of one compare.
type comparison struct {
	ledgerRow
	moved        map[string]bool
	amount       float64
	lost, gained map[string]point
}

func (c *comparison) effectOn(name string) (effect, bool) {
	at := slices.IndexFunc(c.effects, func(e effect) bool { return e.name == name })
	if at < 0 {
		return effect{}, false
	}
	return c.effects[at], true
}

func (c *comparison) compareResources(before, after map[string]string) (errs []error) {
	for key := range before {
		if value, ok := after[key]; ok && value == before[key] {
			continue
		}
		_, name, _ := strings.Cut(key, ": ")
		e, named := c.effectOn(name)
		if !named || !e.resource {
			errs = append(errs, fmt.Errorf("the resource attribute %s moved from %q to %q", key, before[key], after[key]))
		}
		c.moved[name] = true
	}
	for key := range after {
		if _, was := before[key]; !was {
			errs = append(errs, fmt.Errorf("the resource attribute %s appeared", key))
		}
	}
	return errs
}

func (c *comparison) comparePoint(key string, before, after point) error {
	if shift := after.start.Sub(before.start); shift != 0 && before.monotonic {
		if !c.movesStart(before.metric) {
			return fmt.Errorf("the start time %s moved by %v, and the ledger does not name it", key, shift)
		}
		if want := time.Duration(c.starts * c.amount * float64(time.Second)); (shift - want).Abs() > time.Millisecond {
			return fmt.Errorf("the start time %s moved by %v, not by %v", key, shift, want)
		}
		c.moved[startOf(before.metric)] = true
	}
	by := after.value - before.value
	if near(before.value, after.value) {
		return nil
	}
	e, named := c.effectOn(before.metric)
	if !named {
		if c.unit == "list" {
			return nil
		}
		return fmt.Errorf("%s moved by %v, and the ledger does not name it", key, by)
	}
	c.moved[e.name] = true
	if e.kind == "shift" {
		return nil
	}
	if !e.agrees(by, c.amount) {
		return fmt.Errorf("%s moved by %v, not by %v times %v", key, by, c.amount, e.factor)
	}
	return c.checkMoved(key, before)
}

// checkMoved requires the attributes that the row states.
func (c *comparison) checkMoved(key string, p point) error {
	for attribute, want := range c.attributes {
		if got, has := p.attributes[attribute]; has && want != "*" && got != want {
			return fmt.Errorf("%s moved, where %s should be %q", key, attribute, want)
		}
	}
	return nil
}

// agrees reports whether a metric may move by that much when its leaf moves by an amount.
func (e effect) agrees(by, amount float64) bool {
	want := e.factor * amount
	switch e.kind {
	case "":
		return math.Abs(by-want) <= 1e-6*max(0.5, math.Abs(want))
	case "n":
		n := want / by
		return n > 0.99 && n < 100.5 && math.Abs(n-math.Round(n)) < 1e-3*n
	case "~":
		return by/want > 0 && by/want < 1+1e-6
	}
	return true
}

// matchRenamed pairs lost points with gained ones that differ by the row's keys alone.
func (c *comparison) matchRenamed() {
	for _, key := range slices.Sorted(maps.Keys(c.lost)) {
		for other, gained := range c.gained {
			if names, ok := c.renamed(c.lost[key], gained); ok {
				for _, name := range names {
					c.moved[name] = true
				}
				delete(c.lost, key)
				delete(c.gained, other)
				break
			}
		}
	}
}

// renamed returns the keys by which two points differ, if nothing else differs.
func (c *comparison) renamed(a, b point) (names []string, ok bool) {
	if a.metric != b.metric || a.service != b.service || !near(a.value, b.value) || len(a.attributes) != len(b.attributes) {
		return nil, false
	}
	for key, value := range a.attributes {
		if b.attributes[key] == value {
			continue
		}
		if e, named := c.effectOn(key); !named || e.kind != "key" {
			return nil, false
		}
		names = append(names, key)
	}
	return names, len(names) > 0
}

// compareLostAndGained judges the points that only one of two scrapes has.
func (c *comparison) compareLostAndGained() (errs []error) {
	judge := func(points map[string]point, sign float64, what string) {
		for _, key := range slices.Sorted(maps.Keys(points)) {
			p := points[key]
			e, named := c.effectOn(p.metric)
			switch {
			case named && (e.kind == "shift" || c.unit == "list"):
				c.moved[e.name] = true
			case named && e.kind == "" && e.agrees(sign*p.value, c.amount):
				c.moved[e.name] = true
				errs = append(errs, c.checkMoved(key, p))
			case named && e.kind == "move":
				c.moved[e.name] = true
			case c.unit != "list":
				errs = append(errs, fmt.Errorf("%s %s", key, what))
			}
			if c.unit == "list" {
				for attribute := range p.attributes {
					if e, named := c.effectOn(attribute); named && e.kind == "key" {
						c.moved[attribute] = true
					}
				}
			}
		}
	}
	judge(c.lost, -1, "vanished")
	judge(c.gained, 1, "appeared")
	return errs
}

// compareTotals requires that what was shifted is still there.
func (c *comparison) compareTotals(before, after snapshot) (errs []error) {
	for _, e := range c.effects {
		was, is := total(before, e.name), total(after, e.name)
		if e.kind == "shift" && c.unit != "list" && math.Abs(was-is) > 1e-6 {
			errs = append(errs, fmt.Errorf("the points of %s added up to %v, now to %v", e.name, was, is))
		}
	}
	return errs
}

func total(s snapshot, metric string) (sum float64) {
	for _, p := range s.points {
		if p.metric == metric {
			sum += p.value
		}
	}
	return sum
}
