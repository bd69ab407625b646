// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"strings"

	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// statisticsRecorder records the statistics, and the numbers in other replies that replace missing statistics.
type statisticsRecorder struct {
	mb       *builder
	report   *scrape.Report
	naming   string
	unmapped *selection.Set[unmapped]
	domains  *selection.Set[struct{}]
	counters filter.Filter
	groups   map[string]bool // of the server; nil if unknown

	// State of the current scrape.
	values  map[string]int64 // statistics that have rows
	named   []*unmapped      // statistics that become metrics of their own
	waiting []*statistic     // statistics of items that wait
	merged  int64
	key     []byte // reused
}

// unmapped is a statistic that has no row.
type unmapped struct {
	group, name string
	counter     bool
	value       int64
}

func newStatisticsRecorder(cfg *Config, mb *builder, report *scrape.Report) *statisticsRecorder {
	return &statisticsRecorder{
		mb: mb, report: report, naming: cfg.Statistics.Naming,
		unmapped: selection.New[unmapped](cfg.Statistics.selection()),
		domains:  selection.New[struct{}](cfg.UsrlocDomains),
		counters: filter.CreateFilter(cfg.Statistics.Counters),
		values:   map[string]int64{},
	}
}

func (r *statisticsRecorder) beginScrape() {
	clear(r.values)
	r.named, r.waiting, r.merged = r.named[:0], r.waiting[:0], 0
}

// groupRecorder records a statistic of a group whose names are not all known. It returns false if it does not know the name.
type groupRecorder func(*statisticsRecorder, *statistic) bool

var groupRecorders = map[string]groupRecorder{"core": (*statisticsRecorder).recordMessages, "usrloc": (*statisticsRecorder).recordDomain}

// record adds the statistics. Those that have rows are recorded at the end of the scrape, because some points need two of them.
func (r *statisticsRecorder) record(all statistics) {
	r.groups = map[string]bool{}
	r.unmapped.Begin()
	r.domains.Begin()
	var group string
	var record groupRecorder
	for i := range all.List {
		st := &all.List[i]
		if i == 0 || st.Group != group { // the statistics of a group are adjacent
			group, record = st.Group, groupRecorders[st.Group]
			r.groups[group] = true
		}
		if _, mapped := statisticRows[st.Key]; mapped {
			r.values[st.Key] = st.Value
		} else if record == nil || !record(r, st) {
			r.addUnmapped(st)
		}
	}
	r.unmapped.End(all.complete())
	r.domains.End(all.complete())
	r.recordWaiting()
	entity := metadata.AttributeRtcEntityStatistic
	r.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, int64(r.unmapped.Limited()))
	r.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, r.merged)
	r.report.Omit(entity, metadata.AttributeRtcOmissionReasonTruncated, all.Omitted)
	r.report.Omit(metadata.AttributeRtcEntityUsrlocDomain, metadata.AttributeRtcOmissionReasonLimit, int64(r.domains.Limited()))
}

// recordWaiting records the statistics of items that have waited and are kept now.
func (r *statisticsRecorder) recordWaiting() {
	for _, st := range r.waiting {
		if st.Group == "usrloc" && r.recordDomain(st) {
			continue
		}
		if item := r.unmapped.Find(r.unmappedKey(st)); item != nil && item.Kept {
			r.recordUnmapped(item, st)
		}
	}
}

// unmappedKey returns the key of a statistic without a row. It is valid until the next call.
func (r *statisticsRecorder) unmappedKey(st *statistic) []byte {
	r.key = selection.AppendName(r.key[:0], st.Key)
	return r.key
}

// recordMembers records the numbers of another reply that have rows, and adds those that replace missing statistics.
func (r *statisticsRecorder) recordMembers(api string, numbers map[string]int64) {
	for member, row := range memberRows[api] {
		if n, ok := numbers[member]; ok {
			row.Record(r.mb, n, rows.None{})
		}
	}
	for _, f := range fallbacks {
		if f.api != api {
			continue
		}
		for member, key := range f.keys {
			n, ok := numbers[member]
			if _, known := r.values[key]; ok && !known {
				r.values[key] = n
			}
		}
	}
}

// recordTransactions records the numbers of the module tm.
func (r *statisticsRecorder) recordTransactions(numbers map[string]int64) {
	if active, ok := difference(numbers, "current", "waiting"); ok {
		numbers["active"] = active
	}
	if relayed, ok := difference(numbers, "rpl_sent", "rpl_generated"); ok {
		numbers["rpl_relayed"] = relayed
	}
	r.recordMembers(apiTransactions, numbers)
}

// difference returns whole minus part. It returns false if one of them is missing or has wrapped around.
func difference(numbers map[string]int64, whole, part string) (rest int64, ok bool) {
	w, hasWhole := numbers[whole]
	p, hasPart := numbers[part]
	return w - p, hasWhole && hasPart && 0 <= p && p <= w
}

