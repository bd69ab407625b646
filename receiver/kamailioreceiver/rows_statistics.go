// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"regexp"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// statisticRows are the rows for statistics that have metrics of their own, by group.name. A row without a Point is a statistic that
// other metrics contain. All other statistics are reported by name: see unmappedCounter and unmappedValue.
var statisticRows = map[string]point{
	"cdp.average_response_time":                    rows.Decimal((*generated).RecordKamailioCdpResponseTimeAverageDataPoint).In(rows.Milliseconds),
	"cdp.queuelength":                              rows.Whole((*generated).RecordKamailioCdpQueueCountDataPoint),
	"cdp.replies_received":                         rows.Whole((*generated).RecordKamailioCdpRepliesDataPoint),
	"cdp.replies_response_time":                    rows.Decimal((*generated).RecordKamailioCdpResponseTimeDataPoint).In(rows.Milliseconds),
	"cdp.timeout":                                  rows.Whole((*generated).RecordKamailioCdpTimeoutsDataPoint),
	"core.bad_URIs_rcvd":                           rows.Whole((*generated).RecordKamailioRequestBadUrisDataPoint),
	"core.bad_msg_hdr":                             rows.Whole((*generated).RecordKamailioMessageBadHeadersDataPoint),
	"core.drop_replies":                            rows.Whole((*generated).RecordKamailioReplyDropsDataPoint),
	"core.drop_requests":                           rows.Whole((*generated).RecordKamailioRequestDropsDataPoint),
	"core.err_replies":                             rows.Whole((*generated).RecordKamailioReplyErrorsDataPoint),
	"core.err_requests":                            rows.Whole((*generated).RecordKamailioRequestErrorsDataPoint),
	"core.fwd_replies":                             rows.Whole((*generated).RecordKamailioReplyForwardsDataPoint),
	"core.fwd_requests":                            rows.Whole((*generated).RecordKamailioRequestForwardsDataPoint),
	"core.rcv_replies":                             rows.Whole((*generated).RecordKamailioRepliesDataPoint),
	"core.rcv_requests":                            rows.Whole((*generated).RecordKamailioRequestsDataPoint),
	"core.unsupported_methods":                     rows.Whole((*generated).RecordKamailioRequestUnsupportedMethodsDataPoint),
	"dialog.active_dialogs":                        rows.Whole((*generated).RecordKamailioDialogActiveCountDataPoint),
	"dialog.early_dialogs":                         rows.Whole((*generated).RecordKamailioDialogEarlyCountDataPoint),
	"dialog.expired_dialogs":                       rows.Whole((*generated).RecordKamailioDialogExpirationsDataPoint),
	"dialog.failed_dialogs":                        rows.Whole((*generated).RecordKamailioDialogFailuresDataPoint),
	"dialog.processed_dialogs":                     rows.Whole((*generated).RecordKamailioDialogCreationsDataPoint),
	"dns.failed_dns_request":                       rows.Whole((*generated).RecordKamailioDNSFailuresDataPoint),
	"dns.slow_dns_request":                         rows.Whole((*generated).RecordKamailioDNSSlowRequestsDataPoint),
	"http_async_client.errors":                     rows.Whole((*generated).RecordKamailioHTTPClientErrorsDataPoint),
	"http_async_client.replies":                    rows.Whole((*generated).RecordKamailioHTTPClientRepliesDataPoint),
	"http_async_client.requests":                   rows.Whole((*generated).RecordKamailioHTTPClientRequestsDataPoint),
	"http_async_client.timeouts":                   rows.Whole((*generated).RecordKamailioHTTPClientTimeoutsDataPoint),
	"httpclient.connections":                       rows.Whole((*generated).RecordKamailioHTTPClientConnectionCountDataPoint),
	"httpclient.connfail":                          wholeOf((*generated).RecordKamailioHTTPClientConnectionAttemptsDataPoint, metadata.AttributeKamailioHTTPClientOutcomeFailed),
	"httpclient.connok":                            wholeOf((*generated).RecordKamailioHTTPClientConnectionAttemptsDataPoint, metadata.AttributeKamailioHTTPClientOutcomeSuccessful),
	"imc.active_rooms":                             rows.Whole((*generated).RecordKamailioImcRoomCountDataPoint),
	"ims_auth.mar_avg_response_time":               rows.Decimal(rows.With((*generated).RecordKamailioImsResponseTimeAverageDataPoint, mar)).In(rows.Milliseconds),
	"ims_auth.mar_replies_received":                wholeOf((*generated).RecordKamailioImsRepliesDataPoint, mar),
	"ims_auth.mar_replies_response_time":           rows.Decimal(rows.With((*generated).RecordKamailioImsResponseTimeDataPoint, mar)).In(rows.Milliseconds),
	"ims_auth.mar_timeouts":                        wholeOf((*generated).RecordKamailioImsTimeoutsDataPoint, mar),
	"ims_icscf.lir_avg_response_time":              rows.Decimal(rows.With((*generated).RecordKamailioImsResponseTimeAverageDataPoint, lir)).In(rows.Milliseconds),
	"ims_icscf.lir_replies_received":               wholeOf((*generated).RecordKamailioImsRepliesDataPoint, lir),
	"ims_icscf.lir_replies_response_time":          rows.Decimal(rows.With((*generated).RecordKamailioImsResponseTimeDataPoint, lir)).In(rows.Milliseconds),
	"ims_icscf.lir_timeouts":                       wholeOf((*generated).RecordKamailioImsTimeoutsDataPoint, lir),
	"ims_icscf.uar_avg_response_time":              rows.Decimal(rows.With((*generated).RecordKamailioImsResponseTimeAverageDataPoint, uar)).In(rows.Milliseconds),
	"ims_icscf.uar_replies_received":               wholeOf((*generated).RecordKamailioImsRepliesDataPoint, uar),
	"ims_icscf.uar_replies_response_time":          rows.Decimal(rows.With((*generated).RecordKamailioImsResponseTimeDataPoint, uar)).In(rows.Milliseconds),
	"ims_icscf.uar_timeouts":                       wholeOf((*generated).RecordKamailioImsTimeoutsDataPoint, uar),
	"mysql.driver_errors":                          rows.Whole((*generated).RecordKamailioMysqlDriverErrorsDataPoint),
	"nat_traversal.dialog_endpoints":               wholeOf((*generated).RecordKamailioNatTraversalEndpointCountByReasonDataPoint, metadata.AttributeKamailioNatTraversalReasonDialog),
	"nat_traversal.keepalive_endpoints":            rows.Whole((*generated).RecordKamailioNatTraversalEndpointCountDataPoint),
	"nat_traversal.registered_endpoints":           wholeOf((*generated).RecordKamailioNatTraversalEndpointCountByReasonDataPoint, metadata.AttributeKamailioNatTraversalReasonRegistration),
	"nat_traversal.subscribed_endpoints":           wholeOf((*generated).RecordKamailioNatTraversalEndpointCountByReasonDataPoint, metadata.AttributeKamailioNatTraversalReasonSubscription),
	"pike.blocked_ips":                             rows.Whole((*generated).RecordKamailioPikeBlockedAddressCountDataPoint),
	"registrar.accepted_regs":                      wholeOf((*generated).RecordKamailioRegistrarRegistrationsDataPoint, metadata.AttributeKamailioRegistrarOutcomeAccepted),
	"registrar.default_expire":                     rows.Decimal((*generated).RecordKamailioRegistrarExpiresDefaultDataPoint),
	"registrar.default_expires_range":              rows.Decimal((*generated).RecordKamailioRegistrarExpiresDefaultRangeDataPoint).In(rows.Percent),
	"registrar.expires_range":                      rows.Decimal((*generated).RecordKamailioRegistrarExpiresRangeDataPoint).In(rows.Percent),
	"registrar.max_contacts":                       rows.Whole((*generated).RecordKamailioRegistrarContactLimitDataPoint),
	"registrar.max_expires":                        rows.Decimal((*generated).RecordKamailioRegistrarExpiresMaxDataPoint),
	"registrar.rejected_regs":                      wholeOf((*generated).RecordKamailioRegistrarRegistrationsDataPoint, metadata.AttributeKamailioRegistrarOutcomeRejected),
	"sctp.assoc_shutdown":                          rows.Whole((*generated).RecordKamailioSctpConnectionShutdownsDataPoint),
	"sctp.comm_lost":                               wholeOf((*generated).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeCommunicationLost),
	"sctp.connect_failed":                          wholeOf((*generated).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeConnectFailed),
	"sctp.current_opened_connections":              rows.Whole((*generated).RecordKamailioSctpConnectionCountDataPoint),
	"sctp.current_tracked_connections":             rows.Whole((*generated).RecordKamailioSctpConnectionTrackedCountDataPoint),
	"sctp.established":                             rows.Whole((*generated).RecordKamailioSctpConnectionEstablishmentsDataPoint),
	"sctp.local_reject":                            wholeOf((*generated).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeLocalReject),
	"sctp.remote_shutdown":                         rows.Whole((*generated).RecordKamailioSctpConnectionRemoteShutdownsDataPoint),
	"sctp.send_failed":                             wholeOf((*generated).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeSendFailed),
	"sctp.send_force_retry":                        rows.Whole((*generated).RecordKamailioSctpSendRetriesDataPoint),
	"sctp.sendq_full":                              wholeOf((*generated).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeSendQueueFull),
	"shmem.fragments":                              rows.Whole((*generated).RecordKamailioMemorySharedFragmentCountDataPoint),
	"shmem.free_size":                              wholeOf((*generated).RecordKamailioMemorySharedUsageDataPoint, metadata.AttributeKamailioMemoryStateFree),
	"shmem.max_used_size":                          rows.Whole((*generated).RecordKamailioMemorySharedPeakDataPoint),
	"shmem.real_used_size":                         {}, // see sharedMemoryOverhead
	"shmem.total_size":                             rows.Whole((*generated).RecordKamailioMemorySharedLimitDataPoint),
	"shmem.used_size":                              wholeOf((*generated).RecordKamailioMemorySharedUsageDataPoint, metadata.AttributeKamailioMemoryStateUsed),
	"sipcapture.captured_replies":                  rows.Whole((*generated).RecordKamailioSipcaptureRepliesDataPoint),
	"sipcapture.captured_requests":                 rows.Whole((*generated).RecordKamailioSipcaptureRequestsDataPoint),
	"siptrace.traced_replies":                      rows.Whole((*generated).RecordKamailioSiptraceRepliesDataPoint),
	"siptrace.traced_requests":                     rows.Whole((*generated).RecordKamailioSiptraceRequestsDataPoint),
	"sl.1xx_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup1xx),
	"sl.200_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup200),
	"sl.202_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup202),
	"sl.2xx_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup2xxOther),
	"sl.300_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup300),
	"sl.301_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup301),
	"sl.302_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup302),
	"sl.3xx_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup3xxOther),
	"sl.400_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup400),
	"sl.401_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup401),
	"sl.403_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup403),
	"sl.404_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup404),
	"sl.407_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup407),
	"sl.408_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup408),
	"sl.483_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup483),
	"sl.4xx_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup4xxOther),
	"sl.500_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup500),
	"sl.5xx_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup5xxOther),
	"sl.6xx_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup6xx),
	"sl.failures":                                  rows.Whole((*generated).RecordKamailioSlFailuresDataPoint),
	"sl.received_ACKs":                             rows.Whole((*generated).RecordKamailioSlAcksDataPoint),
	"sl.sent_err_replies":                          rows.Whole((*generated).RecordKamailioSlErrorRepliesDataPoint),
	"sl.sent_replies":                              {}, // the sum of the replies
	"sl.xxx_replies":                               wholeOf((*generated).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroupOther),
	"tcp.con_reset":                                wholeOf((*generated).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeConnectionReset),
	"tcp.con_timeout":                              wholeOf((*generated).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeConnectionTimeout),
	"tcp.connect_failed":                           wholeOf((*generated).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeConnectFailed),
	"tcp.connect_success":                          wholeOf((*generated).RecordKamailioTCPConnectionOpensDataPoint, metadata.AttributeKamailioTCPInitiatorSelf),
	"tcp.current_opened_connections":               rows.Whole((*generated).RecordKamailioTCPConnectionCountDataPoint),
	"tcp.current_write_queue_size":                 rows.Whole((*generated).RecordKamailioTCPWriteQueueSizeDataPoint),
	"tcp.established":                              rows.Whole((*generated).RecordKamailioTCPConnectionEstablishmentsDataPoint),
	"tcp.local_reject":                             wholeOf((*generated).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeLocalReject),
	"tcp.passive_open":                             wholeOf((*generated).RecordKamailioTCPConnectionOpensDataPoint, metadata.AttributeKamailioTCPInitiatorPeer),
	"tcp.send_timeout":                             wholeOf((*generated).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeSendTimeout),
	"tcp.sendq_full":                               wholeOf((*generated).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeSendQueueFull),
	"tls.clear_text_write_queued_bytes":            rows.Whole((*generated).RecordKamailioTLSWriteQueueSizeDataPoint),
	"tls.max_connections":                          rows.Whole((*generated).RecordKamailioTLSConnectionLimitDataPoint),
	"tls.opened_connections":                       rows.Whole((*generated).RecordKamailioTLSConnectionCountDataPoint),
	"tmx.2xx_transactions":                         wholeOf((*generated).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass2xx),
	"tmx.3xx_transactions":                         wholeOf((*generated).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass3xx),
	"tmx.4xx_transactions":                         wholeOf((*generated).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass4xx),
	"tmx.5xx_transactions":                         wholeOf((*generated).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass5xx),
	"tmx.6xx_transactions":                         wholeOf((*generated).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass6xx),
	"tmx.UAC_transactions":                         wholeOf((*generated).RecordKamailioTransactionCreationsDataPoint, metadata.AttributeKamailioTransactionOriginLocal),
	"tmx.UAS_transactions":                         {}, // see remoteTransactions
	"tmx.active_transactions":                      rows.Whole((*generated).RecordKamailioTransactionActiveCountDataPoint),
	"tmx.inuse_transactions":                       rows.Whole((*generated).RecordKamailioTransactionCountDataPoint),
	"tmx.rpl_absorbed":                             rows.Whole((*generated).RecordKamailioTransactionAbsorbedRepliesDataPoint),
	"tmx.rpl_generated":                            wholeOf((*generated).RecordKamailioTransactionSentRepliesDataPoint, metadata.AttributeKamailioReplyOriginGenerated),
	"tmx.rpl_received":                             rows.Whole((*generated).RecordKamailioTransactionReceivedRepliesDataPoint),
	"tmx.rpl_relayed":                              wholeOf((*generated).RecordKamailioTransactionSentRepliesDataPoint, metadata.AttributeKamailioReplyOriginRelayed),
	"tmx.rpl_sent":                                 {}, // generated + relayed
	"tsilo.added_branches":                         rows.Whole((*generated).RecordKamailioTsiloBranchesDataPoint),
	"tsilo.stored_ruris":                           rows.Whole((*generated).RecordKamailioTsiloURICountDataPoint),
	"tsilo.stored_transactions":                    rows.Whole((*generated).RecordKamailioTsiloTransactionCountDataPoint),
	"tsilo.total_ruris":                            rows.Whole((*generated).RecordKamailioTsiloURICreationsDataPoint),
	"tsilo.total_transactions":                     rows.Whole((*generated).RecordKamailioTsiloTransactionCreationsDataPoint),
	"uac.regactive":                                rows.Whole((*generated).RecordKamailioUacRegistrationActiveCountDataPoint),
	"uac.regdisabled":                              rows.Whole((*generated).RecordKamailioUacRegistrationDisabledCountDataPoint),
	"uac.regtotal":                                 rows.Whole((*generated).RecordKamailioUacRegistrationCountDataPoint),
	"usrloc.registered_users":                      rows.Whole((*generated).RecordKamailioUsrlocRegisteredUserCountDataPoint),
	"websocket.ws_current_connections":             rows.Whole((*generated).RecordKamailioWebsocketConnectionActiveCountDataPoint),
	"websocket.ws_failed_connections":              rows.Whole((*generated).RecordKamailioWebsocketConnectionFailuresDataPoint),
	"websocket.ws_failed_handshakes":               wholeOf((*generated).RecordKamailioWebsocketHandshakesDataPoint, metadata.AttributeKamailioWebsocketOutcomeFailed),
	"websocket.ws_local_closed_connections":        wholeOf((*generated).RecordKamailioWebsocketConnectionClosuresDataPoint, metadata.AttributeKamailioWebsocketInitiatorLocal),
	"websocket.ws_max_concurrent_connections":      rows.Whole((*generated).RecordKamailioWebsocketConnectionActivePeakDataPoint),
	"websocket.ws_msrp_current_connections":        wholeOf((*generated).RecordKamailioWebsocketConnectionCountDataPoint, msrp),
	"websocket.ws_msrp_failed_connections":         wholeOf((*generated).RecordKamailioWebsocketConnectionFailuresByProtocolDataPoint, msrp),
	"websocket.ws_msrp_local_closed_connections":   websocketClosures(metadata.AttributeKamailioWebsocketInitiatorLocal, msrp),
	"websocket.ws_msrp_max_concurrent_connections": wholeOf((*generated).RecordKamailioWebsocketConnectionPeakDataPoint, msrp),
	"websocket.ws_msrp_received_frames":            websocketFrames(metadata.AttributeNetworkIoDirectionReceive, msrp),
	"websocket.ws_msrp_remote_closed_connections":  websocketClosures(metadata.AttributeKamailioWebsocketInitiatorRemote, msrp),
	"websocket.ws_msrp_successful_handshakes":      wholeOf((*generated).RecordKamailioWebsocketHandshakesByProtocolDataPoint, msrp),
	"websocket.ws_msrp_transmitted_frames":         websocketFrames(metadata.AttributeNetworkIoDirectionTransmit, msrp),
	"websocket.ws_received_frames":                 wholeOf((*generated).RecordKamailioWebsocketFramesDataPoint, metadata.AttributeNetworkIoDirectionReceive),
	"websocket.ws_remote_closed_connections":       wholeOf((*generated).RecordKamailioWebsocketConnectionClosuresDataPoint, metadata.AttributeKamailioWebsocketInitiatorRemote),
	"websocket.ws_sip_current_connections":         wholeOf((*generated).RecordKamailioWebsocketConnectionCountDataPoint, sip),
	"websocket.ws_sip_failed_connections":          wholeOf((*generated).RecordKamailioWebsocketConnectionFailuresByProtocolDataPoint, sip),
	"websocket.ws_sip_local_closed_connections":    websocketClosures(metadata.AttributeKamailioWebsocketInitiatorLocal, sip),
	"websocket.ws_sip_max_concurrent_connections":  wholeOf((*generated).RecordKamailioWebsocketConnectionPeakDataPoint, sip),
	"websocket.ws_sip_received_frames":             websocketFrames(metadata.AttributeNetworkIoDirectionReceive, sip),
	"websocket.ws_sip_remote_closed_connections":   websocketClosures(metadata.AttributeKamailioWebsocketInitiatorRemote, sip),
	"websocket.ws_sip_successful_handshakes":       wholeOf((*generated).RecordKamailioWebsocketHandshakesByProtocolDataPoint, sip),
	"websocket.ws_sip_transmitted_frames":          websocketFrames(metadata.AttributeNetworkIoDirectionTransmit, sip),
	"websocket.ws_successful_handshakes":           wholeOf((*generated).RecordKamailioWebsocketHandshakesDataPoint, metadata.AttributeKamailioWebsocketOutcomeSuccessful),
	"websocket.ws_transmitted_frames":              wholeOf((*generated).RecordKamailioWebsocketFramesDataPoint, metadata.AttributeNetworkIoDirectionTransmit),
}

