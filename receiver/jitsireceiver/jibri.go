// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// jibriRows are the facts of a recorder: keys of its health, and families on /metrics, which is off by default.
var jibriRows = []row{
	{stats: "status.busyStatus", recorder: recorder{kind: kindWord, record: recordJibriState}},
	{stats: "status.health.healthStatus", page: "healthy", recorder: recorder{kind: kindWord, record: recordJibriHealth}},
	{page: "recording", recorder: yesNo((*builder).RecordJitsiJibriRecordingDataPoint)},
	{page: "busy", recorder: whole((*builder).RecordJitsiJibriRequestRejectionsDataPoint)},
	{page: "sessions_started", recorder: whole((*builder).RecordJitsiJibriSessionCreationsDataPoint)},
	{page: "sessions_stopped", recorder: whole((*builder).RecordJitsiJibriSessionCompletionsDataPoint)},
	{page: "stopped_on_xmpp_closed", recorder: whole((*builder).RecordJitsiJibriSessionAbortsDataPoint)},
	{page: "errors", recorder: whole((*builder).RecordJitsiJibriSessionErrorsDataPoint)},
	{page: "xmpp_connected", recorder: wholeOf((*builder).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventConnected)},
	{page: "xmpp_reconnecting", recorder: wholeOf((*builder).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventReconnecting)},
	{page: "xmpp_reconnection_failed", recorder: wholeOf((*builder).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventReconnectionFailed)},
	{page: "xmpp_ping_failed", recorder: wholeOf((*builder).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventPingFailed)},
	{page: "xmpp_closed", recorder: wholeOf((*builder).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventClosed)},
	{page: "xmpp_closed_on_error", recorder: wholeOf((*builder).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventClosedOnError)},
}

// jibriStates are the values of busyStatus.
var jibriStates = map[string]metadata.AttributeJitsiJibriState{
	"IDLE":    metadata.AttributeJitsiJibriStateIdle,
	"BUSY":    metadata.AttributeJitsiJibriStateBusy,
	"EXPIRED": metadata.AttributeJitsiJibriStateExpired,
}

func recordJibriState(p *process, now timestamp, f *fact) {
	current, known := jibriStates[f.word]
	if !known {
		current = metadata.AttributeJitsiJibriStateUnknown
	}
	for _, state := range metadata.MapAttributeJitsiJibriState {
		p.mb.RecordJitsiJibriStateDataPoint(now, scrape.Number(state == current), state)
	}
}

// recordJibriHealth knows the words of the health and the number of the page.
func recordJibriHealth(p *process, now timestamp, f *fact) {
	p.mb.RecordJitsiJibriHealthyDataPoint(now, scrape.Number(f.word == "HEALTHY" || f.word == "1"))
}
