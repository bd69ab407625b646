// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// jibriRows are the rows of a recorder: keys of its health response, and families on /metrics, which is disabled by default.
var jibriRows = []row{
	{stats: "status.busyStatus", recorder: jibriState()},
	{stats: "status.health.healthStatus", page: "healthy", recorder: jibriHealth()},
	{stats: "status.health.details", recorder: jibriParts()},
	{page: "recording", recorder: yesNo((*generated).RecordJitsiJibriRecordingDataPoint)},
	{page: "busy", recorder: whole((*generated).RecordJitsiJibriRequestRejectionsDataPoint)},
	{page: "sessions_started", recorder: whole((*generated).RecordJitsiJibriSessionCreationsDataPoint)},
	{page: "sessions_stopped", recorder: whole((*generated).RecordJitsiJibriSessionCompletionsDataPoint)},
	{page: "stopped_on_xmpp_closed", recorder: whole((*generated).RecordJitsiJibriSessionAbortsDataPoint)},
	{page: "errors", recorder: whole((*generated).RecordJitsiJibriSessionErrorsDataPoint)},
	{page: "xmpp_connected", recorder: wholeOf((*generated).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventConnected)},
	{page: "xmpp_reconnecting", recorder: wholeOf((*generated).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventReconnecting)},
	{page: "xmpp_reconnection_failed", recorder: wholeOf((*generated).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventReconnectionFailed)},
	{page: "xmpp_ping_failed", recorder: wholeOf((*generated).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventPingFailed)},
	{page: "xmpp_closed", recorder: wholeOf((*generated).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventClosed)},
	{page: "xmpp_closed_on_error", recorder: wholeOf((*generated).RecordJitsiJibriXMPPEventsDataPoint, metadata.AttributeJitsiXMPPEventClosedOnError)},
}

func jibriState() recorder {
	return recorder{kind: kindText, record: recordJibriState, Point: rows.WholeOf(func(mb *generated, start timestamp, n int64, state string) {
		mb.RecordJitsiJibriStateDataPoint(start, n, metadata.MapAttributeJitsiJibriState[state])
	})}
}

func jibriParts() recorder {
	return recorder{kind: kindParts, Point: rows.WholeOf((*generated).RecordJitsiJibriComponentHealthyDataPoint)}
}

func jibriHealth() recorder {
	r := whole((*generated).RecordJitsiJibriHealthyDataPoint)
	r.kind, r.record = kindText, recordJibriHealth
	return r
}
