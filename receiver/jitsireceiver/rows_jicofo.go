// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// jicofoRows are the rows of the focus: keys of /stats since 2021, with their families on /metrics.
var jicofoRows = slices.Concat([]row{
	// Identity and health.
	{stats: "version", page: "version_info{version}", recorder: keep(version)},
	{stats: "healthy", page: "healthy", recorder: yesNo((*generated).RecordJitsiJicofoHealthyDataPoint)},
	{stats: "slow_health_check", recorder: whole((*generated).RecordJitsiJicofoSlowHealthChecksDataPoint)},
	{stats: "threads", page: "threads", recorder: whole((*generated).RecordJitsiJicofoThreadCountDataPoint)},
	{page: "xmpp_disconnects", recorder: whole((*generated).RecordJitsiJicofoXMPPDisconnectionsDataPoint)},
	// Conferences and participants.
	{stats: "conferences", page: "conferences", recorder: whole((*generated).RecordJitsiJicofoConferenceCountDataPoint)},
	{stats: "conferences_with_visitors", page: "conferences_with_visitors", recorder: whole((*generated).RecordJitsiJicofoConferenceWithVisitorsCountDataPoint)},
	{stats: "largest_conference", page: "largest_conference", recorder: whole((*generated).RecordJitsiJicofoConferenceSizeMaxDataPoint)},
	{stats: "conference_sizes", recorder: sizes((*generated).RecordJitsiJicofoConferenceCountBySizeDataPoint)},
	{stats: "total_conferences_created", page: "conferences_created", recorder: whole((*generated).RecordJitsiJicofoConferenceCreationsDataPoint)},
	{page: "conferences_seconds", recorder: decimal((*generated).RecordJitsiJicofoConferenceTimeDataPoint)},
	{page: "conference_requests", recorder: whole((*generated).RecordJitsiJicofoConferenceRequestsDataPoint)},
	{page: "conference_requests_new", recorder: whole((*generated).RecordJitsiJicofoConferenceNewRequestsDataPoint)},
	{stats: "participants", page: "participants_current", recorder: whole((*generated).RecordJitsiJicofoParticipantCountDataPoint)},
	{stats: "visitors", page: "visitors_current", recorder: whole((*generated).RecordJitsiJicofoVisitorCountDataPoint)},
	{stats: "endpoint_pairs", page: "participants_pairs", recorder: whole((*generated).RecordJitsiJicofoParticipantPairCountDataPoint)},
	{stats: "total_participants", page: "participants", recorder: whole((*generated).RecordJitsiJicofoParticipantCreationsDataPoint)},
	{stats: "bridge_failures.participants_moved", page: "participants_moved", recorder: whole((*generated).RecordJitsiJicofoParticipantMovesDataPoint)},
	{stats: "participant_notifications.ice_failed", page: "participants_ice_failed", recorder: wholeOf((*generated).RecordJitsiJicofoParticipantNotificationsDataPoint, metadata.AttributeJitsiNotificationTypeIceFailed)},
	{stats: "participant_notifications.request_restart", page: "participants_restart_requested", recorder: wholeOf((*generated).RecordJitsiJicofoParticipantNotificationsDataPoint, metadata.AttributeJitsiNotificationTypeRestartRequested)},
	{page: "participants_no_start_muted_rmd", recorder: whole((*generated).RecordJitsiJicofoParticipantNoStartMutedJoinsDataPoint)},
	{page: "endpoint_seconds", recorder: decimal((*generated).RecordJitsiJicofoEndpointTimeDataPoint)},
	{page: "ice_restarts_requested", recorder: whole((*generated).RecordJitsiJicofoIceRestartRequestsDataPoint)},
	{page: "ice_restarts_relayed", recorder: wholeOf((*generated).RecordJitsiJicofoIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeRelayed)},
	{page: "ice_restarts_not_needed", recorder: wholeOf((*generated).RecordJitsiJicofoIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeNotNeeded)},
	{page: "ice_restarts_failed", recorder: wholeOf((*generated).RecordJitsiJicofoIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeFailed)},
	// Bridges.
	{stats: "bridge_selector.bridge_count", page: "bridge_selector_bridge_count", recorder: whole((*generated).RecordJitsiJicofoBridgeCountDataPoint)},
	{stats: "bridge_selector.operational_bridge_count", page: "bridge_selector_bridge_count_operational", recorder: whole((*generated).RecordJitsiJicofoBridgeOperationalCountDataPoint)},
	{stats: "bridge_selector.in_shutdown_bridge_count", page: "bridge_selector_bridge_count_in_shutdown", recorder: whole((*generated).RecordJitsiJicofoBridgeShuttingDownCountDataPoint)},
	{stats: "bridge_selector.bridge_version_count", page: "bridge_selector_bridge_version_count", recorder: whole((*generated).RecordJitsiJicofoBridgeVersionCountDataPoint)},
	{stats: "bridge_selector.lost_bridges", page: "bridge_selector_lost_bridges", recorder: whole((*generated).RecordJitsiJicofoBridgeLossesDataPoint)},
	{stats: "bridge_failures.bridges_removed", page: "bridges_removed", recorder: whole((*generated).RecordJitsiJicofoBridgeRemovalsDataPoint)},
	{page: "bridge_selection_rate_limited", recorder: whole((*generated).RecordJitsiJicofoBridgeRateLimitedSelectionsDataPoint)},
	{page: "load_redistributor_endpoints_moved", recorder: whole((*generated).RecordJitsiJicofoLoadRedistributorMovesDataPoint)},
	{page: "bridge_endpoints{jvb}", recorder: each(metadata.AttributeRtcEntityBridge, (*generated).RecordJitsiJicofoBridgeEndpointCountDataPoint)},
	{page: "bridge_endpoints_moved{jvb}", recorder: each(metadata.AttributeRtcEntityBridge, (*generated).RecordJitsiJicofoBridgeEndpointMovesDataPoint)},
	{page: "bridge_failing_ice{jvb}", recorder: each(metadata.AttributeRtcEntityBridge, (*generated).RecordJitsiJicofoBridgeFailingIceDataPoint)},
	{page: "bridge_restart_requests{jvb}", recorder: each(metadata.AttributeRtcEntityBridge, (*generated).RecordJitsiJicofoBridgeRestartRequestsDataPoint)},
	// Jibri and Jigasi. Failures of Jibri used to be top-level keys.
	{stats: "jibri.sip_call_active", page: "jibri_sip_active", recorder: wholeOf((*generated).RecordJitsiJicofoJibriSessionCountDataPoint, metadata.AttributeJitsiJibriModeSipCall)},
	{stats: "jibri.sip_call_pending", recorder: wholeOf((*generated).RecordJitsiJicofoJibriSessionPendingCountDataPoint, metadata.AttributeJitsiJibriModeSipCall)},
	{stats: "jibri.total_sip_call_failures total_sip_call_failures", page: "jibri_sip_failures", recorder: wholeOf((*generated).RecordJitsiJicofoJibriFailuresDataPoint, metadata.AttributeJitsiJibriModeSipCall)},
	{stats: "jibri.live_streaming_active", page: "jibri_live_streaming_active", recorder: wholeOf((*generated).RecordJitsiJicofoJibriSessionCountDataPoint, metadata.AttributeJitsiJibriModeLiveStreaming)},
	{stats: "jibri.live_streaming_pending", recorder: wholeOf((*generated).RecordJitsiJicofoJibriSessionPendingCountDataPoint, metadata.AttributeJitsiJibriModeLiveStreaming)},
	{stats: "jibri.total_live_streaming_failures total_live_streaming_failures", page: "jibri_live_streaming_failures", recorder: wholeOf((*generated).RecordJitsiJicofoJibriFailuresDataPoint, metadata.AttributeJitsiJibriModeLiveStreaming)},
	{stats: "jibri.recording_active", page: "jibri_recording_active", recorder: wholeOf((*generated).RecordJitsiJicofoJibriSessionCountDataPoint, metadata.AttributeJitsiJibriModeRecording)},
	{stats: "jibri.recording_pending", recorder: wholeOf((*generated).RecordJitsiJicofoJibriSessionPendingCountDataPoint, metadata.AttributeJitsiJibriModeRecording)},
	{stats: "jibri.total_recording_failures total_recording_failures", page: "jibri_recording_failures", recorder: wholeOf((*generated).RecordJitsiJicofoJibriFailuresDataPoint, metadata.AttributeJitsiJibriModeRecording)},
	{page: "jibri_no_instance_failures", recorder: whole((*generated).RecordJitsiJicofoJibriNoInstanceFailuresDataPoint)},
	{stats: "jibri_detector.count", page: "jibri_instances", recorder: wholeOf((*generated).RecordJitsiJicofoJibriInstanceCountDataPoint, metadata.AttributeJitsiJibriPoolJibri)},
	{stats: "jibri_detector.available", page: "jibri_instances_available", recorder: wholeOf((*generated).RecordJitsiJicofoJibriInstanceAvailableCountDataPoint, metadata.AttributeJitsiJibriPoolJibri)},
	{stats: "sip_jibri_detector.count", page: "sip_jibri_instances", recorder: wholeOf((*generated).RecordJitsiJicofoJibriInstanceCountDataPoint, metadata.AttributeJitsiJibriPoolSipJibri)},
	{stats: "sip_jibri_detector.available", page: "sip_jibri_instances_available", recorder: wholeOf((*generated).RecordJitsiJicofoJibriInstanceAvailableCountDataPoint, metadata.AttributeJitsiJibriPoolSipJibri)},
	{stats: "jigasi_detector.sip_count", page: "jigasi_sip_count", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiInstanceCountDataPoint, metadata.AttributeJitsiJigasiRoleSip)},
	{stats: "jigasi_detector.transcriber_count", page: "jigasi_transcriber_count", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiInstanceCountDataPoint, metadata.AttributeJitsiJigasiRoleTranscriber)},
	{stats: "jigasi_detector.sip_in_graceful_shutdown_count", page: "jigasi_sip_in_graceful_shutdown_count", recorder: whole((*generated).RecordJitsiJicofoJigasiInstanceShuttingDownCountDataPoint)},
	{stats: "jigasi.accepted_requests", page: "jigasi_iq_handler_accepted_requests", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiRequestsDataPoint, metadata.AttributeJitsiRequestOutcomeAccepted)},
	{stats: "jigasi.rejected_requests", page: "jigasi_iq_handler_rejected_requests", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiRequestsDataPoint, metadata.AttributeJitsiRequestOutcomeRejected)},
	{stats: "jigasi.retries", page: "jigasi_iq_handler_retries", recorder: whole((*generated).RecordJitsiJicofoJigasiRetriesDataPoint)},
	{stats: "jigasi.instance_errors", page: "jigasi_iq_handler_instance_errors", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiErrorsDataPoint, metadata.AttributeJigasiErrorTypeInstanceError)},
	{stats: "jigasi.instance_timeouts jigasi.instance_timeout", page: "jigasi_iq_handler_instance_timeouts", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiErrorsDataPoint, metadata.AttributeJigasiErrorTypeInstanceTimeout)},
	{stats: "jigasi.requests_failed_no_instance", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiErrorsDataPoint, metadata.AttributeJigasiErrorTypeNoInstance)},
	{stats: "jigasi.requests_failed_xmpp_not_connected", recorder: wholeOf((*generated).RecordJitsiJicofoJigasiErrorsDataPoint, metadata.AttributeJigasiErrorTypeXMPPNotConnected)},
	// Queues.
	{stats: "queues.*.added_packets", recorder: each(metadata.AttributeRtcEntityQueue, (*generated).RecordJitsiJicofoQueueAddedPacketsDataPoint)},
	{stats: "queues.*.dropped_packets", recorder: each(metadata.AttributeRtcEntityQueue, (*generated).RecordJitsiJicofoQueueDroppedPacketsDataPoint)},
	{stats: "queues.*.removed_packets", recorder: each(metadata.AttributeRtcEntityQueue, (*generated).RecordJitsiJicofoQueueRemovedPacketsDataPoint)},
}, selectionRows(), jingleRows())

