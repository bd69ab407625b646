// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package questions_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/dashboards/busyday"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
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
	byDefault := scrapedForever(busyday.Scrape(t))
	withAll := scrapedForever(busyday.Scrape(t, enabled...))
	for _, q := range questions {
		t.Run(q.id, func(t *testing.T) {
			engine := byDefault
			if len(q.enable) > 0 {
				engine = withAll
				checkEnable(t, q, byDefault)
			}
			for i, expression := range q.expressions {
				hasResult := query(t, engine, expression) > 0
				assert.Equal(t, !slices.Contains(q.notEmulated, i+1), hasResult, expression)
				query(t, engine, "("+expression+")"+q.conditions[i])
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
	metrics, _ := rtctest.PageMetrics(t)
	for _, q := range readQuestions(t) {
		for _, number := range q.notEmulated {
			expression := q.expressions[number-1]
			parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
			require.NoError(t, err, expression)
			parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
				if selector, ok := node.(*parser.VectorSelector); ok {
					assert.Contains(t, metrics, selector.Name, q.id)
				}
				return nil
			})
		}
	}
}

// checkEnable checks that the question needs metrics that are disabled by default.
func checkEnable(t *testing.T, q question, byDefault *busyday.Engine) {
	t.Helper()
	without := 0
	for _, expression := range q.expressions {
		if query(t, byDefault, expression) == 0 {
			without++
		}
	}
	assert.Positive(t, without, "has results without the metrics to enable")
}

// scrapedForever returns an engine over samples that are scraped every 30 s for all time: gauges do not change, and counters grow by 1 per
// second.
func scrapedForever(samples []busyday.Sample) *busyday.Engine {
	return busyday.NewEngine(&storage.MockQueryable{MockQuerier: &storage.MockQuerier{
		SelectMockFunction: func(_ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
			return &seriesSet{samples: matching(samples, matchers), from: hints.Start, to: hints.End}
		},
	}})
}

// query returns the number of results of an expression.
func query(t *testing.T, engine *busyday.Engine, expression string) int {
	t.Helper()
	return len(engine.At(t, expression, busyday.End))
}

func matching(samples []busyday.Sample, matchers []*labels.Matcher) (found []busyday.Sample) {
	for _, s := range samples {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Labels.Get(m.Name)) }) {
			found = append(found, s)
		}
	}
	return found
}

// seriesSet iterates over the series of samples from a time to another.
type seriesSet struct {
	samples  []busyday.Sample
	from, to int64
	next     int
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	s.next++
	return s.next <= len(s.samples)
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series {
	one := s.samples[s.next-1]
	var points []promql.FPoint
	step := busyday.Interval.Milliseconds()
	for at := (s.from + step - 1) / step * step; at <= s.to; at += step {
		value := one.Value
		if one.Counter {
			value += float64(at) / 1000
		}
		points = append(points, promql.FPoint{T: at, F: value})
	}
	return promql.NewStorageSeries(promql.Series{Metric: one.Labels, Floats: points})
}

// Err implements storage.SeriesSet.
func (*seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (*seriesSet) Warnings() (none annotations.Annotations) { return none }
