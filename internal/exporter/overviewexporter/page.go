// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
)

// page is the data of the template of a page.
type page struct {
	Title   string
	Summary string
	Time    string
	Notice  string
	Tone    string // of the summary
	Totals  []total
	Tabs    []tab
	Search  search
	List    listing
	// Target is nil on the fleet page.
	Target *targetView
}

// total is a number at the top of the fleet page.
type total struct {
	Title    string
	Quantity quantity
	Of       string
}

// tab is a link to a part of the listing.
type tab struct {
	Title, Href string
	Current     bool
}

// search is the form that searches the listing.
type search struct {
	Label, Text string
	Hidden      map[string]string
	Clear       string
}

// targetView is the head of the page of a target.
type targetView struct {
	Name, System, Job string
	State             state
	Facts             []fact
	Window            string // that the curves show
	Values            []valueView
}

type fact struct{ Title, Text string }

// valueView is a headline value with its curve.
type valueView struct {
	Title    string
	Quantity quantity
	Curve    curve
}

// The columns of the fleet page.
const (
	columnState = iota
	columnServer
	columnCarries
	columnIn
	columnOut
	columnUptime
	columnScrape
	columnError
	columnHour
)

var fleetColumns = []string{"State", "Server", "Carries", "In", "Out", "Uptime", "Scrape", "Last error", "Last hour"}

// numericColumn reports whether a column of the fleet page has numbers.
func numericColumn(i int) bool { return i >= columnIn && i <= columnScrape }

// fleetPage returns the page of all targets.
func (e *overviewExporter) fleetPage(p parameters) *page {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	targets := make([]*target, 0, len(e.fleet.targets))
	for _, t := range e.fleet.targets {
		targets = append(targets, t)
	}
	view := &page{Title: "Fleet", Time: now.Format(time.TimeOnly), Totals: sumUp(targets)}
	view.Summary, view.Tone = summarize(targets, now)
	if n := len(e.fleet.refused); n > 0 {
		view.Notice = fmt.Sprintf("This page shows the first %d servers. Not shown: %d more.", maxTargets, n)
	}
	view.Tabs = systemTabs(p, targets)
	text, chosen := strings.ToLower(p.values.Get("q")), p.values.Get("system")
	total := len(targets)
	targets = slices.DeleteFunc(targets, func(t *target) bool {
		return chosen != "" && t.system.name != chosen ||
			!strings.Contains(strings.ToLower(t.id.Instance+"\x00"+t.id.Job+"\x00"+t.version), text)
	})
	by, descending := p.order(columnHour, columnState)
	sortTargets(targets, by, descending, now)
	view.Search = p.search("Search servers")
	view.List = listing{Caption: "Servers"}
	shown := newWindow(e.started, now)
	for i, title := range fleetColumns {
		if i == columnHour {
			title = "Last " + shown.String()
		}
		if i == columnCarries || i >= columnError {
			view.List.Headings = append(view.List.Headings, heading{Title: title})
		} else {
			view.List.Headings = append(view.List.Headings, p.heading(title, i, numericColumn(i), by, descending))
		}
	}
	from, to := view.List.slice(p, len(targets), plural(len(targets), "server"))
	for _, t := range targets[from:to] {
		view.List.Rows = append(view.List.Rows, t.cells(now, shown))
	}
	switch {
	case total == 0:
		view.List.Empty = "No servers yet. A server appears here after its first scrape."
	case len(targets) == 0:
		view.List.Empty = "No server matches the search."
	}
	return view
}

// search returns the form. It keeps the other parameters except for the page.
func (p parameters) search(label string) search {
	s := search{Label: label, Text: p.values.Get("q"), Hidden: map[string]string{}}
	for name := range p.values {
		if name != "q" && name != "page" {
			s.Hidden[name] = p.values.Get(name)
		}
	}
	if s.Text != "" {
		s.Clear = p.with("q", "", "page", "")
	}
	return s
}

