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
	{stats: "healthy", page: "healthy", recorder: yesNo((*builder).RecordJitsiJvbHealthyDataPoint)},
	{stats: "graceful_shutdown", page: "graceful_shutdown", recorder: yesNo((*builder).RecordJitsiJvbGracefulShutdownDataPoint)},
	{stats: "shutting_down", page: "shutting_down", recorder: yesNo((*builder).RecordJitsiJvbShuttingDownDataPoint)},
	{stats: "drain", page: "drain_mode", recorder: yesNo((*builder).RecordJitsiJvbDrainingDataPoint)},
	{page: "startup_time", unit: milliseconds, recorder: jvbUptime()},
	// Load.
	{stats: "stress_level", page: "stress", recorder: decimal((*builder).RecordJitsiJvbStressDataPoint)},
	{stats: "average_participant_stress", recorder: decimal((*builder).RecordJitsiJvbEndpointStressDataPoint)},
	{stats: "threads", page: "thread_count", recorder: whole((*builder).RecordJitsiJvbThreadCountDataPoint)},
	{page: "jvm_gc_count", recorder: whole((*builder).RecordJitsiJvbJvmGcCollectionsDataPoint)},
	{page: "jvm_gc_time", unit: milliseconds, recorder: decimal((*builder).RecordJitsiJvbJvmGcTimeDataPoint)},
	{page: "jvm_heap_used", recorder: whole((*builder).RecordJitsiJvbJvmHeapUsageDataPoint)},
	{page: "jvm_heap_committed", recorder: whole((*builder).RecordJitsiJvbJvmHeapCommittedDataPoint)},
	{page: "jvm_open_fd_count", recorder: whole((*builder).RecordJitsiJvbFileDescriptorCountDataPoint)},
	{page: "cpu_steal", recorder: decimal((*builder).RecordJitsiJvbHostCPUStealDataPoint)},
	{stats: "cpu_usage", recorder: decimal((*builder).RecordJitsiJvbHostCPUUtilizationDataPoint)},
	{stats: "used_memory", unit: megabytes, recorder: rounded((*builder).RecordJitsiJvbHostMemoryUsageDataPoint)},
	{stats: "total_memory", unit: megabytes, recorder: rounded((*builder).RecordJitsiJvbHostMemoryLimitDataPoint)},
	// Conferences.
	{stats: "conferences", page: "conferences", recorder: whole((*builder).RecordJitsiJvbConferenceCountDataPoint)},
	{stats: "inactive_conferences", page: "conferences_inactive", recorder: whole((*builder).RecordJitsiJvbConferenceInactiveCountDataPoint)},
	{stats: "p2p_conferences", page: "conferences_p2p", recorder: whole((*builder).RecordJitsiJvbConferenceP2pCountDataPoint)},
	{stats: "octo_conferences", page: "conferences_with_relay", recorder: whole((*builder).RecordJitsiJvbConferenceRelayedCountDataPoint)},
	{stats: "largest_conference", page: "largest_conference", recorder: whole((*builder).RecordJitsiJvbConferenceSizeMaxDataPoint)},
	{stats: "conference_sizes", page: "conferences_by_size", recorder: sizes((*builder).RecordJitsiJvbConferenceCountBySizeDataPoint)},
	{stats: "conferences_by_audio_senders", page: "conferences_by_audio_sender", recorder: sizes((*builder).RecordJitsiJvbConferenceCountByAudioSendersDataPoint)},
	{stats: "conferences_by_video_senders", page: "conferences_by_video_sender", recorder: sizes((*builder).RecordJitsiJvbConferenceCountByVideoSendersDataPoint)},
	{stats: "total_conferences_created", page: "conferences_created", recorder: whole((*builder).RecordJitsiJvbConferenceCreationsDataPoint)},
	{stats: "total_conferences_completed", page: "conferences_completed", recorder: whole((*builder).RecordJitsiJvbConferenceCompletionsDataPoint)},
	{stats: "total_conference_seconds", page: "conference_seconds", recorder: decimal((*builder).RecordJitsiJvbConferenceTimeDataPoint)},
	{stats: "total_failed_conferences", page: "failed_conferences", recorder: wholeOf((*builder).RecordJitsiJvbConferenceFailuresDataPoint, metadata.AttributeJitsiFailureScopeFull)},
	{stats: "total_partially_failed_conferences", page: "partially_failed_conferences", recorder: wholeOf((*builder).RecordJitsiJvbConferenceFailuresDataPoint, metadata.AttributeJitsiFailureScopePartial)},
	{stats: "total_dominant_speaker_changes", page: "dominant_speaker_changes", recorder: whole((*builder).RecordJitsiJvbDominantSpeakerChangesDataPoint)},
	// Endpoints, originally called participants.
	{stats: "endpoints participants", page: "current_endpoints", recorder: whole((*builder).RecordJitsiJvbEndpointCountDataPoint)},
	{stats: "local_endpoints", page: "local_endpoints", recorder: whole((*builder).RecordJitsiJvbEndpointLocalCountDataPoint)},
	{stats: "local_active_endpoints", page: "active_endpoints", recorder: whole((*builder).RecordJitsiJvbEndpointActiveCountDataPoint)},
	{stats: "octo_endpoints", page: "endpoints_relayed", recorder: whole((*builder).RecordJitsiJvbEndpointRelayedCountDataPoint)},
	{stats: "inactive_endpoints", page: "endpoints_inactive", recorder: whole((*builder).RecordJitsiJvbEndpointInactiveCountDataPoint)},
	{stats: "receive_only_endpoints", page: "endpoints_recvonly", recorder: whole((*builder).RecordJitsiJvbEndpointReceiveOnlyCountDataPoint)},
	{stats: "num_eps_oversending", page: "endpoints_oversending", recorder: whole((*builder).RecordJitsiJvbEndpointOversendingCountDataPoint)},
	{stats: "endpoints_with_high_outgoing_loss", page: "endpoints_with_high_outgoing_loss", recorder: whole((*builder).RecordJitsiJvbEndpointHighLossCountDataPoint)},
	{stats: "endpoints_with_suspended_sources", page: "endpoints_with_suspended_sources", recorder: whole((*builder).RecordJitsiJvbEndpointSuspendedCountDataPoint)},
	{stats: "endpoints_with_spurious_remb", page: "endpoints_with_spurious_remb", recorder: whole((*builder).RecordJitsiJvbEndpointSpuriousRembsDataPoint)},
	{stats: "total_participants", page: "endpoints", recorder: whole((*builder).RecordJitsiJvbEndpointCreationsDataPoint)},
	{stats: "endpoints_disconnected", page: "endpoints_disconnected", recorder: whole((*builder).RecordJitsiJvbEndpointDisconnectionsDataPoint)},
	{stats: "endpoints_reconnected", page: "endpoints_reconnected", recorder: whole((*builder).RecordJitsiJvbEndpointReconnectionsDataPoint)},
	{stats: "visitors", page: "current_visitors", recorder: whole((*builder).RecordJitsiJvbVisitorCountDataPoint)},
	{stats: "total_visitors", page: "visitors", recorder: whole((*builder).RecordJitsiJvbVisitorCreationsDataPoint)},
	{stats: "total_relays", page: "relays", recorder: whole((*builder).RecordJitsiJvbRelayCreationsDataPoint)},
	{stats: "endpoints_sending_audio", page: "endpoints_sending_audio", recorder: wholeOf((*builder).RecordJitsiJvbEndpointSendingCountDataPoint, metadata.AttributeJitsiMediaKindAudio)},
	{stats: "endpoints_sending_video", page: "endpoints_sending_video", recorder: wholeOf((*builder).RecordJitsiJvbEndpointSendingCountDataPoint, metadata.AttributeJitsiMediaKindVideo)},
	// Connections of endpoints and of other bridges, formerly called octo.
	{stats: "total_ice_succeeded", page: "ice_succeeded", recorder: wholeOf((*builder).RecordJitsiJvbIceNegotiationsDataPoint, metadata.AttributeJitsiIceOutcomeSucceeded)},
	{stats: "total_ice_failed", page: "ice_failed", recorder: wholeOf((*builder).RecordJitsiJvbIceNegotiationsDataPoint, metadata.AttributeJitsiIceOutcomeFailed)},
	{stats: "total_ice_succeeded_relayed", page: "ice_succeeded_relayed", recorder: whole((*builder).RecordJitsiJvbIceRelayedNegotiationsDataPoint)},
	{stats: "total_ice_succeeded_tcp", page: "ice_succeeded_tcp", recorder: whole((*builder).RecordJitsiJvbIceTCPNegotiationsDataPoint)},
	{page: "ice_restarts_started", recorder: whole((*builder).RecordJitsiJvbIceRestartsDataPoint)},
	{page: "ice_restarts_succeeded", recorder: wholeOf((*builder).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeSucceeded)},
	{page: "ice_restarts_failed", recorder: wholeOf((*builder).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeFailed)},
	{page: "ice_restarts_superseded", recorder: wholeOf((*builder).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeSuperseded)},
	{page: "ice_restarts_rejected", recorder: wholeOf((*builder).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeRejected)},
	{page: "ice_restarts_not_established", recorder: wholeOf((*builder).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeNotEstablished)},
	{page: "ice_restarts_agent_creation_failed", recorder: wholeOf((*builder).RecordJitsiJvbIceRestartResultsDataPoint, metadata.AttributeJitsiIceRestartOutcomeAgentCreationFailed)},
	{stats: "endpoints_ice_failed", page: "endpoints_ice_failed", recorder: wholeOf2((*builder).RecordJitsiJvbConnectionFailuresDataPoint, endpoint, metadata.AttributeConnectionErrorTypeIce)},
	{stats: "dtls_failed_endpoints", page: "endpoints_dtls_failed", recorder: wholeOf2((*builder).RecordJitsiJvbConnectionFailuresDataPoint, endpoint, metadata.AttributeConnectionErrorTypeDtls)},
	{stats: "relays_ice_failed", page: "relays_ice_failed", recorder: wholeOf2((*builder).RecordJitsiJvbConnectionFailuresDataPoint, relay, metadata.AttributeConnectionErrorTypeIce)},
	{stats: "dtls_failed_relays", page: "relays_dtls_failed", recorder: wholeOf2((*builder).RecordJitsiJvbConnectionFailuresDataPoint, relay, metadata.AttributeConnectionErrorTypeDtls)},
	{stats: "total_tcp_connections", recorder: wholeOf((*builder).RecordJitsiJvbConnectionCreationsDataPoint, metadata.AttributeNetworkTransportTCP)},
	{stats: "total_udp_connections", recorder: wholeOf((*builder).RecordJitsiJvbConnectionCreationsDataPoint, metadata.AttributeNetworkTransportUDP)},
	{stats: "num_eps_no_msg_transport_after_delay", page: "endpoints_no_message_transport_after_delay", recorder: wholeOf((*builder).RecordJitsiJvbMessageTransportTimeoutsDataPoint, endpoint)},
	{stats: "num_relays_no_msg_transport_after_delay", page: "relays_no_message_transport_after_delay", recorder: wholeOf((*builder).RecordJitsiJvbMessageTransportTimeoutsDataPoint, relay)},
	{stats: "total_data_channel_messages_received", page: "data_channel_messages_received", recorder: wholeOf2((*builder).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportDataChannel, receive)},
	{stats: "total_data_channel_messages_sent", page: "data_channel_messages_sent", recorder: wholeOf2((*builder).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportDataChannel, transmit)},
	{stats: "total_colibri_web_socket_messages_received", page: "colibri_web_socket_messages_received", recorder: wholeOf2((*builder).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportWebsocket, receive)},
	{stats: "total_colibri_web_socket_messages_sent", page: "colibri_web_socket_messages_sent", recorder: wholeOf2((*builder).RecordJitsiJvbMessagesDataPoint, metadata.AttributeJitsiMessageTransportWebsocket, transmit)},
	{page: "rejected_data_channels", recorder: whole((*builder).RecordJitsiJvbDataChannelRejectionsDataPoint)},
	{page: "colibri_web_socket_close_normal", recorder: wholeOf((*builder).RecordJitsiJvbWebsocketClosuresDataPoint, metadata.AttributeJitsiWebsocketOutcomeNormal)},
	{page: "colibri_web_socket_close_abnormal", recorder: wholeOf((*builder).RecordJitsiJvbWebsocketClosuresDataPoint, metadata.AttributeJitsiWebsocketOutcomeAbnormal)},
	{page: "colibri_web_socket_error", recorder: whole((*builder).RecordJitsiJvbWebsocketErrorsDataPoint)},
	// Media.
	{stats: "bit_rate_download", page: "incoming_bitrate", unit: kilobits, recorder: decimalOf2((*builder).RecordJitsiJvbNetworkThroughputDataPoint, endpoint, receive)},
	{stats: "bit_rate_upload", page: "outgoing_bitrate", unit: kilobits, recorder: decimalOf2((*builder).RecordJitsiJvbNetworkThroughputDataPoint, endpoint, transmit)},
	{stats: "octo_receive_bitrate", page: "relay_incoming_bitrate", unit: octoBits, recorder: decimalOf2((*builder).RecordJitsiJvbNetworkThroughputDataPoint, relay, receive)},
	{stats: "octo_send_bitrate", page: "relay_outgoing_bitrate", unit: octoBits, recorder: decimalOf2((*builder).RecordJitsiJvbNetworkThroughputDataPoint, relay, transmit)},
	{stats: "packet_rate_download", page: "incoming_packet_rate", recorder: decimalOf2((*builder).RecordJitsiJvbNetworkPacketRateDataPoint, endpoint, receive)},
	{stats: "packet_rate_upload", page: "outgoing_packet_rate", recorder: decimalOf2((*builder).RecordJitsiJvbNetworkPacketRateDataPoint, endpoint, transmit)},
	{stats: "octo_receive_packet_rate", page: "relay_incoming_packet_rate", recorder: decimalOf2((*builder).RecordJitsiJvbNetworkPacketRateDataPoint, relay, receive)},
	{stats: "octo_send_packet_rate", page: "relay_outgoing_packet_rate", recorder: decimalOf2((*builder).RecordJitsiJvbNetworkPacketRateDataPoint, relay, transmit)},
	{stats: "total_bytes_received", page: "bytes_received", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkIoDataPoint, endpoint, receive)},
	{stats: "total_bytes_received_octo", page: "relay_bytes_received", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkIoDataPoint, relay, receive)},
	{stats: "total_bytes_sent", page: "bytes_sent", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkIoDataPoint, endpoint, transmit)},
	{stats: "total_bytes_sent_octo", page: "relay_bytes_sent", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkIoDataPoint, relay, transmit)},
	{stats: "total_packets_received", page: "packets_received", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkPacketsDataPoint, endpoint, receive)},
	{stats: "total_packets_received_octo", page: "relay_packets_received", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkPacketsDataPoint, relay, receive)},
	{stats: "total_packets_sent", page: "packets_sent", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkPacketsDataPoint, endpoint, transmit)},
	{stats: "total_packets_sent_octo", page: "relay_packets_sent", recorder: wholeOf2((*builder).RecordJitsiJvbNetworkPacketsDataPoint, relay, transmit)},
	{stats: "total_packets_dropped_octo", recorder: wholeOf((*builder).RecordJitsiJvbNetworkDroppedPacketsDataPoint, relay)},
	// Loss was called loss_rate in old versions, and is negative there if nothing was received.
	{stats: "incoming_loss loss_rate_download", page: "incoming_loss_fraction", recorder: decimalOf((*builder).RecordJitsiJvbNetworkPacketLossDataPoint, receive)},
	{stats: "outgoing_loss loss_rate_upload", page: "outgoing_loss_fraction", recorder: decimalOf((*builder).RecordJitsiJvbNetworkPacketLossDataPoint, transmit)},
	{stats: "overall_loss", page: "loss_fraction", recorder: decimal((*builder).RecordJitsiJvbNetworkPacketLossOverallDataPoint)},
	// A round-trip time of 0 means that there were no measurements.
	{stats: "rtt_aggregate", page: "average_rtt", unit: milliseconds, recorder: positive(decimal((*builder).RecordJitsiJvbRoundTripTimeAverageDataPoint))},
	{stats: "jitter_aggregate", unit: milliseconds, recorder: decimal((*builder).RecordJitsiJvbJitterAverageDataPoint)},
	{stats: "tcc_unmatched_feedback", page: "tcc_unmatched_feedback", recorder: whole((*builder).RecordJitsiJvbTransportCcUnmatchedFeedbackCountDataPoint)},
	{stats: "total_aimd_bwe_expirations", page: "incoming_bitrate_expirations", recorder: whole((*builder).RecordJitsiJvbBweExpirationsDataPoint)},
	{stats: "total_loss_controlled_participant_seconds", recorder: decimalOf((*builder).RecordJitsiJvbLossStateTimeDataPoint, metadata.AttributeJitsiLossStateControlled)},
	{stats: "total_loss_limited_participant_seconds", recorder: decimalOf((*builder).RecordJitsiJvbLossStateTimeDataPoint, metadata.AttributeJitsiLossStateLimited)},
	{stats: "total_loss_degraded_participant_seconds", recorder: decimalOf((*builder).RecordJitsiJvbLossStateTimeDataPoint, metadata.AttributeJitsiLossStateDegraded)},
	{stats: "preemptive_kfr_sent", page: "preemptive_keyframe_requests_sent", recorder: wholeOf((*builder).RecordJitsiJvbKeyframePreemptiveRequestsDataPoint, metadata.AttributeJitsiRequestOutcomeSent)},
	{stats: "preemptive_kfr_suppressed", page: "preemptive_keyframe_requests_suppressed", recorder: wholeOf((*builder).RecordJitsiJvbKeyframePreemptiveRequestsDataPoint, metadata.AttributeJitsiRequestOutcomeSuppressed)},
	{stats: "total_keyframes_received", page: "keyframes_received", recorder: whole((*builder).RecordJitsiJvbKeyframesDataPoint)},
	{stats: "total_layering_changes_received", page: "layering_changes_received", recorder: whole((*builder).RecordJitsiJvbLayeringChangesDataPoint)},
	{stats: "total_video_stream_milliseconds_received", page: "video_milliseconds_received", unit: milliseconds, recorder: decimal((*builder).RecordJitsiJvbVideoTimeDataPoint)},
	{stats: "videostreams", recorder: whole((*builder).RecordJitsiJvbVideoStreamCountDataPoint)},
	{stats: "audiochannels", recorder: wholeOf((*builder).RecordJitsiJvbChannelCountDataPoint, metadata.AttributeJitsiMediaKindAudio)},
	{stats: "videochannels", recorder: wholeOf((*builder).RecordJitsiJvbChannelCountDataPoint, metadata.AttributeJitsiMediaKindVideo)},
	{stats: "total_channels", recorder: whole((*builder).RecordJitsiJvbChannelCreationsDataPoint)},
	{stats: "total_no_payload_channels", recorder: wholeOf((*builder).RecordJitsiJvbChannelFailuresDataPoint, metadata.AttributeChannelErrorTypeNoPayload)},
	{stats: "total_no_transport_channels", recorder: wholeOf((*builder).RecordJitsiJvbChannelFailuresDataPoint, metadata.AttributeChannelErrorTypeNoTransport)},
	{page: "rtp_transit_time_count", recorder: wholeOf((*builder).RecordJitsiJvbTransitPacketsDataPoint, metadata.AttributeJitsiTransitProtocolRtp)},
	{page: "rtp_transit_time_bucket{le=50.0}", recorder: late("rtp_transit_time_count", metadata.AttributeJitsiTransitProtocolRtp)},
	{page: "rtcp_transit_time_count", recorder: wholeOf((*builder).RecordJitsiJvbTransitPacketsDataPoint, metadata.AttributeJitsiTransitProtocolRtcp)},
	{page: "rtcp_transit_time_bucket{le=50.0}", recorder: late("rtcp_transit_time_count", metadata.AttributeJitsiTransitProtocolRtcp)},
	// XMPP. The family mucs_connected counts the configured rooms, as its help text says.
	{stats: "muc_clients_configured", page: "muc_clients_configured", recorder: whole((*builder).RecordJitsiJvbXMPPClientConfiguredCountDataPoint)},
	{stats: "muc_clients_connected", page: "muc_clients_connected", recorder: whole((*builder).RecordJitsiJvbXMPPClientConnectedCountDataPoint)},
	{stats: "mucs_configured", page: "mucs_connected", recorder: whole((*builder).RecordJitsiJvbXMPPRoomConfiguredCountDataPoint)},
	{stats: "mucs_joined", page: "mucs_joined", recorder: whole((*builder).RecordJitsiJvbXMPPRoomJoinedCountDataPoint)},
	{page: "xmpp_disconnects", recorder: whole((*builder).RecordJitsiJvbXMPPDisconnectionsDataPoint)},
}, jvbQueueRows()...)

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
			row{page: family + "_dropped_packets", recorder: wholeOf((*builder).RecordJitsiJvbQueueDroppedPacketsDataPoint, queue)},
			row{page: family + "_exceptions", recorder: wholeOf((*builder).RecordJitsiJvbQueueExceptionsDataPoint, queue)})
	}
	return rows
}

func jvbUptime() recorder {
	r := decimal((*builder).RecordJitsiJvbUptimeDataPoint)
	r.record = recordUptime
	return r
}

// late records the packets that took more than 50 ms: all measured packets minus those in the buckets up to 50 ms.
func late(timed string, protocol metadata.AttributeJitsiTransitProtocol) recorder {
	r := wholeOf((*builder).RecordJitsiJvbTransitLatePacketsDataPoint, protocol)
	r.record = func(s *scraper, p point, inTime *value) {
		if all := s.onPage(timed); inTime.whole >= 0 {
			p.Record(s.mb, all.whole-inTime.whole, "")
		}
	}
	return r
}
