// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// attempt wraps the inner test of failed.
type attempt struct{ t *testing.T }

// failed reports whether call fails an inner test.
func failed(call func(attempt)) bool {
	inner := new(testing.T)
	done := make(chan struct{})
	go func() { // FailNow exits its goroutine
		defer close(done)
		call(attempt{inner})
	}()
	<-done
	return inner.Failed()
}

// file writes a temporary file and returns its name.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

const metadataYAML = `
resource_attributes: {service.name: {}}
attributes: {x.thread: {}}
metrics: {x.load: {}, x.thread.count: {}}
`

func TestMetadataNames(t *testing.T) {
	assert.Equal(t, map[string]bool{"service.name": true, "x.thread": true, "x.load": true, "x.thread.count": true},
		Metadata(t, file(t, metadataYAML)))
	assert.True(t, failed(func(a attempt) { Metadata(a.t, "absent.yaml") }))
	broken := file(t, "metrics: [")
	assert.True(t, failed(func(a attempt) { Metadata(a.t, broken) }))
}

func TestTable(t *testing.T) {
	table := file(t, "# comment\na\tb\tc\n\nd e\t\t#f\r\n  last")
	assert.Equal(t, [][]string{{"a", "b", "c"}, {"d e", "", "#f"}, {"  last"}}, Table(t, table))
	assert.True(t, failed(func(a attempt) { Table(a.t, "absent.tsv") }))
}

func TestLeaves(t *testing.T) {
	for text, want := range map[string][]string{
		`1`:                                   {""},
		`{}`:                                  {""},
		`[]`:                                  {""},
		`null`:                                {""},
		`{"a":1,"b":null,"c":"","d":false}`:   {"a", "b", "c", "d"},
		`{"a":{"b":{"c":1}},"d":{},"e":[]}`:   {"a.b.c", "d", "e"},
		`{"a":[1,"x",{"b":1},{"b":2,"c":3}]}`: {"a[]", "a[].b", "a[].c"},
		`[[{"a":1}],[]]`:                      {"[]", "[][].a"},
		`{"a":[{},{"b":[]}]}`:                 {"a[]", "a[].b"},
		`{"a.b":{"c":1}}`:                     {"a.b.c"},
		`{"data":[{"tracks":[{"fps":25}]},null]}`: {"data[]", "data[].tracks[].fps"},
	} {
		var v any
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		var got []string
		Leaves(v, func(leaf string) { got = append(got, leaf) })
		slices.Sort(got)
		assert.Equal(t, want, slices.Compact(got), text)
	}
}

func TestCheckFields(t *testing.T) {
	captures := fstest.MapFS{
		"one/getLoad.json":    {Data: []byte(`{"load":1,"threads":[{"id":1}]}`)},
		"one/getLoad.01.json": {Data: []byte(`{"load":2,"late":true}`)},
		"one/index.json":      {Data: []byte(`{"not":"an answer"}`)},
		"README.md":           {Data: []byte("not JSON")},
	}
	const good = "getLoad\tload\tx.load\ngetLoad\tthreads[].id\tx.thread, x.thread.count\ngetLoad\tlate\tignored: an echo of the request\n"
	md := file(t, metadataYAML)
	for name, tc := range map[string]struct {
		ledger string
		fails  bool
	}{
		"complete":                {good, false},
		"a leaf is not listed":    {"getLoad\tload\tx.load\n", true},
		"a line has no leaf":      {good + "getLoad\tgone\tx.load\n", true},
		"a line of other answer":  {good + "getOther\tload\tx.load\n", true},
		"no such metric":          {good[:len(good)-1] + "\ngetLoad\tload\tx.none\n", true},
		"ignored without reason":  {good + "getLoad\tload\tignored: \n", true},
		"ignored without a colon": {good + "getLoad\tload\tignored\n", true},
		"a column is missing":     {good + "getLoad\tload\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			ledger := file(t, tc.ledger)
			assert.Equal(t, tc.fails, failed(func(a attempt) { CheckFields(a.t, ledger, captures, md) }))
		})
	}
	ledger := file(t, good)
	captures["one/broken.json"] = &fstest.MapFile{Data: []byte("{")}
	assert.True(t, failed(func(a attempt) { CheckFields(a.t, ledger, captures, md) }), "a capture that is not JSON")
}

func TestCheckLeaves(t *testing.T) {
	md, ledger := file(t, metadataYAML), file(t, "one (fault)\tcode\tx.load\n")
	for path, fails := range map[string]bool{"code": false, "text": true} {
		assert.Equal(t, fails, failed(func(a attempt) {
			CheckLeaves(a.t, ledger, md, func(found func(answer, path string)) { found("one (fault)", path) })
		}), path)
	}
}

