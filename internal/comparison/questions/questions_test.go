// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package questions_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// question is a row of the table.
type question struct {
	id          string
	expressions []string
	conditions  []string // of alerts, by expression; empty if there is none
	enable      []string // metrics that are disabled by default
	notEmulated []int    // numbers of expressions that have no result
	answered    bool
}

// counts holds the number of questions by the letter of their section.
var counts = map[byte]int{'Z': 17, 'J': 18, 'K': 20, 'F': 20, 'M': 16, 'A': 13}

var (
	isID        = regexp.MustCompile(`^[A-Z]\d+$`)
	code        = regexp.MustCompile("`([^`]+)`")
	notEmulated = regexp.MustCompile(`Not emulated: ([\d, ]+): `)
	enable      = regexp.MustCompile("Enable: (.+?)(<br>|$)")
)

// readQuestions reads the tables of distribution/questions.md.
func readQuestions(t *testing.T) (questions []question) {
	t.Helper()
	text, err := os.ReadFile("../../../distribution/questions.md")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		row := strings.ReplaceAll(strings.Trim(line, "| \n"), `\|`, "\x00")
		cells := strings.Split(row, " | ")
		if !isID.MatchString(cells[0]) {
			continue
		}
		cells = append(cells, make([]string, 5-len(cells))...) // without notes
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "\x00", "|")
		}
		questions = append(questions, newQuestion(t, cells[0], cells[2], cells[3], cells[4]))
	}
	return questions
}

func newQuestion(t *testing.T, id, expressions, alerts, notes string) question {
	t.Helper()
	q := question{id: id, expressions: quoted(expressions), answered: !strings.Contains(notes, "Not answered: ")}
	for alert := range strings.SplitSeq(alerts, "<br>") {
		condition := ""
		if strings.HasPrefix(alert, "`") {
			condition = quoted(alert)[0]
		}
		q.conditions = append(q.conditions, condition)
	}
	if match := enable.FindStringSubmatch(notes); match != nil {
		q.enable = quoted(match[1])
	}
	if match := notEmulated.FindStringSubmatch(notes); match != nil {
		for number := range strings.SplitSeq(match[1], ", ") {
			n, err := strconv.Atoi(number)
			require.NoError(t, err, id)
			q.notEmulated = append(q.notEmulated, n)
		}
	}
	if q.answered {
		require.Len(t, q.conditions, len(q.expressions), id)
	}
	return q
}

// quoted returns the parts of a text that are marked as code.
func quoted(text string) (parts []string) {
	for _, match := range code.FindAllStringSubmatch(text, -1) {
		parts = append(parts, match[1])
	}
	return parts
}

// TestQuestions checks that all questions have an answer or a reason why they have none, that the engine of Prometheus accepts each
// expression and its alert, and that each expression has a result unless it is marked.
func TestQuestions(t *testing.T) {
	questions := readQuestions(t)
	checkComplete(t, questions)
	var enabled []string
	for _, q := range questions {
		enabled = append(enabled, q.enable...)
	}
	collector, err := os.ReadFile("testdata/collector.txt")
	require.NoError(t, err)
	byDefault := newDatabase(t, scrapePage(t, nil), string(collector))
	withAll := newDatabase(t, scrapePage(t, enabled), string(collector))
	for _, q := range questions {
		t.Run(q.id, func(t *testing.T) {
			database := byDefault
			if len(q.enable) > 0 {
				database = withAll
				checkEnable(t, q, byDefault)
			}
			for i, expression := range q.expressions {
				hasResult := database.query(t, expression) > 0
				assert.Equal(t, !slices.Contains(q.notEmulated, i+1), hasResult, expression)
				database.query(t, "("+expression+")"+q.conditions[i])
			}
		})
	}
}

// checkComplete checks that no question is missing.
func checkComplete(t *testing.T, questions []question) {
	t.Helper()
	found := map[byte]int{}
	for _, q := range questions {
		found[q.id[0]]++
		assert.Equal(t, strconv.Itoa(found[q.id[0]]), q.id[1:])
		assert.Equal(t, q.answered, len(q.expressions) > 0, q.id)
	}
	assert.Equal(t, counts, found)
}

// TestNames checks that a receiver has each metric that an expression without a result names.
func TestNames(t *testing.T) {
	names := documentedNames(t)
	for _, q := range readQuestions(t) {
		for _, number := range q.notEmulated {
			expression := q.expressions[number-1]
			parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
			require.NoError(t, err, expression)
			parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
				if selector, ok := node.(*parser.VectorSelector); ok {
					assert.Contains(t, names, selector.Name, q.id)
				}
				return nil
			})
		}
	}
}