// The Diameter commands of the IMS modules.
const (
	lir = metadata.AttributeKamailioImsCommandLir
	mar = metadata.AttributeKamailioImsCommandMar
	uar = metadata.AttributeKamailioImsCommandUar
)

// The subprotocols of WebSocket connections.
const (
	msrp = metadata.AttributeKamailioWebsocketProtocolMsrp
	sip  = metadata.AttributeKamailioWebsocketProtocolSip
)

func websocketClosures(by metadata.AttributeKamailioWebsocketInitiator, protocol metadata.AttributeKamailioWebsocketProtocol) point {
	return rows.Whole(func(mb *generated, start timestamp, n int64) {
		mb.RecordKamailioWebsocketConnectionClosuresByProtocolDataPoint(start, n, by, protocol)
	})
}

func websocketFrames(d direction, protocol metadata.AttributeKamailioWebsocketProtocol) point {
	return rows.Whole(func(mb *generated, start timestamp, n int64) {
		mb.RecordKamailioWebsocketFramesByProtocolDataPoint(start, n, d, protocol)
	})
}

// The points that are computed from two statistics.
var (
	sharedMemoryOverhead = wholeOf((*generated).RecordKamailioMemorySharedUsageDataPoint, metadata.AttributeKamailioMemoryStateOverhead)
	remoteTransactions   = wholeOf((*generated).RecordKamailioTransactionCreationsDataPoint, metadata.AttributeKamailioTransactionOriginRemote)
)

