// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package comparison compares this project with the alternatives. It is a separate module, so that the product does not depend on
// them.
package comparison

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
)

const (
	text        = "text/plain"
	openMetrics = "application/openmetrics-text"
)

// handMade has cases that both formats allow and that no captured page contains.
var handMade = map[string]string{
	"escapes":      `a{b="\\ \" \n \x",c=""} 1` + "\n",
	"blanks":       "a {b=\"c\" , d=\"e\",}\t1 \n \n",
	"quoted names": `{"my.name","b.c"="d"} 1` + "\n" + `{"x"} 2` + "\n",
	"numbers":      "a 0\nb -0\nc 1e-300\nd +1.25E+10\ne NaN\nf +Inf\ng -Inf\nh .5\ni 5.\nj 18446744073709551469\nk 0.1\nl 123456789012345.6\nm 1e22\n",
	"times":        "a 1 1795215981738\nb{c=\"d\"} NaN 0\n",
	"families":     "# a comment\n# HELP a A \\\\ help.\\n\n# TYPE a counter\na 1\na_total 2\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 3\n",
	"a line feed":  "a{b=\"c\nd 1\ne\"} 2\nf 3\n",
	"no newline":   "a 1\nb 2",
}

// handMadeOpenMetrics has such cases of OpenMetrics.
var handMadeOpenMetrics = map[string]string{
	"exemplars": "# TYPE a counter\na_total{b=\"c\"} 1 # {trace_id=\"x\"} 0.5 1.5\na_created 2\n# EOF\n",
	"times":     "a 1 1520879607.789\nb 2 -1.5\nc 3 1\n# EOF",
	"units":     "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n# HELP a_seconds \\\"A\\\"\na_seconds 1\n# TYPE s stateset\ns{s=\"on\"} 1\n# TYPE i info\ni_info{v=\"1\"} 1\n# EOF\n",
	"quoted":    "# TYPE \"a.b\" gauge\n{\"a.b\",\"c.d\"=\"e\"} 1\n# EOF\n",
}

type page struct {
	name, contentType string
	content           []byte
}

// excluded matches lines that the parsers treat differently by design: a line at which textparse fails, and a family without samples.
var excluded = regexp.MustCompile(`(?m)^.*(My_Mixed\.Case|mediasoup_nodejs_active_requests ).*\n`)

// pages returns the captured pages without the excluded lines.
func pages(t testing.TB) (all []page) {
	t.Helper()
	files, err := filepath.Glob("../exposition/testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		contentType := text
		if strings.Contains(file, ".openmetrics.") {
			contentType = openMetrics
		}
		content = excluded.ReplaceAll(content, nil)
		all = append(all, page{strings.TrimSuffix(filepath.Base(file), ".txt"), contentType, content})
	}
	return all
}

// sample is a sample in a form common to both parsers.
type sample struct {
	labels string
	value  uint64
	time   string
}

func newSample(set map[string]string, value float64, time string) sample {
	for _, bound := range []string{"le", "quantile"} { // textparse writes "1" as "1.0"
		if f, err := strconv.ParseFloat(set[bound], 64); err == nil {
			set[bound] = fmt.Sprint(f)
		}
	}
	if math.IsNaN(value) {
		value = math.NaN() // use the same bits for all NaNs
	}
	return sample{fmt.Sprintf("%q", set), math.Float64bits(value), time}
}

// result is a page in a form common to both parsers.
type result struct {
	samples []sample
	types   map[string]string // of the families that have samples
	help    map[string]string
}

func ours(t *testing.T, p *page) result {
	t.Helper()
	got := result{nil, map[string]string{}, map[string]string{}}
	r := exposition.NewReader()
	r.Reset(bytes.NewReader(p.content), p.contentType)
	require.NoError(t, r.Each(func(s *exposition.Sample) error {
		set := map[string]string{"__name__": string(s.Name)}
		for _, l := range s.Labels {
			set[string(l.Name)] = string(l.Value)
		}
		time := ""
		if at, ok := s.Time.Get(); ok {
			time = strconv.FormatInt(at.UnixMilli(), 10)
		}
		got.samples = append(got.samples, newSample(set, s.Value, time))
		got.types[string(s.Family.Name)] = s.Family.Type.String()
		if len(s.Family.Help) > 0 {
			got.help[string(s.Family.Name)] = string(s.Family.Help)
		}
		return nil
	}))
	delete(got.types, "")
	return got
}

func theirs(t *testing.T, p *page) result {
	t.Helper()
	got := result{nil, map[string]string{}, map[string]string{}}
	parser, err := textparse.New(slices.Clone(p.content), p.contentType, nil, textparse.ParserOptions{})
	require.NoError(t, err)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		require.NoError(t, err)
		switch entry {
		case textparse.EntryType:
			name, typ := parser.Type()
			got.types[string(name)] = string(typ)
		case textparse.EntryHelp:
			name, help := parser.Help()
			got.help[string(name)] = string(help)
		case textparse.EntrySeries:
			_, at, value := parser.Series()
			time := ""
			if at != nil {
				time = strconv.FormatInt(*at, 10)
			}
			var set labels.Labels
			parser.Labels(&set)
			got.samples = append(got.samples, newSample(set.Map(), value, time))
		}
	}
}

// TestExposition checks that exposition and textparse return the same samples.
func TestExposition(t *testing.T) {
	all := pages(t)
	for name, content := range handMade {
		all = append(all, page{name, text, []byte(content)})
	}
	for name, content := range handMadeOpenMetrics {
		all = append(all, page{"OpenMetrics " + name, openMetrics, []byte(content)})
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			want := theirs(t, &p)
			assert.NotEmpty(t, want.samples)
			assert.Equal(t, want, ours(t, &p))
		})
	}
}

// BenchmarkExposition reads each page with both parsers in turn, so that other load on the machine affects both. It runs textparse
// without and with parsing of labels, which exposition always parses.
func BenchmarkExposition(b *testing.B) {
	for _, p := range pages(b) {
		b.Run(p.name, func(b *testing.B) {
			r, body, samples := exposition.NewReader(), bytes.NewReader(nil), 0
			readers := []struct {
				name string
				read func()
				took time.Duration
			}{
				{name: "ours", read: func() {
					body.Reset(p.content)
					r.Reset(body, p.contentType)
					require.NoError(b, r.Each(func(*exposition.Sample) error {
						samples++
						return nil
					}))
				}},
				{name: "textparse", read: parse(b, &p, false)},
				{name: "textparse-labels", read: parse(b, &p, true)},
			}
			b.SetBytes(int64(len(p.content)))
			for b.Loop() {
				for i := range readers {
					begin := time.Now()
					readers[i].read()
					readers[i].took += time.Since(begin)
				}
			}
			for _, reader := range readers {
				b.ReportMetric(float64(reader.took.Nanoseconds())/float64(samples), reader.name+"-ns/sample")
			}
		})
	}
}

// parse returns a function that reads a page with textparse.
func parse(b *testing.B, p *page, withLabels bool) func() {
	b.Helper()
	content := append(slices.Clone(p.content), '\n')[:len(p.content)] // room for the line feed that textparse appends
	symbols := labels.NewSymbolTable()
	return func() {
		parser, err := textparse.New(content, p.contentType, symbols, textparse.ParserOptions{})
		require.NoError(b, err)
		var set labels.Labels
		for {
			entry, err := parser.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			require.NoError(b, err)
			if entry == textparse.EntrySeries {
				parser.Series()
				if withLabels {
					parser.Labels(&set)
				}
			}
		}
	}
}
