// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

type (
	generated = metadata.MetricsBuilder
	builder   = rows.Builder[*generated]
	timestamp = pcommon.Timestamp
	// point records a number without attributes, or with fixed ones.
	point = rows.Point[*generated, rows.None]
)

// wholeOf returns the point of an integer metric with a fixed attribute value.
func wholeOf[A any](record func(*generated, timestamp, int64, A), a A) point {
	return rows.Whole(rows.With(record, a))
}

// methodRows are the rows for the reply to each method.
var methodRows = map[string]any{
	apiUptime:         serverUptime,
	apiStatistics:     allStatisticRows,
	apiTCP:            memberRows[apiTCP],
	apiTransactions:   memberRows[apiTransactions],
	apiDialogs:        memberRows[apiDialogs],
	apiProfileSize:    profileDialogs,
	apiProcesses:      []any{processCount, processRows},
	apiHtables:        htableRows,
	apiDispatcher:     []any{setCount, targetCount, targetState, targetProbing, latencyRows, targetRows},
	apiRTPEngines:     []any{relayWeight, relayRecheckDelay, relayStateCount, relayInfo},
	apiRTPEngineCalls: relayCalls,
	apiDMQ:            []any{nodeState, nodeFailures},
	apiDNSMemory:      []any{dnsCacheUsage, dnsCacheLimit},
	apiDNSStatistics:  memberRows[apiDNSStatistics],
	apiPeers:          memberRows[apiPeers],
	apiPipes:          pipeRows,
	apiSecfilter:      secfilterMatches,
	apiPike:           pikeRows,
}

var serverUptime = rows.Decimal((*generated).RecordKamailioUptimeDataPoint)

// memberRows are the rows for replies that are structs of numbers, by method and member.
var memberRows = map[string]map[string]point{
	apiTCP: {
		"max_connections": rows.Whole((*generated).RecordKamailioTCPConnectionLimitDataPoint),
		"readers":         rows.Whole((*generated).RecordKamailioTCPReaderCountDataPoint),
	},
	apiTransactions: {
		"delayed_free": rows.Whole((*generated).RecordKamailioTransactionDelayedReleasesDataPoint),
		"freed":        rows.Whole((*generated).RecordKamailioTransactionReleasesDataPoint),
	},
	apiDialogs: {
		"starting":   wholeOf((*generated).RecordKamailioDialogCountDataPoint, metadata.AttributeKamailioDialogStateStarting),
		"connecting": wholeOf((*generated).RecordKamailioDialogCountDataPoint, metadata.AttributeKamailioDialogStateConnecting),
		"answering":  wholeOf((*generated).RecordKamailioDialogCountDataPoint, metadata.AttributeKamailioDialogStateAnswering),
		"ongoing":    wholeOf((*generated).RecordKamailioDialogCountDataPoint, metadata.AttributeKamailioDialogStateOngoing),
	},
	apiDNSStatistics: {
		"dc_hits_cnt":     wholeOf((*generated).RecordKamailioDNSCacheHitsDataPoint, metadata.AttributeKamailioDNSCacheAnswerPositive),
		"dc_lru_cnt":      rows.Whole((*generated).RecordKamailioDNSCacheEvictionsDataPoint),
		"dc_neg_hits_cnt": wholeOf((*generated).RecordKamailioDNSCacheHitsDataPoint, metadata.AttributeKamailioDNSCacheAnswerNegative),
		"dns_req_cnt":     rows.Whole((*generated).RecordKamailioDNSCacheRequestsDataPoint),
	},
	apiPeers: {
		"incall_peers":     rows.Whole((*generated).RecordKamailioPeerstatePeerInCallCountDataPoint),
		"registered_peers": rows.Whole((*generated).RecordKamailioPeerstatePeerRegisteredCountDataPoint),
		"total_peers":      rows.Whole((*generated).RecordKamailioPeerstatePeerCountDataPoint),
	},
}