// classAndMethod holds the attributes of replies by class and method.
type classAndMethod struct {
	class  metadata.AttributeKamailioReplyClass
	method string
}

// The statistics of the core whose names contain a method, a class or a code.
var (
	requestsByMethod = rows.WholeOf((*generated).RecordKamailioRequestsByMethodDataPoint)
	repliesByClass   = rows.WholeOf((*generated).RecordKamailioRepliesByClassDataPoint)
	repliesByCode    = rows.WholeOf((*generated).RecordKamailioRepliesByCodeDataPoint)
	repliesByMethod  = rows.WholeOf(func(mb *generated, start timestamp, n int64, of classAndMethod) {
		mb.RecordKamailioRepliesByMethodDataPoint(start, n, of.class, of.method)
	})
)

// domainRows are the rows for the statistics of a user location table, by the last part of their names.
var domainRows = map[string]rows.Point[*generated, string]{
	"users":    rows.WholeOf((*generated).RecordKamailioUsrlocUserCountDataPoint),
	"contacts": rows.WholeOf((*generated).RecordKamailioUsrlocContactCountDataPoint),
	"expires":  rows.WholeOf((*generated).RecordKamailioUsrlocContactExpirationsDataPoint),
}

// The points of statistics that have no metrics of their own.
var (
	unmappedCounter = rows.WholeOf(func(mb *generated, start timestamp, n int64, u *unmapped) {
		mb.RecordKamailioStatisticCountsDataPoint(start, n, u.group, u.name)
	})
	unmappedValue = rows.WholeOf(func(mb *generated, start timestamp, n int64, u *unmapped) {
		mb.RecordKamailioStatisticValueDataPoint(start, n, u.group, u.name)
	}).Signed()
)

