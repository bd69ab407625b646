// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"slices"

	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// measurable are the lists whose objects have statistics, and what ?stats= calls these.
var measurable = []struct {
	list   int
	stats  string
	entity metadata.AttributeRtcEntity
}{
	{listWorkers, "workers", metadata.AttributeRtcEntityWorker},
	{listTransports, "transports", metadata.AttributeRtcEntityTransport},
	{listProducers, "producers", metadata.AttributeRtcEntityProducer},
	{listConsumers, "consumers", metadata.AttributeRtcEntityConsumer},
	{listDataProducers, "data", metadata.AttributeRtcEntityDataProducer},
	{listDataConsumers, "data", metadata.AttributeRtcEntityDataConsumer},
}

// coverage counts the objects of a list, and those of them whose statistics the snapshot has.
type coverage struct {
	listed   int64
	measured int64 // with statistics
	fresh    int64 // with statistics that are not of an earlier snapshot
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

// settle applies the agent's own counts of a list. Objects that were created during the collection have no statistics and are not missing.
func (c *coverage) settle(told *collection, list string) {
	if told.Skipped != nil && told.Errors != nil {
		c.listed = min(c.listed, c.measured+told.Skipped[list]+told.Errors[list])
	}
	if n, ok := told.Fresh[list]; ok {
		c.fresh = min(n, c.listed)
	}
}

func (c *coverage) share() float64 { return float64(c.fresh) / float64(c.listed) }

// forSums reports whether a sum over the objects may stand for all of them: with a quarter. Carried statistics are good enough.
func (c *coverage) forSums() bool { return 4*c.measured >= c.listed }

// forFigures reports whether averages and extremes may stand for all objects.
func (c *coverage) forFigures() bool { return 4*c.fresh >= c.listed }

// settleCoverage must come before anything that depends on the coverage is recorded.
func (s *scraper) settleCoverage() {
	for i := range measurable {
		list := measurable[i].list
		s.coverage[list].settle(&s.told.Collection, lists[list].name)
	}
}

// recordCoverage records of how many objects the statistics that were asked for came, and warns once while they are too few.
func (s *scraper) recordCoverage() {
	for _, m := range measurable {
		c := &s.coverage[m.list]
		if c.listed == 0 || !slices.Contains(s.stats, m.stats) {
			continue
		}
		s.mb.RecordMediasoupAgentCoverageDataPoint(s.now, c.share(), m.entity)
		if few := !c.forFigures(); few != s.few[m.list] {
			s.few[m.list] = few
			if few {
				s.set.Logger.Warn("too few objects have new statistics, and figures over them are left out: see mediasoup.agent.skipped.count, "+
					"and raise the option timeoutMs of the agent", zap.Stringer("kind", m.entity), zap.Float64("share", c.share()))
			}
		}
	}
}