// documentedNames returns the names on the page of all metrics of the receivers.
func documentedNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../../receiver/*/metadata.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var metadata struct {
			Metrics map[string]struct {
				Unit string
				Sum  *struct{ Monotonic bool }
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &metadata))
		for name, m := range metadata.Metrics {
			kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
			if m.Sum != nil {
				kind = otlptranslator.MetricTypeNonMonotonicCounter
				if m.Sum.Monotonic {
					kind = otlptranslator.MetricTypeMonotonicCounter
				}
			}
			translated, err := namer.Build(otlptranslator.Metric{Name: name, Unit: m.Unit, Type: kind})
			require.NoError(t, err)
			names = append(names, translated)
		}
	}
	return names
}

// checkEnable checks that the question needs metrics that are disabled by default.
func checkEnable(t *testing.T, q question, byDefault *database) {
	t.Helper()
	without := 0
	for _, expression := range q.expressions {
		if byDefault.query(t, expression) == 0 {
			without++
		}
	}
	assert.Positive(t, without, "has results without the metrics to enable")
}

// database holds the series of pages. Each is scraped every 30 s for all time: gauges do not change, and counters grow by 1 per second.
type database struct {
	series []series
	engine *promql.Engine
}

type series struct {
	labels  labels.Labels
	value   float64
	counter bool
}

const (
	interval = 30 * time.Second
	now      = int64(1_800_000_000_000) // of all queries
)

func newDatabase(t *testing.T, pages ...string) *database {
	t.Helper()
	d := &database{engine: promql.NewEngine(promql.EngineOpts{MaxSamples: 50e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})}
	for _, page := range pages {
		d.add(t, page)
	}
	require.NotEmpty(t, d.series)
	return d
}

// add adds the series of a page. Like Prometheus, it adds job and instance of the scrape if the page has none.
func (d *database) add(t *testing.T, page string) {
	t.Helper()
	p := textparse.NewPromParser([]byte(page), labels.NewSymbolTable(), false)
	kind := model.MetricTypeUnknown
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		switch entry {
		case textparse.EntryType:
			_, kind = p.Type()
		case textparse.EntrySeries:
			_, _, value := p.Series()
			var found labels.Labels
			p.Labels(&found)
			builder := labels.NewBuilder(found)
			for name, scraped := range map[string]string{"job": "otelcol-rtc", "instance": "127.0.0.1:9464"} {
				if found.Get(name) == "" {
					builder.Set(name, scraped)
				}
			}
			d.series = append(d.series, series{builder.Labels(), value, kind == model.MetricTypeCounter})
		}
	}
}

// query returns the number of results of an expression.
func (d *database) query(t *testing.T, expression string) int {
	t.Helper()
	query, err := d.engine.NewInstantQuery(t.Context(), d.queryable(), nil, expression, time.UnixMilli(now))
	require.NoError(t, err, expression)
	defer query.Close()
	result := query.Exec(t.Context())
	require.NoError(t, result.Err, expression)
	vector, err := result.Vector()
	require.NoError(t, err, expression)
	return len(vector)
}

func (d *database) queryable() storage.Queryable {
	return &storage.MockQueryable{MockQuerier: &storage.MockQuerier{
		SelectMockFunction: func(_ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
			return &seriesSet{series: d.matching(matchers), from: hints.Start, to: hints.End}
		},
	}}
}

func (d *database) matching(matchers []*labels.Matcher) (found []series) {
	for _, s := range d.series {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			found = append(found, s)
		}
	}
	return found
}

// seriesSet iterates over series with their samples from a time to another.
type seriesSet struct {
	series   []series
	from, to int64
	next     int
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	s.next++
	return s.next <= len(s.series)
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series {
	one := s.series[s.next-1]
	var samples []promql.FPoint
	step := interval.Milliseconds()
	for at := (s.from + step - 1) / step * step; at <= s.to; at += step {
		value := one.value
		if one.counter {
			value += float64(at) / 1000
		}
		samples = append(samples, promql.FPoint{T: at, F: value})
	}
	return promql.NewStorageSeries(promql.Series{Metric: one.labels, Floats: samples})
}

// Err implements storage.SeriesSet.
func (*seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (*seriesSet) Warnings() (none annotations.Annotations) { return none }
