// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import "github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"

// Attributes that many rows have.
const (
	endpoint = metadata.AttributeJitsiPeerEndpoint
	relay    = metadata.AttributeJitsiPeerRelay
	receive  = metadata.AttributeNetworkIoDirectionReceive
	transmit = metadata.AttributeNetworkIoDirectionTransmit
)

// jvbRows are the rows of a bridge: all keys of /colibri/stats since 2018, by subject, with their families on /metrics. Despite their
// names, endpoints_disconnected, dtls_failed_endpoints and the like are monotonic.
var jvbRows = append([]row{
	// Identity and health.
	{stats: "version", recorder: keep(version)},
	{stats: "region", page: "region_info{region}", recorder: keep(func(i *identity) *string { return &i.region })},
	{stats: "relay_id", recorder: keep(func(i *identity) *string { return &i.relayID })},
	{stats: "release", recorder: keep(func(i *identity) *string { return &i.release })},
	{stats: "octo_version", recorder: keep(func(i *identity) *string { return &i.octo })},
	{stats: "healthy", page: "healthy", recorder: yesNo((*generated).RecordJitsiJvbHealthyDataPoint)},
	{stats: "graceful_shutdown", page: "graceful_shutdown", recorder: yesNo((*generated).RecordJitsiJvbGracefulShutdownDataPoint)},
	{stats: "shutting_down", page: "shutting_down", recorder: yesNo((*generated).RecordJitsiJvbShuttingDownDataPoint)},
	{stats: "drain", page: "drain_mode", recorder: yesNo((*generated).RecordJitsiJvbDrainingDataPoint)},
	{page: "startup_time", unit: milliseconds, recorder: jvbUptime()},
	// Load.
	{stats: "stress_level", page: "stress", recorder: decimal((*generated).RecordJitsiJvbStressDataPoint)},
	{stats: "average_participant_stress", recorder: decimal((*generated).RecordJitsiJvbEndpointStressDataPoint)},
	{stats: "threads", page: "thread_count", recorder: whole((*generated).RecordJitsiJvbThreadCountDataPoint)},
	{page: "jvm_gc_count", recorder: whole((*generated).RecordJitsiJvbJvmGcCollectionsDataPoint)},
	{page: "jvm_gc_time", unit: milliseconds, recorder: decimal((*generated).RecordJitsiJvbJvmGcTimeDataPoint)},
	{page: "jvm_heap_used", recorder: whole((*generated).RecordJitsiJvbJvmHeapUsageDataPoint)},
	{page: "jvm_heap_committed", recorder: whole((*generated).RecordJitsiJvbJvmHeapCommittedDataPoint)},
	{page: "jvm_open_fd_count", recorder: whole((*generated).RecordJitsiJvbFileDescriptorCountDataPoint)},
	{page: "cpu_steal", recorder: decimal((*generated).RecordJitsiJvbHostCPUStealDataPoint)},
	{stats: "cpu_usage", recorder: decimal((*generated).RecordJitsiJvbHostCPUUtilizationDataPoint)},
	{stats: "used_memory", unit: megabytes, recorder: rounded((*generated).RecordJitsiJvbHostMemoryUsageDataPoint)},
	{stats: "total_memory", unit: megabytes, recorder: rounded((*generated).RecordJitsiJvbHostMemoryLimitDataPoint)},
	// Conferences.
	{stats: "conferences", page: "conferences", recorder: whole((*generated).RecordJitsiJvbConferenceCountDataPoint)},
	{stats: "inactive_conferences", page: "conferences_inactive", recorder: whole((*generated).RecordJitsiJvbConferenceInactiveCountDataPoint)},
	{stats: "p2p_conferences", page: "conferences_p2p", recorder: whole((*generated).RecordJitsiJvbConferenceP2pCountDataPoint)},
	{stats: "octo_conferences", page: "conferences_with_relay", recorder: whole((*generated).RecordJitsiJvbConferenceRelayedCountDataPoint)},
	{stats: "largest_conference", page: "largest_conference", recorder: whole((*generated).RecordJitsiJvbConferenceSizeMaxDataPoint)},
	{stats: "conference_sizes", page: "conferences_by_size", recorder: sizes((*generated).RecordJitsiJvbConferenceCountBySizeDataPoint)},
	{stats: "conferences_by_audio_senders", page: "conferences_by_audio_sender", recorder: sizes((*generated).RecordJitsiJvbConferenceCountByAudioSendersDataPoint)},
	{stats: "conferences_by_video_senders", page: "conferences_by_video_sender", recorder: sizes((*generated).RecordJitsiJvbConferenceCountByVideoSendersDataPoint)},
	{stats: "total_conferences_created", page: "conferences_created", recorder: whole((*generated).RecordJitsiJvbConferenceCreationsDataPoint)},
	{stats: "total_conferences_completed", page: "conferences_completed", recorder: whole((*generated).RecordJitsiJvbConferenceCompletionsDataPoint)},
	{stats: "total_conference_seconds", page: "conference_seconds", recorder: decimal((*generated).RecordJitsiJvbConferenceTimeDataPoint)},
	{stats: "total_failed_conferences", page: "failed_conferences", recorder: wholeOf((*generated).RecordJitsiJvbConferenceFailuresDataPoint, metadata.AttributeJitsiFailureScopeFull)},
	{stats: "total_partially_failed_conferences", page: "partially_failed_conferences", recorder: wholeOf((*generated).RecordJitsiJvbConferenceFailuresDataPoint, metadata.AttributeJitsiFailureScopePartial)},
	{stats: "total_dominant_speaker_changes", page: "dominant_speaker_changes", recorder: whole((*generated).RecordJitsiJvbDominantSpeakerChangesDataPoint)},
	// Endpoints, originally called participants.
	{stats: "endpoints participants", page: "current_endpoints", recorder: whole((*generated).RecordJitsiJvbEndpointCountDataPoint)},
	{stats: "local_endpoints", page: "local_endpoints", recorder: whole((*generated).RecordJitsiJvbEndpointLocalCountDataPoint)},
	{stats: "local_active_endpoints", page: "active_endpoints", recorder: whole((*generated).RecordJitsiJvbEndpointActiveCountDataPoint)},
	{stats: "octo_endpoints", page: "endpoints_relayed", recorder: whole((*generated).RecordJitsiJvbEndpointRelayedCountDataPoint)},
	{stats: "inactive_endpoints", page: "endpoints_inactive", recorder: whole((*generated).RecordJitsiJvbEndpointInactiveCountDataPoint)},
	{stats: "receive_only_endpoints", page: "endpoints_recvonly", recorder: whole((*generated).RecordJitsiJvbEndpointReceiveOnlyCountDataPoint)},
	{stats: "num_eps_oversending", page: "endpoints_oversending", recorder: whole((*generated).RecordJitsiJvbEndpointOversendingCountDataPoint)},
	{stats: "endpoints_with_high_outgoing_loss", page: "endpoints_with_high_outgoing_loss", recorder: whole((*generated).RecordJitsiJvbEndpointHighLossCountDataPoint)},
	{stats: "endpoints_with_suspended_sources", page: "endpoints_with_suspended_sources", recorder: whole((*generated).RecordJitsiJvbEndpointSuspendedCountDataPoint)},
	{stats: "endpoints_with_spurious_remb", page: "endpoints_with_spurious_remb", recorder: whole((*generated).RecordJitsiJvbEndpointSpuriousRembsDataPoint)},
	{stats: "total_participants", page: "endpoints", recorder: whole((*generated).RecordJitsiJvbEndpointCreationsDataPoint)},
	{stats: "endpoints_disconnected", page: "endpoints_disconnected", recorder: whole((*generated).RecordJitsiJvbEndpointDisconnectionsDataPoint)},
	{stats: "endpoints_reconnected", page: "endpoints_reconnected", recorder: whole((*generated).RecordJitsiJvbEndpointReconnectionsDataPoint)},
	{stats: "visitors", page: "current_visitors", recorder: whole((*generated).RecordJitsiJvbVisitorCountDataPoint)},
	{stats: "total_visitors", page: "visitors", recorder: whole((*generated).RecordJitsiJvbVisitorCreationsDataPoint)},
	{stats: "total_relays", page: "relays", recorder: whole((*generated).RecordJitsiJvbRelayCreationsDataPoint)},
	{stats: "endpoints_sending_audio", page: "endpoints_sending_audio", recorder: wholeOf((*generated).RecordJitsiJvbEndpointSendingCountDataPoint, metadata.AttributeJitsiMediaKindAudio)},
	{stats: "endpoints_sending_video", page: "endpoints_sending_video", recorder: wholeOf((*generated).RecordJitsiJvbEndpointSendingCountDataPoint, metadata.AttributeJitsiMediaKindVideo)},
	// Connections of endpoints and of other bridges, formerly called octo.
	{stats: "total_ice_succeeded", page: "ice_succeeded", recorder: wholeOf((*generated).RecordJitsiJvbIceNegotiationsDataPoint, metadata.AttributeJitsiIceOutcomeSucceeded)},
	{stats: "total_ice_failed", page: "ice_failed", recorder: wholeOf((*generated).RecordJitsiJvbIceNegotiationsDataPoint, metadata.AttributeJitsiIceOutcomeFailed)},
	{stats: "total_ice_succeeded_relayed", page: "ice_succeeded_relayed", recorder: whole((*generated).RecordJitsiJvbIceRelayedNegotiationsDataPoint)},
	{stats: "total_ice_succeeded_tcp", page: "ice_succeeded_tcp", recorder: whole((*generated).RecordJitsiJvbIceTCPNegotiationsDataPoint)},
	{page: "ice_restarts_started", recorder: whole((*generated).RecordJitsiJvbIceRestartsDataPoint)},
	{page: "ice_restarts_succeeded", recorder: wholeOf((*generated).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeSucceeded)},
	{page: "ice_restarts_failed", recorder: wholeOf((*generated).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeFailed)},
	{page: "ice_restarts_superseded", recorder: wholeOf((*generated).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeSuperseded)},
	{page: "ice_restarts_rejected", recorder: wholeOf((*generated).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeRejected)},
	{page: "ice_restarts_not_established", recorder: wholeOf((*generated).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeNotEstablished)},
	{page: "ice_restarts_agent_creation_failed", recorder: wholeOf((*generated).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeAgentCreationFailed)},
	{stats: "endpoints_ice_failed", page: "endpoints_ice_failed", recorder: wholeOf2((*generated).RecordJitsiJvbConnectionFailuresDataPoint, endpoint, metadata.AttributeConnectionErrorTypeIce)},
	{stats: "dtls_failed_endpoints", page: "endpoints_dtls_failed", recorder: wholeOf2((*generated).RecordJitsiJvbConnectionFailuresDataPoint, endpoint, metadata.AttributeConnectionErrorTypeDtls)},
	{stats: "relays_ice_failed", page: "relays_ice_failed", recorder: wholeOf2((*generated).RecordJitsiJvbConnectionFailuresDataPoint, relay, metadata.AttributeConnectionErrorTypeIce)},
	{stats: "dtls_failed_relays", page: "relays_dtls_failed", recorder: wholeOf2((*generated).RecordJitsiJvbConnectionFailuresDataPoint, relay, metadata.AttributeConnectionErrorTypeDtls)},
	{stats: "total_tcp_connections", recorder: wholeOf((*generated).RecordJitsiJvbConnectionCreationsDataPoint, metadata.AttributeNetworkTransportTCP)},
	{stats: "total_udp_connections", recorder: wholeOf((*generated).RecordJitsiJvbConnectionCreationsDataPoint, metadata.AttributeNetworkTransportUDP)},
	{stats: "num_eps_no_msg_transport_after_delay", page: "endpoints_no_message_transport_after_delay", recorder: wholeOf((*generated).RecordJitsiJvbMessageTransportTimeoutsDataPoint, endpoint)},
	{stats: "num_relays_no_msg_transport_after_delay", page: "relays_no_message_transport_after_delay", recorder: wholeOf((*generated).RecordJitsiJvbMessageTransportTimeoutsDataPoint, relay)},
	{stats: "total_data_channel_messages_received", page: "data_channel_messages_received", recorder: wholeOf2((*generated).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportDataChannel, receive)},
	{stats: "total_data_channel_messages_sent", page: "data_channel_messages_sent", recorder: wholeOf2((*generated).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportDataChannel, transmit)},
	{stats: "total_colibri_web_socket_messages_received", page: "colibri_web_socket_messages_received", recorder: wholeOf2((*generated).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportWebsocket, receive)},
	{stats: "total_colibri_web_socket_messages_sent", page: "colibri_web_socket_messages_sent", recorder: wholeOf2((*generated).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportWebsocket, transmit)},
	{page: "rejected_data_channels", recorder: whole((*generated).RecordJitsiJvbDataChannelRejectionsDataPoint)},
	{page: "colibri_web_socket_close_normal", recorder: wholeOf((*generated).RecordJitsiJvbWebsocketClosuresDataPoint, metadata.AttributeJitsiWebsocketOutcomeNormal)},
	{page: "colibri_web_socket_close_abnormal", recorder: wholeOf((*generated).RecordJitsiJvbWebsocketClosuresDataPoint, metadata.AttributeJitsiWebsocketOutcomeAbnormal)},
	{page: "colibri_web_socket_error", recorder: whole((*generated).RecordJitsiJvbWebsocketErrorsDataPoint)},
	// Media.
	{stats: "bit_rate_download", page: "incoming_bitrate", unit: kilobits, recorder: decimalOf2((*generated).RecordJitsiJvbNetworkThroughputDataPoint, endpoint, receive)},
	{stats: "bit_rate_upload", page: "outgoing_bitrate", unit: kilobits, recorder: decimalOf2((*generated).RecordJitsiJvbNetworkThroughputDataPoint, endpoint, transmit)},
	{stats: "octo_receive_bitrate", page: "relay_incoming_bitrate", unit: octoBits, recorder: decimalOf2((*generated).RecordJitsiJvbNetworkThroughputDataPoint, relay, receive)},
	{stats: "octo_send_bitrate", page: "relay_outgoing_bitrate", unit: octoBits, recorder: decimalOf2((*generated).RecordJitsiJvbNetworkThroughputDataPoint, relay, transmit)},
	{stats: "packet_rate_download", page: "incoming_packet_rate", recorder: decimalOf2((*generated).RecordJitsiJvbNetworkPacketRateDataPoint, endpoint, receive)},
	{stats: "packet_rate_upload", page: "outgoing_packet_rate", recorder: decimalOf2((*generated).RecordJitsiJvbNetworkPacketRateDataPoint, endpoint, transmit)},
	{stats: "octo_receive_packet_rate", page: "relay_incoming_packet_rate", recorder: decimalOf2((*generated).RecordJitsiJvbNetworkPacketRateDataPoint, relay, receive)},
	{stats: "octo_send_packet_rate", page: "relay_outgoing_packet_rate", recorder: decimalOf2((*generated).RecordJitsiJvbNetworkPacketRateDataPoint, relay, transmit)},
	{stats: "total_bytes_received", page: "bytes_received", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkIoDataPoint, endpoint, receive)},
	{stats: "total_bytes_received_octo", page: "relay_bytes_received", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkIoDataPoint, relay, receive)},
	{stats: "total_bytes_sent", page: "bytes_sent", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkIoDataPoint, endpoint, transmit)},
	{stats: "total_bytes_sent_octo", page: "relay_bytes_sent", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkIoDataPoint, relay, transmit)},
	{stats: "total_packets_received", page: "packets_received", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkPacketsDataPoint, endpoint, receive)},
	{stats: "total_packets_received_octo", page: "relay_packets_received", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkPacketsDataPoint, relay, receive)},
	{stats: "total_packets_sent", page: "packets_sent", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkPacketsDataPoint, endpoint, transmit)},
	{stats: "total_packets_sent_octo", page: "relay_packets_sent", recorder: wholeOf2((*generated).RecordJitsiJvbNetworkPacketsDataPoint, relay, transmit)},
	{stats: "total_packets_dropped_octo", recorder: wholeOf((*generated).RecordJitsiJvbNetworkDroppedPacketsDataPoint, relay)},
	// Loss was called loss_rate in old versions, and is negative there if nothing was received.
	{stats: "incoming_loss loss_rate_download", page: "incoming_loss_fraction", recorder: decimalOf((*generated).RecordJitsiJvbNetworkPacketLossDataPoint, receive)},
	{stats: "outgoing_loss loss_rate_upload", page: "outgoing_loss_fraction", recorder: decimalOf((*generated).RecordJitsiJvbNetworkPacketLossDataPoint, transmit)},
	{stats: "overall_loss", page: "loss_fraction", recorder: decimal((*generated).RecordJitsiJvbNetworkPacketLossOverallDataPoint)},
	// A round-trip time of 0 means that there were no measurements.
	{stats: "rtt_aggregate", page: "average_rtt", unit: milliseconds, recorder: positive(decimal((*generated).RecordJitsiJvbRoundTripTimeAverageDataPoint))},
	{stats: "jitter_aggregate", unit: milliseconds, recorder: decimal((*generated).RecordJitsiJvbJitterAverageDataPoint)},
	{stats: "tcc_unmatched_feedback", page: "tcc_unmatched_feedback", recorder: whole((*generated).RecordJitsiJvbTransportCcUnmatchedFeedbackCountDataPoint)},
	{stats: "total_aimd_bwe_expirations", page: "incoming_bitrate_expirations", recorder: whole((*generated).RecordJitsiJvbBweExpirationsDataPoint)},
	{stats: "total_loss_controlled_participant_seconds", recorder: decimalOf((*generated).RecordJitsiJvbLossStateTimeDataPoint, metadata.AttributeJitsiLossStateControlled)},
	{stats: "total_loss_limited_participant_seconds", recorder: decimalOf((*generated).RecordJitsiJvbLossStateTimeDataPoint, metadata.AttributeJitsiLossStateLimited)},
	{stats: "total_loss_degraded_participant_seconds", recorder: decimalOf((*generated).RecordJitsiJvbLossStateTimeDataPoint, metadata.AttributeJitsiLossStateDegraded)},
	{stats: "preemptive_kfr_sent", page: "preemptive_keyframe_requests_sent", recorder: wholeOf((*generated).RecordJitsiJvbKeyframePreemptiveRequestsDataPoint, metadata.AttributeJitsiRequestOutcomeSent)},
	{stats: "preemptive_kfr_suppressed", page: "preemptive_keyframe_requests_suppressed", recorder: wholeOf((*generated).RecordJitsiJvbKeyframePreemptiveRequestsDataPoint, metadata.AttributeJitsiRequestOutcomeSuppressed)},
	{stats: "total_keyframes_received", page: "keyframes_received", recorder: whole((*generated).RecordJitsiJvbKeyframesDataPoint)},
	{stats: "total_layering_changes_received", page: "layering_changes_received", recorder: whole((*generated).RecordJitsiJvbLayeringChangesDataPoint)},
	{stats: "total_video_stream_milliseconds_received", page: "video_milliseconds_received", unit: milliseconds, recorder: decimal((*generated).RecordJitsiJvbVideoTimeDataPoint)},
	{stats: "videostreams", recorder: whole((*generated).RecordJitsiJvbVideoStreamCountDataPoint)},
	{stats: "audiochannels", recorder: wholeOf((*generated).RecordJitsiJvbChannelCountDataPoint, metadata.AttributeJitsiMediaKindAudio)},
	{stats: "videochannels", recorder: wholeOf((*generated).RecordJitsiJvbChannelCountDataPoint, metadata.AttributeJitsiMediaKindVideo)},
	{stats: "total_channels", recorder: whole((*generated).RecordJitsiJvbChannelCreationsDataPoint)},
	{stats: "total_no_payload_channels", recorder: wholeOf((*generated).RecordJitsiJvbChannelFailuresDataPoint, metadata.AttributeChannelErrorTypeNoPayload)},
	{stats: "total_no_transport_channels", recorder: wholeOf((*generated).RecordJitsiJvbChannelFailuresDataPoint, metadata.AttributeChannelErrorTypeNoTransport)},
	{page: "rtp_transit_time_count", recorder: wholeOf((*generated).RecordJitsiJvbTransitPacketsDataPoint, metadata.AttributeJitsiTransitProtocolRtp)},
	{page: "rtp_transit_time_bucket{le=50.0}", recorder: late("rtp_transit_time_count", metadata.AttributeJitsiTransitProtocolRtp)},
	{page: "rtcp_transit_time_count", recorder: wholeOf((*generated).RecordJitsiJvbTransitPacketsDataPoint, metadata.AttributeJitsiTransitProtocolRtcp)},
	{page: "rtcp_transit_time_bucket{le=50.0}", recorder: late("rtcp_transit_time_count", metadata.AttributeJitsiTransitProtocolRtcp)},
	{page: "rtp_transit_time_unknown_delay", recorder: wholeOf((*generated).RecordJitsiJvbTransitUnknownPacketsDataPoint, metadata.AttributeJitsiTransitProtocolRtp)},
	{page: "rtcp_transit_time_unknown_delay", recorder: wholeOf((*generated).RecordJitsiJvbTransitUnknownPacketsDataPoint, metadata.AttributeJitsiTransitProtocolRtcp)},
	{page: "tossed_packets_energy_count", recorder: whole((*generated).RecordJitsiJvbAudioTossedPacketsDataPoint)},
	// Export of media to transcribers.
	{page: "exporter_websocket_failures", recorder: whole((*generated).RecordJitsiJvbMediaExporterWebsocketFailuresDataPoint)},
	{page: "exporter_websocket_internal_errors", recorder: whole((*generated).RecordJitsiJvbMediaExporterWebsocketInternalErrorsDataPoint)},
	{page: "exporter_starts", recorder: whole((*generated).RecordJitsiJvbMediaExporterStartsDataPoint)},
	{page: "exporter_packets_sent", recorder: whole((*generated).RecordJitsiJvbMediaExporterPacketsDataPoint)},
	{page: "exporter_parse_failures", recorder: whole((*generated).RecordJitsiJvbMediaExporterParseFailuresDataPoint)},
	{page: "exporter_transcripts_received", recorder: exported(metadata.AttributeJitsiMediaExporterMessageTranscript)},
	{page: "exporter_media_events_received", recorder: exported(metadata.AttributeJitsiMediaExporterMessageMediaEvent)},
	{page: "exporter_sending_changes_received", recorder: exported(metadata.AttributeJitsiMediaExporterMessageSendingChange)},
	{page: "exporter_info_received", recorder: exported(metadata.AttributeJitsiMediaExporterMessageInfo)},
	{page: "exporter_other_messages_received", recorder: exported(metadata.AttributeJitsiMediaExporterMessageOther)},
	// XMPP. The family mucs_connected counts the configured rooms, as its help text says.
	{stats: "muc_clients_configured", page: "muc_clients_configured", recorder: whole((*generated).RecordJitsiJvbXMPPClientConfiguredCountDataPoint)},
	{stats: "muc_clients_connected", page: "muc_clients_connected", recorder: whole((*generated).RecordJitsiJvbXMPPClientConnectedCountDataPoint)},
	{stats: "mucs_configured", page: "mucs_connected", recorder: whole((*generated).RecordJitsiJvbXMPPRoomConfiguredCountDataPoint)},
	{stats: "mucs_joined", page: "mucs_joined", recorder: whole((*generated).RecordJitsiJvbXMPPRoomJoinedCountDataPoint)},
	{page: "xmpp_disconnects", recorder: whole((*generated).RecordJitsiJvbXMPPDisconnectionsDataPoint)},
}, jvbQueueRows()...)

