// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import "strings"

// system describes how the pages show the servers that a receiver monitors. Metrics that a server does not report are not shown.
type system struct {
	// name is the name of the system, and receiver that of the package of its receiver.
	name, receiver string
	// uptime lists gauges with the time since the start of a server, of which one is used.
	uptime []string
	// values are the headline numbers. The pages show one hour of the first maxCurves that a server reports.
	values []value
	tables []table
}

// value is a headline number of a server.
type value struct {
	title string
	of    query
	unit  unit
	use   use
	// total names the number at the top of the fleet page that the value is added to.
	total string
}

// use says where the fleet page shows a value.
type use int

const (
	_         use = iota
	carried       // among the things that a server carries; the first one has a curve
	inbound       // as the bandwidth in
	outbound      // as the bandwidth out
	onlyTotal     // only in the total
)

// query computes a number from the series of a metric.
type query struct {
	metric string
	// where lists pairs of an attribute and the value that series must have.
	where []string
	// largest takes the largest series instead of the sum of all.
	largest bool
	// rate is the increase per second of a counter. Columns of tables cannot have rates.
	rate bool
	// over divides by the sum of another metric.
	over string
}

// table lists the objects of a server.
type table struct {
	// title is a plural noun, and empty what the page says instead of a table without rows. Without it, the table is left out then.
	title, empty string
	// keys are the attributes that identify a row.
	keys    []key
	columns []column
}

// key is an attribute that is part of the name of a row.
type key struct{ title, attribute string }

// column is a property of the rows.
type column struct {
	title string
	of    query
	unit  unit
	state *states
}

// states says how the values of a column that holds states are shown.
type states struct {
	// attribute is the one that holds the state. The series of the current state has the value 1.
	attribute string
	// tones are the tones of the attribute's values. Those that are not listed are neutral.
	tones map[string]tone
	// zero and other are the states of metrics without such an attribute: for 0, and for any other value.
	zero, other state
}

// state is a word and its tone.
type state struct {
	word string
	tone tone
}

// tone says how much attention a state needs. The values are the names of style classes.
type tone string

const (
	bad     tone = "bad"
	warn    tone = "warn"
	neutral tone = "neutral"
	good    tone = "good"
)

// urgency orders tones: what needs attention comes first.
func (t tone) urgency() int { return strings.Index("bad  warn neutralgood", string(t)) }

// The metrics that all receivers have.
const (
	metricUp       = "rtc.target.up"
	metricDuration = "rtc.scrape.duration"
	metricErrors   = "rtc.scrape.errors"

	attributeAPI       = "rtc.api"
	attributeErrorType = "error.type"
)

var systems = []*system{zlmediakit, jitsi, kamailio, flussonic, mediasoup}

// systemOf returns the system that a receiver monitors, by the name of the receiver's scope.
func systemOf(scope string) *system {
	for _, s := range systems {
		if strings.HasSuffix(scope, "/"+s.receiver) {
			return s
		}
	}
	return nil
}

// keptMetrics are the metrics that the systems name.
var keptMetrics = func() map[string]bool {
	kept := map[string]bool{metricUp: true, metricDuration: true, metricErrors: true}
	add := func(q query) {
		kept[q.metric] = true
		if q.over != "" {
			kept[q.over] = true
		}
	}
	for _, s := range systems {
		for _, metric := range s.uptime {
			kept[metric] = true
		}
		for _, v := range s.values {
			add(v.of)
		}
		for _, t := range s.tables {
			for _, c := range t.columns {
				add(c.of)
			}
		}
	}
	return kept
}()

// The totals at the top of the fleet page, in this order.
const (
	totalStreams     = "Streams"
	totalViewers     = "Viewers"
	totalConferences = "Conferences"
	totalCalls       = "Calls"
)

var totals = []string{totalStreams, totalViewers, totalConferences, totalCalls}

const (
	direction = "network.io.direction"
	receive   = "receive"
	transmit  = "transmit"
)