// recordRows records the statistics that have rows.
func (r *statisticsRecorder) recordRows() {
	for key, n := range r.values {
		statisticRows[key].Record(r.mb, n, rows.None{})
	}
	if overhead, ok := difference(r.values, "shmem.real_used_size", "shmem.used_size"); ok {
		sharedMemoryOverhead.Record(r.mb, overhead, rows.None{})
	}
	if remote, ok := difference(r.values, "tmx.UAS_transactions", "tmx.UAC_transactions"); ok {
		remoteTransactions.Record(r.mb, remote, rows.None{})
	}
}

// methodOf returns the SIP method that appears in the name of a statistic, even if the method is not a known one.
func methodOf(name string) string {
	if method, ok := methodNames[name]; ok {
		return method
	}
	return strings.ToUpper(selection.Name(name))
}

// recordMessages records the core's counters of requests by method, and of replies by class, code and method.
func (r *statisticsRecorder) recordMessages(st *statistic) bool {
	if method, ok := strings.CutPrefix(st.Name, "rcv_requests_"); ok {
		requestsByMethod.Record(r.mb, st.Value, methodOf(method))
		return true
	}
	rest, ok := strings.CutPrefix(st.Name, "rcv_replies_")
	if !ok {
		return false
	}
	if st.Value < 0 { // wrapped around
		r.mb.Refuse(1)
		return true
	}
	code, method, byMethod := strings.Cut(rest, "_")
	class, isClass := metadata.MapAttributeKamailioReplyClass[code]
	switch {
	case isClass && byMethod:
		repliesByMethod.Record(r.mb, st.Value, classAndMethod{class, methodOf(method)})
	case isClass:
		repliesByClass.Record(r.mb, st.Value, class)
	case !byMethod && len(code) == 3:
		repliesByCode.Record(r.mb, st.Value, selection.Name(code))
	default:
		return false
	}
	return true
}

// recordDomain records the counters of a user location table, such as location_users (location-users in Kamailio 5.3).
func (r *statisticsRecorder) recordDomain(st *statistic) bool {
	end := strings.LastIndexAny(st.Name, "_-")
	if end < 0 {
		return false
	}
	row, ok := domainRows[st.Name[end+1:]]
	if !ok {
		return false
	}
	switch item, _ := r.domains.Get([]byte(selection.Name(st.Name[:end]))); {
	case item.Kept:
		row.Record(r.mb, st.Value, item.Name)
	case item.Waits:
		r.waiting = append(r.waiting, st)
	}
	return true
}

// addUnmapped records a statistic that has no row, if it is kept.
func (r *statisticsRecorder) addUnmapped(st *statistic) {
	switch item, isFirst := r.unmapped.Get(r.unmappedKey(st)); {
	case !isFirst:
		r.merged++
	case item.Kept:
		r.recordUnmapped(item, st)
	case item.Waits:
		r.waiting = append(r.waiting, st)
	}
}

// recordUnmapped records a statistic that has no row with its group and name as attributes.
func (r *statisticsRecorder) recordUnmapped(item *selection.Item[unmapped], st *statistic) {
	u := &item.Value
	if u.name == "" {
		u.group, u.name, _ = strings.Cut(item.Name, ".")
		u.counter = r.isCounter(st)
	}
	u.value = st.Value
	switch {
	case r.isNamed(st):
		if u.counter && u.value < 0 { // wrapped around
			r.mb.Refuse(1)
			return
		}
		r.named = append(r.named, u)
	case u.counter:
		unmappedCounter.Record(r.mb, u.value, u)
	default:
		unmappedValue.Record(r.mb, u.value, u)
	}
}

// isNamed reports whether a statistic of the script becomes a metric of its own.
func (r *statisticsRecorder) isNamed(st *statistic) bool {
	return st.Group == "script" && r.naming == namingName
}

// isCounter reports whether a statistic is monotonic. The server does not report that.
func (r *statisticsRecorder) isCounter(st *statistic) bool {
	switch {
	case strings.HasSuffix(st.Name, "_total"), moduleCounters[st.Key], r.counters.Matches(st.Key):
		return true
	case r.isNamed(st): // as the exporter that introduced these names
		return strings.HasSuffix(st.Name, "_seconds") || strings.HasSuffix(st.Name, "_bytes")
	}
	return strings.HasPrefix(st.Group, "ims_") && imsCounters.MatchString(st.Name)
}

// appendNamed appends the metrics that are named after statistics.
func (r *statisticsRecorder) appendNamed(metrics pmetric.MetricSlice) {
	for _, u := range r.named {
		appendMetric(metrics, "kamailio.script."+u.name, "A statistic of the script.", u.counter).AppendEmpty().SetIntValue(u.value)
	}
}
