// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// dataRecord records data producers and data consumers.
type dataRecord struct {
	mb       *builder
	report   *scrape.Report
	coverage *coverageRecord

	deltas   *cumulative.DeltaTracker
	increase [dataCounters]int64      // reused
	sums     [roles][dataCounters]sum // since the first snapshot
	counts   [roles]tally[dataType]   // of the current snapshot
	buffered sum                      // of the current snapshot
	key      []byte                   // reused
}

func newDataRecord(mb *builder, report *scrape.Report, coverage *coverageRecord) *dataRecord {
	return &dataRecord{
		mb: mb, report: report, coverage: coverage,
		deltas: cumulative.NewDeltaTracker(cumulative.Monotonic, cumulative.Monotonic), counts: [roles]tally[dataType]{{}, {}},
	}
}

func (d *dataRecord) begin() {
	d.deltas.Begin()
	d.buffered = sum{}
	for _, counts := range d.counts {
		counts.begin()
	}
}

// dataRoleOf describes data producers and data consumers.
var dataRoleOf = [roles]struct {
	entity entity
	list   int
}{
	producers: {metadata.AttributeRtcEntityDataProducer, listDataProducers},
	consumers: {metadata.AttributeRtcEntityDataConsumer, listDataConsumers},
}

// add counts a data producer or data consumer. If several on a transport have the same ID, the first one is used.
func (d *dataRecord) add(r role, o *dataObject) {
	d.key = appendKey(d.key[:0], r, o.TransportID, o.ID)
	object, first := d.deltas.Object(d.key, o.Measured)
	if !first {
		d.report.Omit(dataRoleOf[r].entity, metadata.AttributeRtcOmissionReasonMerged, 1)
		return
	}
	d.counts[r].add(enum(metadata.MapAttributeMediasoupDataType, o.Type, metadata.AttributeMediasoupDataTypeUnknown), 1)
	d.coverage.lists[dataRoleOf[r].list].add(o.Measured, o.Carried)
	if o.Measured {
		object.Add(0, o.Counters[:], d.increase[:])
		for i, n := range d.increase {
			d.sums[r][i].add(d.report, n, o.Counters[i] != cumulative.Absent)
		}
	}
	if r == consumers {
		n, ok := o.Buffered.Get()
		d.buffered.add(d.report, n, ok)
	}
}

func (d *dataRecord) record() {
	to := &dataRows.Measured
	for r := range d.sums {
		d.counts[r].record(d.mb, dataRows.Count[r])
		for i := range d.sums[r] {
			recordSum(d.mb, to.Sums[r][i], &d.sums[r][i], none{})
		}
	}
	if d.coverage.lists[listDataConsumers].sufficesForSums() {
		recordSum(d.mb, to.Buffered, &d.buffered, none{})
	}
}
