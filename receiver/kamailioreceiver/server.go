// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// Here is what the server tells of itself as a whole, besides its statistics: transactions, connections, dialogs, pike.

func (s *scraper) recordTransactions(now pcommon.Timestamp, numbers map[string]int64) {
	if n, ok := numbers["delayed_free"]; ok {
		s.mb.RecordKamailioTransactionDelayedReleasesDataPoint(now, n)
	}
	if n, ok := numbers["freed"]; ok {
		s.mb.RecordKamailioTransactionReleasesDataPoint(now, n)
	}
	if active, ok := difference(numbers, "current", "waiting"); ok {
		numbers["active"] = active
	}
	if relayed, ok := difference(numbers, "rpl_sent", "rpl_generated"); ok {
		numbers["rpl_relayed"] = relayed
	}
	s.statistics.standIn(apiTransactions, numbers)
}

// difference returns what is left of a number without a part of it, unless one of them is missing or has wrapped around.
func difference(numbers map[string]int64, whole, part string) (rest int64, ok bool) {
	w, hasWhole := numbers[whole]
	p, hasPart := numbers[part]
	return w - p, hasWhole && hasPart && p <= w
}

func (s *scraper) recordTCP(now pcommon.Timestamp, numbers map[string]int64) {
	if n, ok := numbers["max_connections"]; ok {
		s.mb.RecordKamailioTCPConnectionLimitDataPoint(now, n)
	}
	if n, ok := numbers["readers"]; ok {
		s.mb.RecordKamailioTCPReaderCountDataPoint(now, n)
	}
	s.statistics.standIn(apiTCP, numbers)
}

func (s *scraper) recordDialogs(now pcommon.Timestamp, numbers map[string]int64) {
	for name, state := range metadata.MapAttributeKamailioDialogState {
		if n, ok := numbers[name]; ok {
			s.mb.RecordKamailioDialogCountDataPoint(now, n, state)
		}
	}
}

func (s *scraper) recordProfiles(now pcommon.Timestamp, sizes []profileSize) {
	for _, p := range sizes {
		s.mb.RecordKamailioDialogCountByProfileDataPoint(now, p.Dialogs, selection.Name(p.Profile), selection.Name(p.Value))
	}
}

// pikeStates are the states of an address as the server writes them.
var pikeStates = map[string]metadata.AttributeKamailioPikeState{
	"HOT":  metadata.AttributeKamailioPikeStateHot,
	"WARM": metadata.AttributeKamailioPikeStateWarm,
}

func (s *scraper) recordPike(now pcommon.Timestamp, counts map[string]int64) {
	for status, state := range pikeStates {
		s.mb.RecordKamailioPikeAddressCountDataPoint(now, counts[status], state)
	}
}
