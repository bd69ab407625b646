// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"slices"

	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// coverageRecord records of how many objects the current snapshot has statistics.
type coverageRecord struct {
	mb         *builder
	report     *scrape.Report
	statistics []string            // that are requested
	lists      [listCount]coverage // of the current snapshot
	warned     [listCount]bool     // the last coverage of the list did not suffice for figures
}

// measurable are the lists whose objects have statistics, with the name of these in a request.
var measurable = []struct {
	list       int
	statistics string
	entity     entity
}{
	{listWorkers, "workers", metadata.AttributeRtcEntityWorker},
	{listTransports, "transports", metadata.AttributeRtcEntityTransport},
	{listProducers, "producers", metadata.AttributeRtcEntityProducer},
	{listConsumers, "consumers", metadata.AttributeRtcEntityConsumer},
	{listDataProducers, "data", metadata.AttributeRtcEntityDataProducer},
	{listDataConsumers, "data", metadata.AttributeRtcEntityDataConsumer},
}

func (c *coverageRecord) begin() { c.lists = [listCount]coverage{} }

// record records the coverage of the requested statistics, and warns once while it does not suffice. It comes before all records that
// depend on the coverage.
func (c *coverageRecord) record(collected *collection) {
	for _, m := range measurable {
		of := &c.lists[m.list]
		of.correct(collected, lists[m.list].name)
		if of.listed == 0 || !slices.Contains(c.statistics, m.statistics) {
			continue
		}
		share := float64(of.fresh) / float64(of.listed)
		collectionRows.Coverage.RecordFloat(c.mb, share, m.entity)
		insufficient := !of.sufficesForFigures()
		if insufficient && !c.warned[m.list] {
			c.report.Logger.Warn("too few objects have new statistics, and figures over them are left out: see mediasoup.agent.skipped.count, "+
				"and raise the option timeoutMs of the agent", zap.Stringer("kind", m.entity), zap.Float64("share", share))
		}
		c.warned[m.list] = insufficient
	}
}

// coverage counts the objects of a list, and those of them whose statistics the snapshot has.
type coverage struct {
	listed   int64
	measured int64 // with statistics
	fresh    int64 // with statistics that are not carried over from an earlier snapshot
}

func (c *coverage) add(measured, carried bool) {
	c.listed++
	if measured {
		c.measured++
	}
	if measured && !carried {
		c.fresh++
	}
}

// correct applies the agent's own counts of a list. Objects that were created during the collection have no statistics and are not missing.
func (c *coverage) correct(collected *collection, list string) {
	if collected.Skipped != nil && collected.Errors != nil {
		c.listed = min(c.listed, c.measured+collected.Skipped[list]+collected.Errors[list])
	}
	if n, ok := collected.Fresh[list]; ok {
		c.fresh = min(n, c.listed)
	}
}

// sufficesForSums reports whether a sum may stand for all objects, which takes a quarter of them. Carried statistics count.
func (c *coverage) sufficesForSums() bool { return 4*c.measured >= c.listed }

// sufficesForFigures reports whether averages and extremes may stand for all objects, which takes new statistics of a quarter of them.
func (c *coverage) sufficesForFigures() bool { return 4*c.fresh >= c.listed }