// selectionReasons are the reasons for selecting a bridge: keys without the prefix total_.
var selectionReasons = []string{
	"least_loaded", "least_loaded_in_conference", "least_loaded_in_region", "least_loaded_in_region_in_conference",
	"least_loaded_in_region_group", "least_loaded_in_region_group_in_conference", "not_loaded_in_region", "not_loaded_in_region_in_conference",
	"not_loaded_in_region_group", "not_loaded_in_region_group_in_conference", "split_due_to_load", "split_due_to_region",
}

func selectionRows() (rows []row) {
	for _, reason := range selectionReasons {
		rows = append(rows, row{
			stats:    "bridge_selector.total_" + reason,
			recorder: wholeOf((*generated).RecordJitsiJicofoBridgeSelectionsDataPoint, reason),
		})
	}
	return rows
}

// jingleActions are the actions of XEP-0166 and those of Jitsi, as spelled in the protocol.
var jingleActions = []string{
	"content-accept", "content-add", "content-modify", "content-reject", "content-remove", "description-info", "security-info",
	"session-accept", "session-info", "session-initiate", "session-terminate", "transport-accept", "transport-info",
	"transport-reject", "transport-replace", "source-add", "source-remove", "addsource", "removesource",
}

// jingleRows returns the rows of Jingle actions, spelled as in the protocol and as the constants in Jicofo's code: SESSION_INITIATE,
// but SOURCEADD.
func jingleRows() (rows []row) {
	directions := map[string]metadata.AttributeNetworkIoDirection{"sent": transmit, "received": receive}
	for _, action := range jingleActions {
		snake := strings.ReplaceAll(action, "-", "_")
		constant := snake
		if strings.HasPrefix(action, "source-") {
			constant = strings.ReplaceAll(action, "-", "")
		}
		for direction, attribute := range directions {
			path := "jingle." + direction + "."
			page := "jingle_" + constant + "_" + direction
			if constant != snake {
				page += " jingle_" + snake + "_" + direction
			}
			rows = append(rows, row{
				stats: path + action + " " + path + strings.ToUpper(constant), page: page,
				recorder: wholeOf2((*generated).RecordJitsiJicofoJingleStanzasDataPoint, attribute, action),
			})
		}
	}
	return rows
}