// exported returns the recorder of the messages of one kind.
func exported(kind metadata.AttributeJitsiMediaExporterMessage) recorder {
	return wholeOf((*generated).RecordJitsiJvbMediaExporterMessagesDataPoint, kind)
}

// jvbQueues holds the queues of a bridge by the prefix of their families. The prefix "queue", the sum of all queues, is omitted.
var jvbQueues = map[string]string{
	"rtp_receiver":                   "rtp_receiver",
	"rtp_sender":                     "rtp_sender",
	"srtp_send_queue":                "srtp_send",
	"relay_srtp_send_queue":          "relay_srtp_send",
	"relay_endpoint_srtp_send_queue": "relay_endpoint_srtp_send",
	"colibri_queue":                  "colibri",
	"endpoint_receive_message_queue": "endpoint_message",
}

func jvbQueueRows() (rows []row) {
	for family, queue := range jvbQueues {
		rows = append(rows,
			row{page: family + "_dropped_packets", recorder: wholeOf((*generated).RecordJitsiJvbQueueDroppedPacketsDataPoint, queue)},
			row{page: family + "_exceptions", recorder: wholeOf((*generated).RecordJitsiJvbQueueExceptionsDataPoint, queue)})
	}
	return rows
}

func jvbUptime() recorder {
	r := decimal((*generated).RecordJitsiJvbUptimeDataPoint)
	r.record = recordUptime
	return r
}

// late records the packets that took more than 50 ms: all measured packets minus those in the buckets up to 50 ms.
func late(timed string, protocol metadata.AttributeJitsiTransitProtocol) recorder {
	r := wholeOf((*generated).RecordJitsiJvbTransitLatePacketsDataPoint, protocol)
	r.record = func(s *scraper, p point, inTime *value) {
		if all := s.onPage(timed); inTime.whole >= 0 {
			p.Record(s.mb, all.whole-inTime.whole, "")
		}
	}
	return r
}
