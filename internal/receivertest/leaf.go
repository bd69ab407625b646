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

// Scene is a set of responses of a server.
type Scene struct {
	Name string
	// Answers holds the documents by file.
	Answers map[string]Document
	// Scrape starts a receiver with everything enabled, scrapes a server with these answers, and returns the metrics of the last
	// scrape. For metrics that count growth, it first scrapes the unchanged answers of the scene. The clock of the receiver must
	// stand still, so that equal answers give equal points.
	Scrape func(t *testing.T, answers map[string]Document) pmetric.Metrics
}

// LeafTest changes the leaves of a field ledger one by one. It requires that exactly the metrics in the ledger change, by the
// amounts in the ledger. The columns of the ledger are:
//
//   - answer, path: the leaf.
//   - becomes: the metrics and attributes that depend on the leaf, comma-separated; "start times" if only these do; or "ignored: " and
//     the reason.
//   - effects: the effect of the change on each of these names, comma-separated in the same order:
//     A number such as 1, 0.001 or -1: the points that change do so by the change of the leaf times this factor. A changed word counts
//     as 1.
//     0.001/n: the same, divided by an integer up to 100. For means over n values.
//     0.001~: a change in this direction by at most this amount. For minima and maxima.
//     move: any change. For products, and for words that decide whether a point exists.
//     shift: a change of several points whose sum is constant. For states and for counts by group.
//     key: a change of this attribute. The values of the points are constant.
//   - unit: the unit of the leaf, which must agree with the factor and the unit of the metric. Or "word" or "bool" for leaves without
//     a unit, or "list" for leaves of which only the presence matters (metrics that are not listed may change as well).
//   - attributes: key=value of the points that change, comma-separated. Attributes with a fixed set of values are mandatory, with key=*
//     if another leaf determines the value.
//   - starts: the factor by which the change moves the start times of monotonic sums, such as -1 or "0.001 of x.stream.*, x.requests".
//     Without names, it applies to all sums of the scene except those of the receiver itself. Empty if start times do not change.
//   - change: how to change the leaf: +7 or -0.5 adds a number, =x replaces the value, "absent" removes it. The default is +7 for
//     integers, +0.25 for other numbers, the opposite for booleans, "absent" for lists, and an appended x for words.
//
// Trailing columns may be omitted. If a path has several leaves, because of lists or several scenes, they are tried in order until
// every name of the row has changed.
type LeafTest struct {
	Ledger, Metadata string
	Scenes           []Scene
	// Answer returns the name of a file in the column answer. The default is the base name of the file up to its first dot.
	Answer func(file string) string
	// Expected is the path of a table as read by the function Expected. Metrics with a value other than 0 in it count as covered.
	Expected string
	// Uncovered maps metrics that need no coverage to the reasons.
	Uncovered map[string]string
}

// startTimes is the name of start times in the column becomes.
const startTimes = "start times"

// maxTries is the maximum number of leaves tried for one row.
const maxTries = 60

// toBase maps units of servers to units of metrics.
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

// nonUnits holds the values of the column unit for leaves without a unit.
var nonUnits = []string{"word", "bool", "list"}

// Run checks all rows of the ledger and the coverage of metrics.
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
			err = run.checkRow(t, row)
		}
		if err != nil {
			t.Errorf("%s %s: %v", columns[0], columns[1], err)
		}
	}
	uncovered := run.uncovered(t)
	assert.Empty(t, uncovered, "metrics without a leaf and without an expected value")
	t.Logf("%d leaves, %d of which become metrics or attributes; %d of %d metrics depend on a leaf, the others have expected values",
		leaves, rows, len(run.moved), len(md.metrics))
}

// leafRun is the state of one LeafTest.
type leafRun struct {
	LeafTest
	metadata units
	moved    map[string]bool     // metrics that depend on a leaf
	bases    map[string]snapshot // unchanged snapshots by scene
	// found holds the occurrences of each leaf by answer and path.
	found map[[2]string][]occurrence
}

