// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const leafMetadata = `
resource_attributes: {service.name: {}, x.version: {}}
attributes:
  x.direction: {enum: [in, out]}
  x.state: {enum: [up, down]}
  x.thread: {}
  x_kind: {name_override: kind, enum: [a, b]}
metrics:
  x.delay: {unit: s, attributes: [x.thread]}
  x.delay.average: {unit: s}
  x.delay.max: {unit: s}
  x.io: {unit: By, attributes: [x.direction]}
  x.state: {unit: "1", attributes: [x.state]}
  x.thread.count: {unit: "{thread}", attributes: [x_kind]}
  x.thread.starts: {unit: "{thread}"}
  x.load: {unit: "1"}
  rtc.target.up: {unit: "1"}
`

const leafAnswer = `{"version":"1","since":100,"starts":9,"in":10,"out":20,"state":"up","note":"free",
	"threads":[{"name":"t1","kind":"a","ms":30},{"name":"t2","kind":"b","ms":50},{"name":"t3","kind":"a","ms":10}]}`

const leafLedger = `status	version	x.version	key	word
status	since	ignored: see starts
status	starts	x.thread.starts	1	{thread}
status	in	x.io	1	By	x.direction=in
status	out	x.io	1	By	x.direction=out
status	state	x.state	shift	word			=down
status	threads[].name	x.thread	key	word
status	threads[].kind	x.thread.count	shift	word			=b
status	threads[].ms	x.delay, x.delay.average, x.delay.max	0.001, 0.001/n, 0.001~	ms
page	load	x.load	0.01	%
`

// leafReceiver converts leafAnswer and a page to metrics. defect names an error to make.
func leafReceiver(t *testing.T, answers map[string]Document, defect string) pmetric.Metrics {
	t.Helper()
	var status struct {
		Version, State, Note string
		Since, In, Out       int64
		Starts               int64
		Threads              []struct {
			Name, Kind string
			Ms         float64
		}
	}
	require.NoError(t, json.Unmarshal(answers["a/status.json"].Bytes(), &status))
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "x")
	rm.Resource().Attributes().PutStr("x.version", status.Version)
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	start := time.Unix(status.Since, 0)
	add := func(name string, value float64, attributes ...string) {
		m := metrics.AppendEmpty()
		m.SetName(name)
		var dp pmetric.NumberDataPoint
		if sums := []string{"x.io", "x.thread.starts"}; slices.Contains(sums, name) {
			m.SetEmptySum().SetIsMonotonic(true)
			dp = m.Sum().DataPoints().AppendEmpty()
		} else {
			dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
		}
		dp.SetDoubleValue(value)
		if defect != "start lost" || name != "x.thread.starts" {
			dp.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		}
		for i := 0; i < len(attributes); i += 2 {
			dp.Attributes().PutStr(attributes[i], attributes[i+1])
		}
	}
	if defect == "swapped" {
		status.In, status.Out = status.Out, status.In
	}
	add("x.io", float64(status.In), "x.direction", "in")
	add("x.io", float64(status.Out), "x.direction", "out")
	for _, state := range []string{"up", "down"} {
		add("x.state", map[bool]float64{true: 1}[state == status.State || defect == "stuck" && state == "up"], "x.state", state)
	}
	factor := 0.001
	if defect == "unscaled" {
		factor = 1
	}
	kinds := map[string]float64{}
	sum, highest := 0.0, 0.0
	for _, thread := range status.Threads {
		add("x.delay", thread.Ms*factor, "x.thread", thread.Name)
		kinds[thread.Kind]++
		sum += thread.Ms
		highest = max(highest, thread.Ms)
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		add("x.thread.count", kinds[kind], "kind", kind)
	}
	add("x.thread.starts", float64(status.Starts))
	add("x.delay.average", sum/1000/float64(len(status.Threads)))
	add("x.delay.max", highest/1000)
	if defect == "wrong metric" {
		add("rtc.target.up", float64(status.In))
	}
	load, err := strconv.ParseFloat(strings.Fields(string(answers["a/page.txt"].Bytes()))[1], 64)
	require.NoError(t, err)
	if defect != "missing" {
		add("x.load", load/100)
	}
	return md
}

func leafTest(t *testing.T, ledger, defect string) LeafTest {
	t.Helper()
	return LeafTest{
		Ledger: file(t, ledger), Metadata: file(t, leafMetadata),
		Scenes: []Scene{{
			Name:    "one",
			Answers: map[string]Document{"a/status.json": ReadJSON(t, []byte(leafAnswer)), "a/page.txt": Page("load 30\n")},
			Scrape: func(t *testing.T, answers map[string]Document) pmetric.Metrics {
				t.Helper()
				return leafReceiver(t, answers, defect)
			},
		}},
	}
}

func TestLeafTest(t *testing.T) {
	replace := func(old, with string) string {
		require.Contains(t, leafLedger, old)
		return strings.Replace(leafLedger, old, with, 1)
	}
	for name, tc := range map[string]struct {
		ledger, defect string
		fails          bool
	}{
		"correct":                          {leafLedger, "", false},
		"start times with a value":         {replace("since\tignored: see starts", "since\tx.io, x.version\t1, key\ts\t\t1"), "", true},
		"start times":                      {replace("since\tignored: see starts", "since\tstart times\t\ts\t\t1"), "", false},
		"wrong factor of start times":      {replace("since\tignored: see starts", "since\tstart times\t\tms\t\t0.001"), "", true},
		"no factor of start times":         {replace("since\tignored: see starts", "since\tstart times"), "", true},
		"a start time is lost":             {replace("since\tignored: see starts", "since\tstart times\t\ts\t\t1"), "start lost", true},
		"start times of all sums by name":  {replace("since\tignored: see starts", "since\tstart times\t\ts\t\t1 of x.io, x.thread.*"), "", false},
		"too few start times":              {replace("since\tignored: see starts", "since\tstart times\t\ts\t\t1 of x.io"), "", true},
		"start times of one sum":           {replace("since\tignored: see starts", "since\tstart times\t\ts\t\t1 of x.io"), "start lost", false},
		"a factor is missing":              {leafLedger, "unscaled", true},
		"attributes are swapped":           {leafLedger, "swapped", true},
		"another metric changes":           {leafLedger, "wrong metric", true},
		"a leaf has no effect":             {leafLedger, "stuck", true},
		"a metric is missing":              {leafLedger, "missing", true},
		"the ledger's factor is wrong":     {replace("0.001, ", "0.01, "), "", true},
		"the ledger's unit is wrong":       {replace("By\tx.direction=in", "ms\tx.direction=in"), "", true},
		"a fixed attribute is missing":     {replace("\tx.direction=in", ""), "", true},
		"a fixed attribute with any value": {replace("x.direction=in", "x.direction=*"), "", false},
		"a wrong attribute value":          {replace("x.direction=in", "x.direction=out"), "", true},
		"not an attribute":                 {replace("x.direction=in", "x.way=in"), "", true},
		"no such leaf":                     {leafLedger + "status\tother\tx.load\t1\t1\n", "", true},
		"a name without effect":            {replace("\t0.001, 0.001/n, 0.001~", "\t0.001, 0.001/n"), "", true},
		"an unknown effect":                {replace("0.001/n", "average"), "", true},
		"a metric as key":                  {replace("x.version\tkey", "x.load\tkey"), "", true},
		"an attribute with a factor":       {replace("x.version\tkey", "x.version\t1"), "", true},
		"a metric is not listed":           {replace("x.delay, x.delay.average, x.delay.max\t0.001, 0.001/n, 0.001~", "x.delay\t0.001"), "", true},
		"start times do not change":        {replace("By\tx.direction=in", "By\tx.direction=in\t1"), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			test := leafTest(t, tc.ledger, tc.defect)
			assert.Equal(t, tc.fails, failed(func(a attempt) { test.Run(a.t) }))
		})
	}
}

// TestLeafTestCoverage checks that a metric without a leaf needs an expected value or an entry in Uncovered.
func TestLeafTestCoverage(t *testing.T) {
	without := strings.Replace(leafLedger, "page\tload\tx.load\t0.01\t%\n", "page\tload\tignored: a test\n", 1)
	for name, tc := range map[string]struct {
		expected string
		excused  map[string]string
		fails    bool
	}{
		"uncovered":           {"", nil, true},
		"value":               {"one\tx.load{}\t0.3\n", nil, false},
		"zero":                {"one\tx.load{}\t0\n", nil, true},
		"excused":             {"", map[string]string{"x.load": "a test"}, false},
		"excused and covered": {"one\tx.load{}\t0.3\n", map[string]string{"x.load": "a test"}, true},
		"excused with a leaf": {"one\tx.load{}\t0.3\n", map[string]string{"x.io": "a test"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			test := leafTest(t, without, "")
			test.Expected, test.Uncovered = file(t, tc.expected), tc.excused
			assert.Equal(t, tc.fails, failed(func(a attempt) { test.Run(a.t) }))
		})
	}
}

func TestChange(t *testing.T) {
	for name, tc := range map[string]struct {
		row    ledgerRow
		value  any
		to     any
		amount float64
	}{
		"integer":            {ledgerRow{}, json.Number("5"), json.Number("12"), 7},
		"other number":       {ledgerRow{}, json.Number("0.5"), json.Number("0.75"), 0.25},
		"integer, fraction":  {ledgerRow{how: "+0.5"}, json.Number("5"), json.Number("5.5"), 0.5},
		"given amount":       {ledgerRow{how: "-3"}, json.Number("5"), json.Number("2"), -3},
		"given number":       {ledgerRow{how: "=9"}, json.Number("5"), json.Number("9"), 4},
		"number in a string": {ledgerRow{}, "5", "12", 7},
		"given in a string":  {ledgerRow{how: "=9"}, "5", "9", 4},
		"word of digits":     {ledgerRow{unit: "word"}, "5", "5x", 1},
		"word":               {ledgerRow{}, "a", "ax", 1},
		"given word":         {ledgerRow{how: "=b"}, "a", "b", 1},
		"yes":                {ledgerRow{}, true, false, -1},
		"no":                 {ledgerRow{}, false, true, 1},
		"list":               {ledgerRow{unit: "list"}, "a", Absent, -1},
		"absent":             {ledgerRow{how: "absent"}, true, Absent, -1},
		"absent digits":      {ledgerRow{how: "absent", unit: "list"}, "0.5", Absent, -1},
	} {
		t.Run(name, func(t *testing.T) {
			to, amount, err := tc.row.change(tc.value)
			require.NoError(t, err)
			assert.Equal(t, tc.to, to)
			assert.InDelta(t, tc.amount, amount, 0)
		})
	}
	for name, tc := range map[string]struct {
		row   ledgerRow
		value any
	}{
		"the same word": {ledgerRow{how: "=a"}, "a"},
		"null":          {ledgerRow{}, nil},
		"not a number":  {ledgerRow{how: "+x"}, json.Number("5")},
	} {
		_, _, err := tc.row.change(tc.value)
		require.Error(t, err, name)
	}
}

func TestDocuments(t *testing.T) {
	type change struct {
		path string
		to   any
	}
	page := Page("# HELP a_total text 5\na_total{x=\"1\",y=\"b \\\" }\"} 3 1700000000\nb 4e3\n\nnot a sample\n")
	object := ReadJSON(t, []byte(`{"a":[{"b":1},{"b":2.50}],"c":"x","d":[],"e":12345678901234567890}`))
	for name, tc := range map[string]struct {
		document Document
		change   change
		want     string
	}{
		"member of an element": {object, change{"a[].b", json.Number("7")}, `{"a":[{"b":7},{"b":2.50}],"c":"x","d":[],"e":12345678901234567890}`},
		"member":               {object, change{"c", "y"}, `{"a":[{"b":1},{"b":2.50}],"c":"y","d":[],"e":12345678901234567890}`},
		"without a member":     {object, change{"c", Absent}, `{"a":[{"b":1},{"b":2.50}],"d":[],"e":12345678901234567890}`},
		"sample with labels": {
			page,
			change{`a_total{x="1",y="b \" }"}`, json.Number("9")},
			"# HELP a_total text 5\na_total{x=\"1\",y=\"b \\\" }\"} 9 1700000000\nb 4e3\n\nnot a sample\n",
		},
		"label":          {page, change{"a_total{}.x", "2"}, "# HELP a_total text 5\na_total{x=\"2\",y=\"b \\\" }\"} 3 1700000000\nb 4e3\n\nnot a sample\n"},
		"without sample": {page, change{"b", Absent}, "# HELP a_total text 5\na_total{x=\"1\",y=\"b \\\" }\"} 3 1700000000\n\n\nnot a sample\n"},
	} {
		t.Run(name, func(t *testing.T) {
			before := string(tc.document.Bytes())
			var changed Document
			tc.document.EachLeaf(func(leaf Leaf) {
				if leaf.Path == tc.change.path && changed == nil {
					changed = leaf.With(tc.change.to)
				}
			})
			require.NotNil(t, changed)
			assert.Equal(t, tc.want, string(changed.Bytes()))
			assert.Equal(t, before, string(tc.document.Bytes()))
		})
	}
	var paths []string
	object.EachLeaf(func(leaf Leaf) { paths = append(paths, leaf.Path) })
	assert.Equal(t, []string{"a[].b", "a[].b", "c", "d", "e"}, paths)
}

// aloneConfig is a minimal MetricsConfig.
type aloneConfig struct {
	Load  aloneMetric `mapstructure:"x.load"`
	Count aloneMetric `mapstructure:"x.count"`
	Up    aloneMetric `mapstructure:"rtc.target.up"`
}

type aloneMetric struct{ Enabled bool }

func TestEachMetricAlone(t *testing.T) {
	for name, needsOther := range map[string]bool{"independent": false, "dependent": true} {
		scrape := func(_ *testing.T, enable func(*aloneConfig)) pmetric.Metrics {
			var cfg aloneConfig
			enable(&cfg)
			md := pmetric.NewMetrics()
			metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
			for metric, on := range map[string]bool{"x.load": cfg.Load.Enabled && (cfg.Count.Enabled || !needsOther), "x.count": cfg.Count.Enabled} {
				if on {
					m := metrics.AppendEmpty()
					m.SetName(metric)
					m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
				}
			}
			return md
		}
		assert.Equal(t, needsOther, failed(func(a attempt) { EachMetricAlone(a.t, scrape) }), name)
		assert.False(t, failed(func(a attempt) { EachMetricAlone(a.t, scrape, "x.load") }), name)
	}
}

func TestExpectedScript(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("testdata", 0o700))
	require.NoError(t, os.WriteFile("testdata/expected.py", []byte("print('busy\\tx.load{}\\t1')\n"), 0o600))
	require.NoError(t, os.WriteFile("testdata/expected.tsv", []byte("busy\tx.load{}\t1\n"), 0o600))
	ExpectedScript(t)
	require.NoError(t, os.WriteFile("testdata/expected.tsv", []byte("busy\tx.load{}\t2\n"), 0o600))
	assert.True(t, failed(func(a attempt) { expectedScript(t.Context(), a.t) }))
}

func TestCheckFactor(t *testing.T) {
	for _, tt := range []struct {
		factor   float64
		from, to string
		ok       bool
	}{
		{0.01, "%", "1", true},
		{0.01, "%", "{ratio}", true},
		{1, "%", "{ratio}", false},
		{0.01, "%", "{packet}", false},
		{0.001, "ms", "{ratio}", false},
		{1, "By", "By", true},
		{1, "By", "s", false},
	} {
		assert.Equal(t, tt.ok, checkFactor(tt.factor, tt.from, tt.to) == nil, "%v %s %s", tt.factor, tt.from, tt.to)
	}
}