// pikeRows are the rows for the numbers of addresses that pike watches, by status.
var pikeRows = map[string]point{
	"HOT":  wholeOf((*generated).RecordKamailioPikeAddressCountDataPoint, metadata.AttributeKamailioPikeStateHot),
	"WARM": wholeOf((*generated).RecordKamailioPikeAddressCountDataPoint, metadata.AttributeKamailioPikeStateWarm),
}

var profileDialogs = rows.WholeOf(func(mb *generated, start timestamp, n int64, p *profileSize) {
	mb.RecordKamailioDialogCountByProfileDataPoint(start, n, p.Profile, p.Value)
})

// numberRow maps a number of a T, which may be absent.
type numberRow[T any] struct {
	of    func(*T) number
	Point rows.Point[*generated, *T]
}

// recordNumbers records the numbers of a T that are present.
func recordNumbers[T any](mb *builder, table []numberRow[T], t *T) {
	for i := range table {
		if n, ok := table[i].of(t).Get(); ok {
			table[i].Point.Record(mb, n, t)
		}
	}
}

var processCount = rows.Whole((*generated).RecordKamailioProcessCountDataPoint)

var processRows = []numberRow[process]{
	{func(p *process) number { return p.Size }, processPoint((*generated).RecordKamailioProcessMemoryLimitDataPoint)},
	{func(p *process) number { return p.Fragments }, processPoint((*generated).RecordKamailioProcessMemoryFragmentCountDataPoint)},
	{func(p *process) number { return p.Used }, processMemory(metadata.AttributeKamailioMemoryStateUsed)},
	{memoryOverhead, processMemory(metadata.AttributeKamailioMemoryStateOverhead)},
	{func(p *process) number { return p.Free }, processMemory(metadata.AttributeKamailioMemoryStateFree)},
}

func processPoint(record func(mb *generated, start timestamp, n, index int64, description string)) rows.Point[*generated, *process] {
	return rows.WholeOf(func(mb *generated, start timestamp, n int64, p *process) {
		record(mb, start, n, p.Index, p.Description)
	})
}

func processMemory(state metadata.AttributeKamailioMemoryState) rows.Point[*generated, *process] {
	return processPoint(func(mb *generated, start timestamp, n, index int64, description string) {
		mb.RecordKamailioProcessMemoryUsageDataPoint(start, n, index, description, state)
	})
}

var htableRows = []numberRow[htable]{
	{func(t *htable) number { return t.All }, htablePoint((*generated).RecordKamailioHtableItemCountDataPoint)},
	{func(t *htable) number { return t.Slots }, htablePoint((*generated).RecordKamailioHtableSlotCountDataPoint)},
	{func(t *htable) number { return t.Min }, htablePoint((*generated).RecordKamailioHtableSlotFillMinDataPoint)},
	{func(t *htable) number { return t.Max }, htablePoint((*generated).RecordKamailioHtableSlotFillMaxDataPoint)},
}

func htablePoint(record func(*generated, timestamp, int64, string)) rows.Point[*generated, *htable] {
	return rows.WholeOf(func(mb *generated, start timestamp, n int64, t *htable) { record(mb, start, n, t.Name) })
}

type dispatcherState = metadata.AttributeKamailioDispatcherState

// dispatcherStates are the states of a destination by the first letter of its flags.
var dispatcherStates = map[byte]dispatcherState{
	'A': metadata.AttributeKamailioDispatcherStateActive,
	'T': metadata.AttributeKamailioDispatcherStateTrying,
	'I': metadata.AttributeKamailioDispatcherStateInactive,
	'D': metadata.AttributeKamailioDispatcherStateDisabled,
}

// setInState holds the attributes of the number of destinations of a set in a state.
type setInState struct {
	set   string
	state dispatcherState
}

// targetInState holds the attributes of a destination's state.
type targetInState struct {
	set, uri string
	state    dispatcherState
}