// occurrence is a leaf of an answer in a scene.
type occurrence struct {
	scene *Scene
	file  string
	leaf  Leaf
}

func (r *leafRun) findLeaves(t *testing.T) {
	t.Helper()
	r.found = map[[2]string][]occurrence{}
	for i := range r.Scenes {
		scene := &r.Scenes[i]
		base := r.points(t, scene, scene.Answers)
		require.NoError(t, base.equal(r.points(t, scene, scene.Answers)), "two scrapes of the same answers of %s", scene.Name)
		r.bases[scene.Name] = base
		for _, file := range slices.Sorted(maps.Keys(scene.Answers)) {
			scene.Answers[file].EachLeaf(func(leaf Leaf) {
				key := [2]string{r.Answer(file), leaf.Path}
				r.found[key] = append(r.found[key], occurrence{scene, file, leaf})
			})
		}
	}
}

func (r *leafRun) points(t *testing.T, scene *Scene, answers map[string]Document) snapshot {
	t.Helper()
	return takeSnapshot(t, scene.Scrape(t, answers))
}

// checkRow changes the occurrences of a leaf one by one until each name of the row has changed.
func (r *leafRun) checkRow(t *testing.T, row ledgerRow) error {
	t.Helper()
	occurrences := r.found[[2]string{row.answer, row.path}]
	if len(occurrences) == 0 {
		return errors.New("no scene has this leaf")
	}
	missing := map[string]bool{}
	for _, effect := range row.effects {
		missing[effect.name] = true
	}
	for metric := range r.startsOf(row, occurrences) {
		missing[startOf(metric)] = true
	}
	for _, o := range occurrences[:min(len(occurrences), maxTries)] {
		to, amount, err := row.change(o.leaf.Value)
		if err != nil {
			continue // the change may apply to the value of another occurrence
		}
		answers := maps.Clone(o.scene.Answers)
		answers[o.file] = o.leaf.With(to)
		moved, err := row.compare(r.bases[o.scene.Name], r.points(t, o.scene, answers), amount)
		if err != nil {
			return fmt.Errorf("%s of %s, changed from %v to %v: %w", o.file, o.scene.Name, o.leaf.Value, to, err)
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
		return fmt.Errorf("%d changes did not affect %s", min(len(occurrences), maxTries), strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return nil
}

// startsOf returns the metrics in the scenes of the leaf whose start times the row moves.
func (r *leafRun) startsOf(row ledgerRow, occurrences []occurrence) iter.Seq[string] {
	return func(yield func(string) bool) {
		if row.starts == 0 {
			return
		}
		for _, o := range occurrences {
			for _, p := range r.bases[o.scene.Name].points {
				if p.monotonic && row.movesStart(p.metric) && !yield(p.metric) {
					return
				}
			}
		}
	}
}

// startOf returns the name of the start times of a metric in sets of changed names.
func startOf(metric string) string { return startTimes + " of " + metric }

func anyTrue(set map[string]bool) bool {
	maps.DeleteFunc(set, func(_ string, isSet bool) bool { return !isSet })
	return len(set) > 0
}

// uncovered returns the metrics that depend on no leaf, have no expected value and are not in Uncovered.
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

// units holds the units and attributes of a metadata.yaml.
type units struct {
	metrics map[string]struct {
		Unit       string
		Attributes []string
	}
	// fixed reports which attributes have a fixed set of values. Its keys are the names on points.
	fixed    map[string]bool
	names    map[string]string // names of attributes on points by their names in the file
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

// ledgerRow is a parsed row of a field ledger.
type ledgerRow struct {
	answer, path string
	effects      []effect
	unit         string
	attributes   map[string]string // of changed points; "*" is any value
	starts       float64           // factor, 0 if start times do not change
	startsOf     []string          // patterns of the sums whose start times change; all if empty
	how          string            // column change
}

// effect is the effect of a changed leaf on a metric or attribute.
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

// movesStart reports whether the leaf affects the start times of a metric.
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

// parseFactor parses a number or a quotient of two numbers, such as 1/256.
func parseFactor(text string) (float64, error) {
	dividend, divisor, isQuotient := strings.Cut(text, "/")
	factor, err := strconv.ParseFloat(dividend, 64)
	if err == nil && isQuotient {
		var d float64
		d, err = strconv.ParseFloat(divisor, 64)
		factor /= d
	}
	if err != nil {
		return 0, fmt.Errorf("unknown effect: %w", err)
	}
	return factor, nil
}

// checkFactor requires that factor converts the unit from to the unit to.
func checkFactor(factor float64, from, to string) error {
	want := 1.0
	if base, ok := toBase[from]; ok {
		if base.unit != to && (base.unit != "1" || to != "{ratio}") { // the unit of a sum of ratios
			return fmt.Errorf("unit %q cannot be converted to %q", from, to)
		}
		want = base.factor
	} else if !slices.Contains(nonUnits, from) && from != "" && from != to {
		return fmt.Errorf("unit %q cannot be converted to %q", from, to)
	}
	if !near(math.Abs(factor), want) {
		return fmt.Errorf("factor from %q to %q is %v, expected %v", from, to, factor, want)
	}
	return nil
}

// checkAttributes requires a value for each attribute with a fixed set of values.
func (u units) checkAttributes(row ledgerRow) error {
	for _, e := range row.effects {
		if e.kind == "key" || e.kind == "shift" {
			continue
		}
		for _, key := range u.metrics[e.name].Attributes {
			if _, given := row.attributes[u.names[key]]; u.fixed[u.names[key]] && !given {
				return fmt.Errorf("%s has the attribute %s: specify its value, or * if another leaf determines it", e.name, u.names[key])
			}
		}
	}
	return nil
}

// change returns the changed value of the leaf and the amount of the change.
func (r ledgerRow) change(value any) (to any, amount float64, err error) {
	if r.how == "absent" { // before strings are parsed as numbers
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

// replace returns text as a value of the same type as value, and the amount of the change.
func (r ledgerRow) replace(value any, text string) (to any, amount float64, err error) {
	if fmt.Sprint(value) == text {
		return nil, 0, errors.New("the leaf already has this value")
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

// near reports whether a and b are equal except for rounding errors.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b))
}

// point is a data point without its time.
type point struct {
	metric     string
	service    string
	attributes map[string]string
	value      float64
	monotonic  bool
	start      time.Time
}

// snapshot holds the points and resource attributes of a scrape.
type snapshot struct {
	points    map[string]point
	resources map[string]string // by service.name and key
}

// takeSnapshot omits metrics that do not depend on the server: the duration and the number of scrapes.
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

// compare returns the names that differ between two scrapes, and an error if they do not match the row.
func (r ledgerRow) compare(before, after snapshot, amount float64) (moved map[string]bool, err error) {
	moved = map[string]bool{}
	c := comparison{ledgerRow: r, moved: moved, amount: amount, lost: map[string]point{}, gained: map[string]point{}}
	errs := c.compareResources(before.resources, after.resources)
	for _, key := range slices.Sorted(maps.Keys(before.points)) {
		if p, exists := after.points[key]; exists {
			errs = append(errs, c.comparePoint(key, before.points[key], p))
		} else {
			c.lost[key] = before.points[key]
		}
	}
	for key, p := range after.points {
		if _, existed := before.points[key]; !existed {
			c.gained[key] = p
		}
	}
	c.matchKeyChanges()
	errs = append(errs, c.compareLostAndGained()...)
	errs = append(errs, c.compareTotals(before, after)...)
	return moved, errors.Join(errs...)
}

// comparison is the state of a call of compare.
type comparison struct {
	ledgerRow
	moved        map[string]bool
	amount       float64
	lost, gained map[string]point
}

func (c *comparison) effectOn(name string) (effect, bool) {
	i := slices.IndexFunc(c.effects, func(e effect) bool { return e.name == name })
	if i < 0 {
		return effect{}, false
	}
	return c.effects[i], true
}

func (c *comparison) compareResources(before, after map[string]string) (errs []error) {
	for key := range before {
		if value, ok := after[key]; ok && value == before[key] {
			continue
		}
		_, name, _ := strings.Cut(key, ": ")
		e, named := c.effectOn(name)
		if !named || !e.resource {
			errs = append(errs, fmt.Errorf("resource attribute %s changed from %q to %q, which the ledger does not list", key, before[key], after[key]))
		}
		c.moved[name] = true
	}
	for key := range after {
		if _, existed := before[key]; !existed {
			errs = append(errs, fmt.Errorf("resource attribute %s appeared", key))
		}
	}
	return errs
}

func (c *comparison) comparePoint(key string, before, after point) error {
	if shift := after.start.Sub(before.start); shift != 0 && before.monotonic {
		if !c.movesStart(before.metric) {
			return fmt.Errorf("start time %s changed by %v, which the ledger does not list", key, shift)
		}
		if want := time.Duration(c.starts * c.amount * float64(time.Second)); (shift - want).Abs() > time.Millisecond {
			return fmt.Errorf("start time %s changed by %v, expected %v", key, shift, want)
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
		return fmt.Errorf("%s changed by %v, which the ledger does not list", key, by)
	}
	c.moved[e.name] = true
	if e.kind == "shift" {
		return nil
	}
	if !e.agrees(by, c.amount) {
		return fmt.Errorf("%s changed by %v, expected %v times %v", key, by, c.amount, e.factor)
	}
	return c.checkPointAttributes(key, before)
}

// checkPointAttributes requires that a changed point has the attributes of the row.
func (c *comparison) checkPointAttributes(key string, p point) error {
	for attribute, want := range c.attributes {
		if got, exists := p.attributes[attribute]; exists && want != "*" && got != want {
			return fmt.Errorf("%s changed, expected a point with %s=%q", key, attribute, want)
		}
	}
	return nil
}

// agrees reports whether a point may change by by if the leaf changes by amount.
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

// matchKeyChanges removes pairs of lost and gained points that differ only in attributes with the effect key.
func (c *comparison) matchKeyChanges() {
	for _, key := range slices.Sorted(maps.Keys(c.lost)) {
		for other, gained := range c.gained {
			if names, ok := c.keyChanges(c.lost[key], gained); ok {
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

// keyChanges returns the attributes with the effect key in which two points differ. ok is false if they differ in anything else.
func (c *comparison) keyChanges(a, b point) (names []string, ok bool) {
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

// compareLostAndGained checks the points that exist in only one of the scrapes.
func (c *comparison) compareLostAndGained() (errs []error) {
	check := func(points map[string]point, sign float64, what string) {
		for _, key := range slices.Sorted(maps.Keys(points)) {
			p := points[key]
			e, named := c.effectOn(p.metric)
			switch {
			case named && (e.kind == "shift" || c.unit == "list"):
				c.moved[e.name] = true
			case named && e.kind == "" && e.agrees(sign*p.value, c.amount):
				c.moved[e.name] = true
				errs = append(errs, c.checkPointAttributes(key, p))
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
	check(c.lost, -1, "disappeared")
	check(c.gained, 1, "appeared")
	return errs
}

// compareTotals requires that metrics with the effect shift have the same totals.
func (c *comparison) compareTotals(before, after snapshot) (errs []error) {
	for _, e := range c.effects {
		was, is := total(before, e.name), total(after, e.name)
		if e.kind == "shift" && c.unit != "list" && math.Abs(was-is) > 1e-6 {
			errs = append(errs, fmt.Errorf("total of %s changed from %v to %v", e.name, was, is))
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