// systemTabs returns links to the systems, if there are several.
func systemTabs(p parameters, targets []*target) []tab {
	counts := map[string]int{}
	for _, t := range targets {
		counts[t.system.name]++
	}
	if len(counts) < 2 {
		return nil
	}
	chosen := p.values.Get("system")
	tabs := []tab{{fmt.Sprintf("All %d", len(targets)), p.with("system", "", "page", ""), chosen == ""}}
	for _, s := range systems {
		if n := counts[s.name]; n > 0 {
			tabs = append(tabs, tab{fmt.Sprintf("%s %d", s.name, n), p.with("system", s.name, "page", ""), chosen == s.name})
		}
	}
	return tabs
}

// summarize returns a sentence about the states of the targets, and the tone of the most urgent one.
func summarize(targets []*target, now time.Time) (string, string) {
	if len(targets) == 0 {
		return "No servers.", string(neutral)
	}
	counts := map[state]int{}
	worst := good
	for _, t := range targets {
		s := t.state(now)
		counts[s]++
		if s.tone.urgency() < worst.urgency() {
			worst = s.tone
		}
	}
	up := counts[stateUp] + counts[stateErrors]
	parts := []string{fmt.Sprintf("%d of %d %s up", up, len(targets), plural(len(targets), "server"))}
	for _, other := range []struct {
		state state
		words string
	}{{stateDown, "down"}, {stateSilent, "without data"}, {stateErrors, "with errors"}, {stateUnknown, "unknown"}} {
		if n := counts[other.state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, other.words))
		}
	}
	return strings.Join(parts, ", ") + ".", string(worst)
}

// sumUp returns the numbers at the top of the fleet page. Of several values of a system that count the same, the largest sum is used.
func sumUp(targets []*target) (sums []total) {
	type part struct {
		system *system
		total  string
		value  int
	}
	parts := map[part]float64{}
	in, out := math.NaN(), math.NaN()
	add := query{}.merge
	for _, t := range targets {
		in, out = add(in, t.use(inbound)), add(out, t.use(outbound))
		for i, v := range t.system.values {
			if now := t.values[i].now; v.total != "" && !math.IsNaN(now) {
				parts[part{t.system, v.total, i}] += now
			}
		}
	}
	for _, name := range totals {
		sum := math.NaN()
		for _, s := range systems {
			largest := math.NaN()
			for i := range s.values {
				if value, ok := parts[part{s, name, i}]; ok {
					largest = query{largest: true}.merge(largest, value)
				}
			}
			sum = add(sum, largest)
		}
		if !math.IsNaN(sum) {
			sums = append(sums, total{Title: name, Quantity: count.format(sum)})
		}
	}
	for _, bandwidth := range []struct {
		title string
		value float64
	}{{"Bandwidth in", in}, {"Bandwidth out", out}} {
		if !math.IsNaN(bandwidth.value) {
			sums = append(sums, total{Title: bandwidth.title, Quantity: bitRate.format(bandwidth.value)})
		}
	}
	return sums
}

func sortTargets(targets []*target, by int, descending bool, now time.Time) {
	number := func(t *target) float64 {
		switch by {
		case columnIn:
			return t.use(inbound)
		case columnOut:
			return t.use(outbound)
		case columnUptime:
			return t.uptime
		}
		return t.duration
	}
	slices.SortFunc(targets, func(a, b *target) int {
		var order int
		switch {
		case by == columnState:
			order = compareTargetStates(a.state(now), b.state(now))
		case numericColumn(by):
			x, y := number(a), number(b)
			if math.IsNaN(x) || math.IsNaN(y) {
				return cmp.Or(compareBool(math.IsNaN(x), math.IsNaN(y)), compareIDs(a, b))
			}
			order = cmp.Compare(x, y)
		default:
			order = compareIDs(a, b)
		}
		if descending {
			order = -order
		}
		return cmp.Or(order, compareIDs(a, b))
	})
}

// compareTargetStates orders states of targets: down first, up last.
func compareTargetStates(a, b state) int {
	order := []state{stateDown, stateSilent, stateErrors, stateUnknown, stateUp}
	return cmp.Compare(slices.Index(order, a), slices.Index(order, b))
}

func compareIDs(a, b *target) int {
	return cmp.Or(strings.Compare(a.id.Instance, b.id.Instance), strings.Compare(a.id.Job, b.id.Job))
}