// The points of the dispatcher's sets and destinations.
var (
	setCount    = rows.Whole((*generated).RecordKamailioDispatcherSetCountDataPoint)
	targetCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, of setInState) {
		mb.RecordKamailioDispatcherTargetCountDataPoint(start, n, of.set, of.state)
	})
	targetState = rows.WholeOf(func(mb *generated, start timestamp, n int64, of targetInState) {
		mb.RecordKamailioDispatcherTargetStateDataPoint(start, n, of.set, of.uri, of.state)
	})
	targetProbing = targetPoint((*generated).RecordKamailioDispatcherTargetProbingDataPoint)
)

// latencyRows are the rows for the latencies of a destination.
var latencyRows = []struct {
	of    func(*target) optional.Value[float64]
	Point rows.Point[*generated, *target]
}{
	{func(t *target) optional.Value[float64] { return t.Average }, latency((*generated).RecordKamailioDispatcherTargetLatencyAverageDataPoint)},
	{func(t *target) optional.Value[float64] { return t.Deviation }, latency((*generated).RecordKamailioDispatcherTargetLatencyDeviationDataPoint)},
	{func(t *target) optional.Value[float64] { return t.Estimate }, latency((*generated).RecordKamailioDispatcherTargetLatencyEstimateDataPoint)},
	{func(t *target) optional.Value[float64] { return t.Max }, latency((*generated).RecordKamailioDispatcherTargetLatencyMaxDataPoint)},
}

func latency(record func(*generated, timestamp, float64, string, string)) rows.Point[*generated, *target] {
	return rows.DecimalOf(func(mb *generated, start timestamp, v float64, t *target) { record(mb, start, v, t.Set, t.URI) }).In(rows.Milliseconds)
}

var targetRows = []numberRow[target]{
	{func(t *target) number { return t.Timeouts }, targetPoint((*generated).RecordKamailioDispatcherTargetTimeoutsDataPoint)},
	{func(t *target) number { return t.Dialogs }, targetPoint((*generated).RecordKamailioDispatcherTargetDialogCountDataPoint)},
	{func(t *target) number { return t.Reduction }, targetReduction},
}

var targetReduction = rows.DecimalOf(func(mb *generated, start timestamp, v float64, t *target) {
	mb.RecordKamailioDispatcherTargetOverloadReductionDataPoint(start, v, t.Set, t.URI)
}).In(rows.Percent).Within(0, 1)

func targetPoint(record func(*generated, timestamp, int64, string, string)) rows.Point[*generated, *target] {
	return rows.WholeOf(func(mb *generated, start timestamp, n int64, t *target) { record(mb, start, n, t.Set, t.URI) })
}

type rtpengineState = metadata.AttributeKamailioRtpengineState

// relayStates maps the known states of an rtpengine.
var relayStates = map[relayState]rtpengineState{
	relayEnabled:  metadata.AttributeKamailioRtpengineStateEnabled,
	relayDisabled: metadata.AttributeKamailioRtpengineStateDisabled,
	relayRemoved:  metadata.AttributeKamailioRtpengineStateDisabledPermanently,
}

// relayNode holds the attributes that identify an rtpengine.
type relayNode struct {
	set int64
	url string
}

// relayAttributes holds all attributes of an rtpengine.
type relayAttributes struct {
	relayNode
	index, weight int64
	state         rtpengineState
}

// The points of the rtpengines that Kamailio uses.
var (
	relayCalls  = rows.Whole((*generated).RecordKamailioRtpengineCallCountDataPoint)
	relayWeight = rows.WholeOf(func(mb *generated, start timestamp, n int64, of relayNode) {
		mb.RecordKamailioRtpengineNodeWeightDataPoint(start, n, of.set, of.url)
	})
	relayRecheckDelay = rows.DecimalOf(func(mb *generated, start timestamp, v float64, of relayNode) {
		mb.RecordKamailioRtpengineNodeRecheckDelayDataPoint(start, v, of.set, of.url)
	})
	relayStateCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, of relayAttributes) {
		mb.RecordKamailioRtpengineNodeStateDataPoint(start, n, of.set, of.url, of.state)
	})
	relayInfo = rows.WholeOf(func(mb *generated, start timestamp, n int64, of relayAttributes) {
		mb.RecordKamailioRtpengineNodeInfoDataPoint(start, n, of.set, of.url, of.index, of.weight, of.state)
	})
)

