// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// jigasiHealthy is the result of /about/health.
var jigasiHealthy = rows.Whole((*builder).RecordJitsiJigasiHealthyDataPoint)

// jigasiRows are the rows of a SIP gateway: keys of /about/stats, with their families on /metrics.
var jigasiRows = []row{
	{stats: "conferences", page: "conferences", recorder: whole((*builder).RecordJitsiJigasiConferenceCountDataPoint)},
	{stats: "conference_sizes", recorder: sizes((*builder).RecordJitsiJigasiConferenceCountBySizeDataPoint)},
	{stats: "total_conferences_completed", page: "total_conferences_completed", recorder: whole((*builder).RecordJitsiJigasiConferenceCompletionsDataPoint)},
	{stats: "total_conference_seconds", page: "total_conference_seconds", recorder: decimal((*builder).RecordJitsiJigasiConferenceTimeDataPoint)},
	{stats: "participants", page: "participants", recorder: whole((*builder).RecordJitsiJigasiParticipantCountDataPoint)},
	{stats: "total_participants", page: "total_participants", recorder: whole((*builder).RecordJitsiJigasiParticipantCreationsDataPoint)},
	{stats: "stress_level", page: "stress_level", recorder: decimal((*builder).RecordJitsiJigasiStressDataPoint)},
	{stats: "threads", page: "threads", recorder: whole((*builder).RecordJitsiJigasiThreadCountDataPoint)},
	{stats: "graceful_shutdown", page: "graceful_shutdown", recorder: yesNo((*builder).RecordJitsiJigasiGracefulShutdownDataPoint)},
	{stats: "total_count_dropped_media", page: "total_count_dropped_media", recorder: whole((*builder).RecordJitsiJigasiMediaDropsDataPoint)},
	{stats: "total_calls_with_dropped_media", page: "total_calls_with_dropped_media", recorder: wholeOf((*builder).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventDroppedMedia)},
	{stats: "total_calls_with_connection_failed", page: "total_calls_with_connection_failed", recorder: wholeOf((*builder).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventConnectionFailed)},
	{stats: "total_calls_with_sip_call_waiting", page: "total_calls_with_sip_call_waiting", recorder: wholeOf((*builder).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventSipCallWaiting)},
	{stats: "total_calls_with_sip_call_reconnected", page: "total_calls_with_sip_call_reconnected", recorder: wholeOf((*builder).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventSipCallReconnected)},
	{stats: "total_calls_with_jvb_migrate", page: "total_calls_with_jvb_migrate", recorder: wholeOf((*builder).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventJvbMigrate)},
	{stats: "total_calls_jvb_no_media", page: "total_calls_jvb_no_media", recorder: wholeOf((*builder).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventJvbNoMedia)},
	{stats: "total_calls_no_heartbeat_response", page: "total_calls_no_heartbeat_response", recorder: wholeOf((*builder).RecordJitsiJigasiCallEventsDataPoint, metadata.AttributeJitsiCallEventNoHeartbeatResponse)},
	{stats: "total_transcriber_started", page: "total_transcriber_started", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventStarted)},
	{stats: "total_transcriber_stopped", page: "total_transcriber_stopped", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventStopped)},
	{stats: "total_transcriber_failed", page: "total_transcriber_failed", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventFailed)},
	{stats: "total_transcriber_connection_retries", page: "total_transcriber_connection_retries", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionEventsDataPoint, metadata.AttributeJitsiTranscriptionEventConnectionRetry)},
	{stats: "total_transcriber_connection_errors", page: "total_transcriber_connection_errors", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeConnection)},
	{stats: "total_transcriber_no_result_errors", page: "total_transcriber_no_result_errors", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeNoResult)},
	{stats: "total_transcriber_send_errors", page: "total_transcriber_send_errors", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeSend)},
	{stats: "total_transcriber_session_creation_errors", page: "total_transcriber_session_creation_errors", recorder: wholeOf((*builder).RecordJitsiJigasiTranscriptionErrorsDataPoint, metadata.AttributeTranscriptionErrorTypeSessionCreation)},
	{stats: "total_transcriber_g_minutes", page: "total_transcriber_g_minutes", recorder: whole((*builder).RecordJitsiJigasiTranscriptionIntervalsDataPoint)},
	{stats: "total_transcriber_g_requests", page: "total_transcriber_g_requests", recorder: whole((*builder).RecordJitsiJigasiTranscriptionRequestsDataPoint)},
	{stats: "total_transcriber_ggl_millis", page: "total_transcriber_ggl_millis", unit: milliseconds, recorder: decimalOf((*builder).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendGoogle)},
	{stats: "total_transcriber_oci_millis", page: "total_transcriber_oci_millis", unit: milliseconds, recorder: decimalOf((*builder).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendOracle)},
	{stats: "total_transcriber_wsp_millis", page: "total_transcriber_wsp_millis", unit: milliseconds, recorder: decimalOf((*builder).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendWhisper)},
	{stats: "total_transcriber_vsk_millis", page: "total_transcriber_vsk_millis", unit: milliseconds, recorder: decimalOf((*builder).RecordJitsiJigasiTranscriptionTimeDataPoint, metadata.AttributeJitsiTranscriptionBackendVosk)},
}
