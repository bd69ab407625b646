// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// jigasiHealthy is the result of /about/health.
var jigasiHealthy = rows.Whole((*generated).RecordJitsiJigasiHealthyDataPoint)

// jigasiRows are the rows of a SIP gateway: keys of /about/stats, with their families on /metrics.
var jigasiRows = []row{
	{stats: "conferences", page: "conferences", recorder: whole((*generated).RecordJitsiJigasiConferenceCountDataPoint)},
	{stats: "conference_sizes", recorder: sizes((*generated).RecordJitsiJigasiConferenceCountBySizeDataPoint)},
	{stats: "total_conferences_completed", page: "total_conferences_completed", recorder: whole((*generated).RecordJitsiJigasiConferenceCompletionsDataPoint)},
	{stats: "total_conference_seconds", page: "total_conference_seconds", recorder: decimal((*generated).RecordJitsiJigasiConferenceTimeDataPoint)},
	{stats: "participants", page: "participants", recorder: whole((*generated).RecordJitsiJigasiParticipantCountDataPoint)},
	{stats: "total_participants", page: "total_participants", recorder: whole((*generated).RecordJitsiJigasiParticipantCreationsDataPoint)},
	{stats: "stress_level", page: "stress_level", recorder: decimal((*generated).RecordJitsiJigasiStressDataPoint)},
	{stats: "threads", page: "threads", recorder: whole((*generated).RecordJitsiJigasiThreadCountDataPoint)},
	{stats: "graceful_shutdown", page: "graceful_shutdown", recorder: yesNo((*generated).RecordJitsiJigasiGracefulShutdownDataPoint)},
	{stats: "total_count_dropped_media", page: "total_count_dropped_media", recorder: whole((*generated).RecordJitsiJigasiMediaDropsDataPoint)},
	{stats: "total_calls_with_dropped_media", page: "total_calls_with_dropped_media", recorder: wholeOf((*generated).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventDroppedMedia)},
	{stats: "total_calls_with_connection_failed", page: "total_calls_with_connection_failed", recorder: wholeOf((*generated).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventConnectionFailed)},
	{stats: "total_calls_with_sip_call_waiting", page: "total_calls_with_sip_call_waiting", recorder: wholeOf((*generated).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventSipCallWaiting)},
	{stats: "total_calls_with_sip_call_reconnected", page: "total_calls_with_sip_call_reconnected", recorder: wholeOf((*generated).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventSipCallReconnected)},
	{stats: "total_calls_with_jvb_migrate", page: "total_calls_with_jvb_migrate", recorder: wholeOf((*generated).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventJvbMigrate)},
	{stats: "total_calls_jvb_no_media", page: "total_calls_jvb_no_media", recorder: wholeOf((*generated).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventJvbNoMedia)},
	{stats: "total_calls_no_heartbeat_response", page: "total_calls_no_heartbeat_response", recorder: wholeOf((*generated).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventNoHeartbeatResponse)},
	{stats: "total_transcriber_started", page: "total_transcriber_started", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventStarted)},
	{stats: "total_transcriber_stopped", page: "total_transcriber_stopped", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventStopped)},
	{stats: "total_transcriber_failed", page: "total_transcriber_failed", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventFailed)},
	{stats: "total_transcriber_connection_retries", page: "total_transcriber_connection_retries", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventConnectionRetry)},
	{stats: "total_transcriber_connection_errors", page: "total_transcriber_connection_errors", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeConnection)},
	{stats: "total_transcriber_no_result_errors", page: "total_transcriber_no_result_errors", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeNoResult)},
	{stats: "total_transcriber_send_errors", page: "total_transcriber_send_errors", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeSend)},
	{stats: "total_transcriber_session_creation_errors", page: "total_transcriber_session_creation_errors", recorder: wholeOf((*generated).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeSessionCreation)},
	{stats: "total_transcriber_g_minutes", page: "total_transcriber_g_minutes", recorder: whole((*generated).RecordJitsiJigasiTranscriptionIntervalsDataPoint)},
	{stats: "total_transcriber_g_requests", page: "total_transcriber_g_requests", recorder: whole((*generated).RecordJitsiJigasiTranscriptionRequestsDataPoint)},
	{stats: "total_transcriber_ggl_millis", page: "total_transcriber_ggl_millis", unit: milliseconds, recorder: decimalOf((*generated).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendGoogle)},
	{stats: "total_transcriber_oci_millis", page: "total_transcriber_oci_millis", unit: milliseconds, recorder: decimalOf((*generated).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendOracle)},
	{stats: "total_transcriber_wsp_millis", page: "total_transcriber_wsp_millis", unit: milliseconds, recorder: decimalOf((*generated).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendWhisper)},
	{stats: "total_transcriber_vsk_millis", page: "total_transcriber_vsk_millis", unit: milliseconds, recorder: decimalOf((*generated).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendVosk)},
}