// cells returns the row of the target on the fleet page.
func (t *target) cells(now time.Time, shown window) []cell {
	carries, drawn := t.carries(), (*curve)(nil)
	for i, v := range t.system.values {
		if v.use == carried && t.values[i].hour != nil {
			c := draw(v.title, v.unit, t.values[i].hour.last(now), shown)
			drawn = &c
			break
		}
	}
	cells := []cell{
		columnState:   {State: t.state(now), Sub: t.sinceText(now)},
		columnServer:  {Name: true, Text: t.name(), Href: t.href(), Sub: strings.TrimSpace(t.id.Job + " " + t.version)},
		columnCarries: {Text: carries},
		columnIn:      {Quantity: bitRate.format(t.use(inbound)), Numeric: true},
		columnOut:     {Quantity: bitRate.format(t.use(outbound)), Numeric: true},
		columnUptime:  {Quantity: duration.format(t.uptime), Numeric: true},
		columnScrape:  {Quantity: duration.format(t.duration), Numeric: true},
		columnError:   {Text: missing},
		columnHour:    {Curve: drawn, Text: missing},
	}
	if kind, details := t.errorText(now); kind != "" {
		cells[columnError] = cell{Text: kind, Sub: details}
	}
	if carries == "" {
		cells[columnCarries].Text = missing
	}
	for i := range cells {
		cells[i].Label = fleetColumns[i]
	}
	cells[columnHour].Label = "Last " + shown.String()
	return cells
}

// carries returns the numbers of streams, calls and other items that the target carries.
func (t *target) carries() string {
	var parts []string
	for i, v := range t.system.values {
		if v.use == carried && !math.IsNaN(t.values[i].now) {
			noun := lowerFirst(v.title)
			if t.values[i].now == 1 {
				noun = strings.TrimSuffix(noun, "s")
			}
			parts = append(parts, v.unit.format(t.values[i].now).String()+" "+noun)
		}
	}
	return strings.Join(parts, " · ")
}

// lowerFirst returns a title as it stands within a sentence.
func lowerFirst(title string) string { return strings.ToLower(title[:1]) + title[1:] }

func (t *target) name() string { return cmp.Or(t.id.Instance, t.id.Job, t.system.name) }

func (t *target) href() string {
	return "target?" + url.Values{"job": {t.id.Job}, "instance": {t.id.Instance}}.Encode()
}

// sinceText says how long the target has been in its state.
func (t *target) sinceText(now time.Time) string {
	switch {
	case t.state(now) == stateSilent:
		return "for " + ago(now, t.seen)
	case t.since.IsZero():
		return ""
	}
	return "for " + ago(now, t.since)
}

// errorText returns the kind of the last error of the last hour, and when and where it was.
func (t *target) errorText(now time.Time) (kind, details string) {
	if t.lastError.at.IsZero() || now.Sub(t.lastError.at) > time.Hour {
		return "", ""
	}
	when := ago(now, t.lastError.at) + " ago"
	if t.lastError.current {
		when = "now"
	}
	return t.lastError.kind, strings.TrimPrefix(t.lastError.call+", "+when, ", ")
}

// targetPage returns the page of a target, or nil if it is not known.
func (e *overviewExporter) targetPage(p parameters) *page {
	id := current.TargetID{Job: p.values.Get("job"), Instance: p.values.Get("instance")}
	now := e.now()
	view, system := e.targetHead(id, now)
	if view == nil {
		return nil
	}
	snapshot := e.store.TargetSnapshot(id)
	defer snapshot.Release()
	chosen := view.addTabs(p, system, snapshot)
	if chosen != nil {
		view.addObjects(p, chosen, snapshot)
	}
	return view
}