// nodeInState holds the attributes of the state of a node of the distributed message queue.
type nodeInState struct {
	node  string
	local bool
	state metadata.AttributeKamailioDmqState
}

var nodeState = rows.WholeOf(func(mb *generated, start timestamp, n int64, of nodeInState) {
	mb.RecordKamailioDmqNodeStateDataPoint(start, n, of.node, of.local, of.state)
})

var nodeFailures = rows.WholeOf(func(mb *generated, start timestamp, n int64, of nodeInState) {
	mb.RecordKamailioDmqNodeFailureCountDataPoint(start, n, of.node, of.local)
})

// The points of the DNS cache.
var (
	dnsCacheUsage = rows.Whole((*generated).RecordKamailioDNSCacheUsageDataPoint)
	dnsCacheLimit = rows.Whole((*generated).RecordKamailioDNSCacheLimitDataPoint)
)

// pipeRows are the rows for the pipes of the module pipelimit.
var pipeRows = []numberRow[pipe]{
	{func(p *pipe) number { return p.LastCount }, pipePoint((*generated).RecordKamailioPipelimitMessageCountDataPoint)},
	{messageLimit, pipePoint((*generated).RecordKamailioPipelimitMessageLimitDataPoint)},
}

func pipePoint(record func(*generated, timestamp, int64, string)) rows.Point[*generated, *pipe] {
	return rows.WholeOf(func(mb *generated, start timestamp, n int64, p *pipe) { record(mb, start, n, p.Name) })
}

// secfilterLists maps the lists of the module secfilter.
var secfilterLists = map[string]metadata.AttributeKamailioSecfilterList{
	"Blacklist": metadata.AttributeKamailioSecfilterListBlacklist,
	"Other":     metadata.AttributeKamailioSecfilterListOther,
	"Whitelist": metadata.AttributeKamailioSecfilterListWhitelist,
}

// secfilterFields maps the fields that the module secfilter checks.
var secfilterFields = map[string]metadata.AttributeKamailioSecfilterField{
	"Contact-Domain": metadata.AttributeKamailioSecfilterFieldContactDomain,
	"Contact-Name":   metadata.AttributeKamailioSecfilterFieldContactName,
	"Contact-User":   metadata.AttributeKamailioSecfilterFieldContactUser,
	"Country":        metadata.AttributeKamailioSecfilterFieldCountry,
	"Destination":    metadata.AttributeKamailioSecfilterFieldDestination,
	"From-Domain":    metadata.AttributeKamailioSecfilterFieldFromDomain,
	"From-Name":      metadata.AttributeKamailioSecfilterFieldFromName,
	"From-User":      metadata.AttributeKamailioSecfilterFieldFromUser,
	"IP-Address":     metadata.AttributeKamailioSecfilterFieldIPAddress,
	"SQL-Injection":  metadata.AttributeKamailioSecfilterFieldSQLInjection,
	"To-Domain":      metadata.AttributeKamailioSecfilterFieldToDomain,
	"To-Name":        metadata.AttributeKamailioSecfilterFieldToName,
	"To-User":        metadata.AttributeKamailioSecfilterFieldToUser,
	"User-Agent":     metadata.AttributeKamailioSecfilterFieldUserAgent,
}

// secfilterMatch holds the attributes of the number of matches.
type secfilterMatch struct {
	list  metadata.AttributeKamailioSecfilterList
	field metadata.AttributeKamailioSecfilterField
}

var secfilterMatches = rows.WholeOf(func(mb *generated, start timestamp, n int64, of secfilterMatch) {
	mb.RecordKamailioSecfilterMatchesDataPoint(start, n, of.list, of.field)
})