// allStatisticRows are all rows of statistics.
var allStatisticRows = []any{
	statisticRows, sharedMemoryOverhead, remoteTransactions, requestsByMethod, repliesByClass, repliesByCode, repliesByMethod, domainRows,
	unmappedCounter, unmappedValue,
}

// fallback maps members of a reply to the statistics of a group, for servers that do not have this group.
type fallback struct {
	api, group string
	unless     string            // preferred method with the same numbers
	keys       map[string]string // keys of statistics, by member
}

var fallbacks = []fallback{
	{api: apiTLS, group: "tls", keys: map[string]string{
		"opened_connections":            "tls.opened_connections",
		"max_connections":               "tls.max_connections",
		"clear_text_write_queued_bytes": "tls.clear_text_write_queued_bytes",
	}},
	{api: apiTCP, group: "tls", unless: apiTLS, keys: map[string]string{
		"opened_tls_connections": "tls.opened_connections",
		"max_tls_connections":    "tls.max_connections",
	}},
	{api: apiTCP, group: "tcp", keys: map[string]string{
		"opened_connections": "tcp.current_opened_connections",
		"write_queued_bytes": "tcp.current_write_queue_size",
	}},
	{api: apiTransactions, group: "tmx", keys: map[string]string{
		"current":       "tmx.inuse_transactions",
		"active":        "tmx.active_transactions", // current - waiting
		"total":         "tmx.UAS_transactions",
		"total_local":   "tmx.UAC_transactions",
		"2xx":           "tmx.2xx_transactions",
		"3xx":           "tmx.3xx_transactions",
		"4xx":           "tmx.4xx_transactions",
		"5xx":           "tmx.5xx_transactions",
		"6xx":           "tmx.6xx_transactions",
		"rpl_received":  "tmx.rpl_received",
		"rpl_generated": "tmx.rpl_generated",
		"rpl_relayed":   "tmx.rpl_relayed", // sent - generated
	}},
}