// targetHead returns the page of a target without its tables.
func (e *overviewExporter) targetHead(id current.TargetID, now time.Time) (*page, *system) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.fleet.targets[id]
	if t == nil {
		return nil, nil
	}
	state, shown := t.state(now), newWindow(e.started, now)
	view := &page{Title: t.name(), Time: now.Format(time.TimeOnly), Tone: state.Tone()}
	view.Summary = upperFirst(state.word) + "." // without a time, because screen readers announce every change
	view.Target = &targetView{Name: t.name(), System: t.system.name, Job: t.id.Job, State: state, Facts: t.facts(now), Window: shown.String()}
	for i, v := range t.system.values {
		if r := &t.values[i]; r.hour != nil {
			view.Target.Values = append(view.Target.Values, valueView{
				Title: v.title, Quantity: v.unit.format(r.now), Curve: draw(v.title, v.unit, r.hour.last(now), shown),
			})
		}
	}
	return view, t.system
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// facts returns what the head of the page says about the target.
func (t *target) facts(now time.Time) []fact {
	facts := []fact{{"System", t.system.name}}
	add := func(title, text string) {
		if text != "" && text != missing {
			facts = append(facts, fact{title, text})
		}
	}
	if !strings.EqualFold(t.id.Job, t.system.name) {
		add("Job", t.id.Job)
	}
	add("Version", t.version)
	add("Uptime", duration.format(t.uptime).String())
	add("Scrape", duration.format(t.duration).String())
	add("Last data", ago(now, t.seen)+" ago")
	add("In this state", strings.TrimPrefix(t.sinceText(now), "for "))
	if kind, details := t.errorText(now); kind != "" {
		add("Last error", kind+" ("+details+")")
	}
	return facts
}

// addTabs adds links to the tables that the target has, and returns the chosen one.
func (view *page) addTabs(p parameters, system *system, snapshot *current.TargetSnapshot) (chosen *table) {
	var tables []*table
	for i := range system.tables {
		t := &system.tables[i]
		has := func(c column) bool { return len(snapshot.Metrics[c.of.metric]) > 0 }
		if t.empty != "" || slices.ContainsFunc(t.columns, has) {
			tables = append(tables, t)
		}
	}
	for _, t := range tables {
		if chosen == nil || t.title == p.values.Get("table") {
			chosen = t
		}
	}
	if len(tables) > 1 {
		for _, t := range tables {
			href := p.with("table", t.title, "q", "", "sort", "", "order", "", "page", "")
			view.Tabs = append(view.Tabs, tab{t.title, href, t == chosen})
		}
	}
	return chosen
}

// addObjects adds the objects of a table.
func (view *page) addObjects(p parameters, t *table, snapshot *current.TargetSnapshot) {
	o := t.read(snapshot)
	total := len(o.rows)
	if q := p.values.Get("q"); q != "" {
		o.search(q)
	}
	// What needs attention comes first, if there are states.
	by, descending := p.order(len(o.keys)+len(o.columns), max(0, o.mainState()))
	o.sort(by, descending)
	noun := lowerFirst(t.title)
	view.Search = p.search("Search " + noun)
	view.List = listing{Caption: t.title}
	for _, number := range o.order() {
		title, numeric := o.heading(number)
		view.List.Headings = append(view.List.Headings, p.heading(title, number, numeric, by, descending))
	}
	from, to := view.List.slice(p, len(o.rows), plural(len(o.rows), strings.TrimSuffix(noun, "s")))
	for _, r := range o.rows[from:to] {
		view.List.Rows = append(view.List.Rows, o.cells(r))
	}
	switch {
	case total == 0:
		view.List.Empty = cmp.Or(t.empty, "Nothing here. This server reports none.")
	case len(o.rows) == 0:
		view.List.Empty = "Nothing matches the search."
	}
}

// heading returns the title of a key or column, and whether it has numbers.
func (o *objects) heading(number int) (title string, numeric bool) {
	if number < len(o.keys) {
		return o.keys[number].title, false
	}
	c := o.columns[number-len(o.keys)]
	return c.title, c.state == nil
}

// cells returns a row of a table of objects.
func (o *objects) cells(r *row) (cells []cell) {
	for _, number := range o.order() {
		title, numeric := o.heading(number)
		c := cell{Label: title, Numeric: numeric, Name: number == 0}
		i := number - len(o.keys)
		switch {
		case i < 0:
			c.Text = cmp.Or(shorten(r.keys[number]), missing)
		case numeric:
			c.Quantity = o.columns[i].unit.format(r.values[i])
		case r.states[i].word == "":
			c.Text = missing
		default:
			c.State = r.states[i]
		}
		cells = append(cells, c)
	}
	return cells
}

// shorten cuts texts that are too long for a table.
func shorten(text string) string {
	const longest = 200
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

// plural returns a noun with an s, except for one.
func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
