// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

type dataType = metadata.AttributeMediasoupDataType

// dataRole says what becomes of data producers, and of data consumers.
var dataRole = [roles]struct {
	entity    metadata.AttributeRtcEntity
	list      int
	direction direction
	count     func(*builder, pcommon.Timestamp, int64, dataType)
}{
	producers: {
		metadata.AttributeRtcEntityDataProducer, listDataProducers, metadata.AttributeNetworkIoDirectionReceive,
		(*builder).RecordMediasoupDataProducerCountDataPoint,
	},
	consumers: {
		metadata.AttributeRtcEntityDataConsumer, listDataConsumers, metadata.AttributeNetworkIoDirectionTransmit,
		(*builder).RecordMediasoupDataConsumerCountDataPoint,
	},
}

// dataSums records the counters of data producers and consumers.
var dataSums = [dataCounters]func(*builder, pcommon.Timestamp, int64, direction){
	dataMessages: (*builder).RecordMediasoupDataMessagesDataPoint,
	dataBytes:    (*builder).RecordMediasoupDataIoDataPoint,
}

// dataChannels turns data producers and data consumers into metrics.
type dataChannels struct {
	*scraper
	growth   *cumulative.Growth
	increase [dataCounters]int64
	key      []byte

	sums [roles][dataCounters]sum // since the first snapshot

	// All that follows is of the current snapshot.
	counts   [roles]tally[dataType]
	buffered sum
}

func newDataChannels(s *scraper) *dataChannels {
	d := &dataChannels{scraper: s, growth: cumulative.NewGrowth(cumulative.Monotonic, cumulative.Monotonic)}
	d.reset()
	return d
}

// reset forgets everything: the application has started again.
func (d *dataChannels) reset() {
	d.growth.Reset()
	d.sums = [roles][dataCounters]sum{}
	d.counts = [roles]tally[dataType]{{}, {}}
}

func (d *dataChannels) begin() {
	d.growth.Begin()
	d.buffered = sum{}
	for _, counts := range d.counts {
		counts.begin()
	}
}

// add takes one data producer or data consumer.
func (d *dataChannels) add(r role, o *dataObject) {
	d.key = appendKey(d.key[:0], r, o.TransportID, o.ID)
	object, first := d.growth.Object(d.key, o.Measured)
	if !first {
		d.merged(dataRole[r].entity)
		return
	}
	d.counts[r].add(enum(metadata.MapAttributeMediasoupDataType, o.Type, metadata.AttributeMediasoupDataTypeUnknown), 1)
	d.coverage[dataRole[r].list].add(o.Measured, o.Carried)
	if o.Measured {
		object.Add(0, o.Counters[:], d.increase[:])
		for i := range d.increase {
			d.addTo(&d.sums[r][i], d.increase[i], o.Counters[i] != cumulative.Absent)
		}
	}
	if r == consumers {
		n, ok := o.Buffered.Get()
		d.addTo(&d.buffered, n, ok)
	}
}

func (d *dataChannels) record() {
	for r, role := range dataRole {
		for kind, n := range d.counts[r] {
			role.count(d.mb, d.now, n, kind)
		}
		for i, record := range dataSums {
			if d.sums[r][i].told {
				record(d.mb, d.now, d.sums[r][i].value, role.direction)
			}
		}
	}
	if d.buffered.told && d.coverage[listDataConsumers].forSums() {
		d.mb.RecordMediasoupDataBufferSizeDataPoint(d.now, d.buffered.value)
	}
}
