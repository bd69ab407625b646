// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
)

// pageSize is how many rows a page of a listing has.
const pageSize = 100

// listing is a table as the template shows it.
type listing struct {
	Caption  string
	Headings []heading
	Rows     [][]cell
	// Empty is shown instead of a table without rows.
	Empty string
	// Count says which rows are shown of how many.
	Count string
	// Previous and Next are the addresses of the neighboring pages.
	Previous, Next string
}

// heading is the head of a column.
type heading struct {
	Title, Href string
	Sort        string // ascending, descending or none
	Numeric     bool
}

// cell is an entry of a table. Which fields are set determines how it is shown.
type cell struct {
	Label    string // title of the column
	Text     string
	Href     string
	Sub      string // small, below
	State    state
	Quantity quantity
	Curve    *curve
	Numeric  bool
	Name     bool // of the row
}

// Word and Tone make a state accessible to the template.
func (s state) Word() string { return s.word }

// Tone returns the name of the style class.
func (s state) Tone() string { return string(s.tone) }

// parameters are the query parameters of a page.
type parameters struct {
	path   string
	values url.Values
}

// with returns the address of the page with other parameters, given as pairs. Empty values remove a parameter.
func (p parameters) with(pairs ...string) string {
	values := url.Values{}
	for name := range p.values {
		values.Set(name, p.values.Get(name))
	}
	for pair := range slices.Chunk(pairs, 2) {
		if name, value := pair[0], pair[1]; value == "" {
			values.Del(name)
		} else {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return p.path
	}
	return p.path + "?" + values.Encode()
}

// order returns the parameters sort and order. Columns are numbered from 0.
func (p parameters) order(columns, fallback int) (by int, descending bool) {
	by, err := strconv.Atoi(p.values.Get("sort"))
	if err != nil || by < 0 || by >= columns {
		return fallback, false
	}
	return by, p.values.Get("order") == "desc"
}

// heading returns the head of a sortable column. Numbers are sorted from the largest at first.
func (p parameters) heading(title string, column int, numeric bool, by int, descending bool) heading {
	h := heading{Title: title, Numeric: numeric, Sort: "none"}
	next := map[bool]string{true: "desc", false: "asc"}
	order := next[numeric]
	if column == by {
		h.Sort = map[bool]string{true: "descending", false: "ascending"}[descending]
		order = next[!descending]
	}
	h.Href = p.with("sort", strconv.Itoa(column), "order", order, "page", "")
	return h
}

// slice returns the limits of the rows on the current page, and sets what the listing says about them.
func (l *listing) slice(p parameters, rows int, noun string) (from, to int) {
	pages := max(1, (rows+pageSize-1)/pageSize)
	page, _ := strconv.Atoi(p.values.Get("page"))
	page = min(max(page, 1), pages)
	from, to = (page-1)*pageSize, min(page*pageSize, rows)
	l.Count = fmt.Sprintf("%s %s", formatCount(float64(rows)), noun)
	if pages > 1 {
		l.Count = fmt.Sprintf("%s to %s of %s", formatCount(float64(from+1)), formatCount(float64(to)), l.Count)
	}
	if page > 1 {
		l.Previous = p.with("page", strconv.Itoa(page-1))
	}
	if page < pages {
		l.Next = p.with("page", strconv.Itoa(page+1))
	}
	return from, to
}
