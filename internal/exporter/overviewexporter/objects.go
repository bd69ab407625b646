// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
)

// row is an object of a table.
type row struct {
	keys   []string
	values []float64 // of the columns; NaN if unknown
	states []state   // of the columns that have states
}

// objects are the rows of a table in the order of their first data point, and which columns have values.
type objects struct {
	*table
	rows    []*row
	present []bool
	byKey   map[string]*row
	byLabel map[string]*row // by the labels of series that have no other attributes
}

// read reads the objects of the table from the current data points.
func (t *table) read(snapshot *current.TargetSnapshot) *objects {
	o := &objects{table: t, present: make([]bool, len(t.columns)), byKey: map[string]*row{}, byLabel: map[string]*row{}}
	for i := range t.columns {
		c := &t.columns[i]
		for _, part := range snapshot.Metrics[c.of.metric] {
			for series := range part.Series() {
				o.add(i, c, series)
			}
		}
	}
	return o
}

// add takes a series into a column.
func (o *objects) add(i int, c *column, series current.Series) {
	if !c.of.matches(series) {
		return
	}
	value := series.Value()
	word := ""
	if c.state != nil && c.state.attribute != "" {
		if value != 1 {
			return
		}
		word = attribute(series, c.state.attribute)
	}
	r := o.row(series)
	if r == nil || math.IsNaN(value) {
		return
	}
	o.present[i] = true
	switch {
	case word != "":
		r.states[i] = state{strings.ReplaceAll(word, "_", " "), cmp.Or(c.state.tones[word], neutral)}
	case c.state == nil:
		r.values[i] = c.of.merge(r.values[i], value)
	case value == 0 && r.states[i].word == "":
		r.states[i] = c.state.zero
	case value != 0:
		r.states[i] = c.state.other
	}
}

// row returns the row of a series, or nil if the series has not all keys.
func (o *objects) row(series current.Series) *row {
	if r := o.byLabel[string(series.Labels)]; r != nil {
		return r
	}
	keys, found := make([]string, len(o.keys)), 0
	for name, value := range series.Attributes() {
		if i := slices.IndexFunc(o.keys, func(k key) bool { return k.attribute == name }); i >= 0 {
			keys[i] = value
			found++
		}
	}
	if found < len(o.keys) {
		return nil
	}
	id := strings.Join(keys, "\x00")
	r := o.byKey[id]
	if r == nil {
		r = &row{keys: keys, values: make([]float64, len(o.columns)), states: make([]state, len(o.columns))}
		for i := range r.values {
			r.values[i] = math.NaN()
		}
		o.byKey[id] = r
		o.rows = append(o.rows, r)
	}
	o.byLabel[string(series.Labels)] = r
	return r
}

// attribute returns the value of an attribute of a series.
func attribute(series current.Series, wanted string) string {
	for name, value := range series.Attributes() {
		if name == wanted {
			return value
		}
	}
	return ""
}

// search keeps the rows that have the text in one of their keys.
func (o *objects) search(text string) {
	text = strings.ToLower(text)
	o.rows = slices.DeleteFunc(o.rows, func(r *row) bool {
		return !slices.ContainsFunc(r.keys, func(key string) bool { return strings.Contains(strings.ToLower(key), text) })
	})
}

// sort sorts the rows by a key or, with numbers from len(keys) on, by a column. Rows without a value come last.
func (o *objects) sort(by int, descending bool) {
	slices.SortStableFunc(o.rows, func(a, b *row) int {
		i := by - len(o.keys)
		var order int
		switch {
		case i < 0:
			order = strings.Compare(a.keys[by], b.keys[by])
		case o.columns[i].state != nil:
			order = compareStates(a.states[i], b.states[i])
		case math.IsNaN(a.values[i]) || math.IsNaN(b.values[i]):
			return cmp.Or(compareBool(math.IsNaN(a.values[i]), math.IsNaN(b.values[i])), slices.Compare(a.keys, b.keys))
		default:
			order = cmp.Compare(a.values[i], b.values[i])
		}
		if descending {
			order = -order
		}
		return cmp.Or(order, slices.Compare(a.keys, b.keys))
	})
}

// order returns the numbers of the keys and columns that are shown, as in sort: the main state, the keys, and the other columns that have
// values.
func (o *objects) order() (shown []int) {
	main := o.mainState()
	if main >= 0 {
		shown = append(shown, main)
	}
	for i := range o.keys {
		shown = append(shown, i)
	}
	for i := range o.columns {
		if number := len(o.keys) + i; o.present[i] && number != main {
			shown = append(shown, number)
		}
	}
	return shown
}

// mainState returns the number of the first column with states, or -1.
func (o *objects) mainState() int {
	for i, c := range o.columns {
		if c.state != nil && o.present[i] {
			return len(o.keys) + i
		}
	}
	return -1
}

func compareStates(a, b state) int {
	return cmp.Or(compareBool(a.word == "", b.word == ""), cmp.Compare(a.tone.urgency(), b.tone.urgency()), strings.Compare(a.word, b.word))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