func TestSeeds(t *testing.T) {
	md := file(t, metadataYAML)
	for row, fails := range map[string]bool{
		"old_load\t\tx.load\n":                         false,
		"old_threads\tpool\tx.thread.count, x.thread":  false,
		"old_other\t\tignored: the process's own\n":    false,
		"old_load\t\tx.none\n":                         true,
		"old_load\tx.load\n":                           true,
		"old_load\t\tx.load\nold_threads\t\tx.threads": true,
	} {
		seeds := file(t, row)
		assert.Equal(t, fails, failed(func(a attempt) { CheckSeeds(a.t, seeds, md) }), row)
	}
}

// someMetrics returns a gauge with one point and a sum with two.
func someMetrics() pmetric.Metrics {
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	gauge := metrics.AppendEmpty()
	gauge.SetName("x.load")
	gauge.SetEmptyGauge().DataPoints().AppendEmpty().SetDoubleValue(0.5)
	sum := metrics.AppendEmpty()
	sum.SetName("x.io")
	points := sum.SetEmptySum().DataPoints()
	for i, direction := range []string{"receive", "transmit"} {
		point := points.AppendEmpty()
		point.SetIntValue(int64(10 + i))
		point.Attributes().PutStr("z.direction", direction)
		point.Attributes().PutInt("a.index", 1)
	}
	return md
}

func TestPoints(t *testing.T) {
	md := someMetrics()
	assert.Equal(t, map[string]float64{
		"x.load{}":                             0.5,
		"x.io{a.index=1,z.direction=receive}":  10,
		"x.io{a.index=1,z.direction=transmit}": 11,
	}, Points(t, md))
	points := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
	points.At(0).CopyTo(points.AppendEmpty())
	assert.True(t, failed(func(a attempt) { Points(a.t, md) }), "two points of one series")
}

func TestExpected(t *testing.T) {
	got := map[string]float64{"x.load{}": 0.5, "x.io{}": 1e15}
	const good = "busy\tx.load{}\t0.5\nbusy\tx.io{}\t1e15\nbusy\tx.none{}\t-\n"
	for name, tc := range map[string]struct {
		table, scene string
		fails        bool
	}{
		"good":             {good, "busy", false},
		"another scene":    {good + "idle\tx.load{}\t7\n", "busy", false},
		"no line":          {good, "idle", true},
		"another value":    {good + "busy\tx.load{}\t0.6\n", "busy", true},
		"no such point":    {good + "busy\tx.other{}\t1\n", "busy", true},
		"should be absent": {good + "busy\tx.load{}\t-\n", "busy", true},
		"not a number":     {good + "busy\tx.load{}\thalf\n", "busy", true},
	} {
		t.Run(name, func(t *testing.T) {
			table := file(t, tc.table)
			assert.Equal(t, tc.fails, failed(func(a attempt) { Expected(a.t, table, tc.scene, got) }))
		})
	}
}

func TestGolden(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("testdata", 0o700))
	assert.True(t, failed(func(a attempt) { Golden(a.t, "some", someMetrics()) }), "the file does not exist")
	*update = true
	Golden(t, "some", someMetrics())
	*update = false
	Golden(t, "some", someMetrics())
	changed := someMetrics()
	metrics := changed.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	metrics.At(0).Gauge().DataPoints().At(0).SetDoubleValue(0.6)
	assert.True(t, failed(func(a attempt) { Golden(a.t, "some", changed) }), "another value")
	metrics.RemoveIf(func(m pmetric.Metric) bool { return m.Name() == "x.load" })
	assert.True(t, failed(func(a attempt) { Golden(a.t, "some", changed) }), "missing metric")
}

func TestEnableAll(t *testing.T) {
	type setting struct{ Enabled bool }
	metrics := struct{ Load, Count setting }{Count: setting{Enabled: true}}
	EnableAll(&metrics)
	assert.True(t, metrics.Load.Enabled)
	assert.True(t, metrics.Count.Enabled)
}

func TestNoSecret(t *testing.T) {
	const secret = "s3cr&t/ä"
	for name, tc := range map[string]struct {
		text  string
		fails bool
	}{
		"none":           {"another text", false},
		"plain":          {"?secret=" + secret, true},
		"in a query":     {url.QueryEscape(secret), true},
		"in a path":      {url.PathEscape(secret), true},
		"base64":         {base64.StdEncoding.EncodeToString([]byte(secret)), true},
		"base64 of URLs": {base64.RawURLEncoding.EncodeToString([]byte(secret)), true},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.fails, failed(func(a attempt) { NoSecret(a.t, secret, "", tc.text) }))
		})
	}
	assert.True(t, failed(func(a attempt) { NoSecret(a.t, "", "text") }), "no secret to look for")
}

// TestText checks that Text includes resource attributes, names, and attributes of points.
func TestText(t *testing.T) {
	md := someMetrics()
	md.ResourceMetrics().At(0).Resource().Attributes().PutStr("host", "in the resource")
	text := Text(t, md)
	for _, want := range []string{"in the resource", "x.load", "z.direction", "transmit"} {
		assert.Contains(t, text, want)
	}
}