// rows returns the rows of the statistics that a fallback replaces.
func (f *fallback) rows() (all []point) {
	for _, key := range f.keys {
		all = append(all, statisticRows[key])
	}
	return all
}

// moduleCounters are the monotonic statistics of modules that have no metrics of their own.
var moduleCounters = map[string]bool{
	"kafka.total_messages":     true,
	"kafka.total_messages_err": true,
	"msilo.dumped_messages":    true,
	"msilo.dumped_reminders":   true,
	"msilo.failed_messages":    true,
	"msilo.failed_reminders":   true,
	"msilo.stored_messages":    true,
	"sst.expired_sst":          true,
}

// imsCounters matches the monotonic statistics of the IMS modules. The others are averages and current values.
var imsCounters = regexp.MustCompile(`_(replies_received|replies_response_time|timeouts)$`)

// methodNames maps the names that the core uses for SIP methods in its statistics.
var methodNames = map[string]string{
	"ack": "ACK", "bye": "BYE", "cancel": "CANCEL", "info": "INFO", "invite": "INVITE", "kdmq": "KDMQ", "message": "MESSAGE",
	"notify": "NOTIFY", "options": "OPTIONS", "prack": "PRACK", "publish": "PUBLISH", "refer": "REFER", "reg": "REGISTER",
	"register": "REGISTER", "subscribe": "SUBSCRIBE", "update": "UPDATE",
}
