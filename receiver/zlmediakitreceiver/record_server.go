// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

func recordThreads(mb *builder, pool threadPool, threads []thread) {
	threadCount.Record(mb, int64(len(threads)), pool)
	for i := range threads {
		t := &threads[i]
		recordRows(threadRows, mb, t, threadID{pool, selection.Name(t.Name)})
	}
}

func isObjectType(class string) bool {
	_, known := objectTypes[class]
	return known
}

func recordStatistic(mb *builder, s statistic) {
	recordRows(statisticRows, mb, &s, rows.None{})
	for class, n := range s.Objects {
		objectCount.Record(mb, n, objectTypes[class])
	}
	threads := map[string]int64{} // several threads may have the same name
	for _, t := range s.Threads {
		if n, ok := t.Bytes.Get(); ok {
			name := selection.Name(t.Name)
			threads[name], _ = cumulative.Add(threads[name], n)
		}
	}
	for name, n := range threads {
		threadMemoryUsage.Record(mb, n, name)
	}
}

// recordAPIs records the APIs that the server offers, unless apis is nil because they are unknown.
func recordAPIs(mb *builder, apis []string) {
	if apis == nil {
		return
	}
	offeredAPICount.Record(mb, int64(len(apis)), rows.None{})
	for _, api := range apis {
		offeredAPI.Record(mb, 1, selection.Name(api))
	}
}

// recordRTPLimit records how many RTP servers fit into a range of ports: each takes an even port for RTP and the next odd one for RTCP.
func recordRTPLimit(mb *builder, ports string) {
	from, to, _ := strings.Cut(ports, "-")
	first, err := strconv.ParseUint(from, 10, 16)
	if err != nil {
		return
	}
	last, err := strconv.ParseUint(to, 10, 16)
	if err != nil || last < first {
		return
	}
	rtpServerLimit.Record(mb, int64(last/2)-int64((first+1)/2), rows.None{})
}
