// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"slices"

	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// coverageRecord records how many objects of the current snapshot have statistics.
type coverageRecord struct {
	mb         *builder
	report     *scrape.Report
	statistics []string            // requested statistics
	lists      [listCount]coverage // of the current snapshot
	warned     [listCount]bool     // the last coverage was too low for averages and extremes
}

// measurable are the lists whose objects have statistics, with the names of the statistics in a request.
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

// record records the coverage of the requested statistics and logs one warning while it is too low. It must be called before all
// records that depend on the coverage.
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
			c.report.Logger.Warn("too few objects have new statistics, and metrics over them are omitted: see mediasoup.agent.skipped.count, "+
				"and raise the option timeoutMs of the agent", zap.Stringer("kind", m.entity), zap.Float64("share", share))
		}
		c.warned[m.list] = insufficient
	}
}

// coverage counts the objects of a list and those that have statistics in the snapshot.
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

// correct applies the agent's own counts for a list. Objects that were created during the collection have no statistics and are not
// missing.
func (c *coverage) correct(collected *collection, list string) {
	if collected.Skipped != nil && collected.Errors != nil {
		c.listed = min(c.listed, c.measured+collected.Skipped[list]+collected.Errors[list])
	}
	if n, ok := collected.Fresh[list]; ok {
		c.fresh = min(n, c.listed)
	}
}

// sufficesForSums reports whether at least a quarter of the objects have statistics, which is enough for sums. Carried statistics
// count.
func (c *coverage) sufficesForSums() bool { return 4*c.measured >= c.listed }

// sufficesForFigures reports whether at least a quarter of the objects have new statistics, which is enough for averages and
// extremes.
func (c *coverage) sufficesForFigures() bool { return 4*c.fresh >= c.listed }
