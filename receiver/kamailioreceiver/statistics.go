// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"maps"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// Here is what the server counts: the statistics of its core and modules, and those of its script.

// point records one number.
type point = func(*metadata.MetricsBuilder, pcommon.Timestamp, int64)

// ignored is a statistic whose fact other metrics carry.
func ignored(*metadata.MetricsBuilder, pcommon.Timestamp, int64) {}

// with records a number with a fixed attribute.
func with[A any](record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, A), attribute A) point {
	return func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v int64) { record(mb, now, v, attribute) }
}

// scaled records a number in another unit.
func scaled(factor float64, record func(*metadata.MetricsBuilder, pcommon.Timestamp, float64)) point {
	return func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, v int64) { record(mb, now, float64(v)*factor) }
}

// points are the statistics that become metrics of their own, by group.name. What is not here is told as it is.
var points = map[string]point{
	"cdp.average_response_time":                    scaled(1e-3, (*metadata.MetricsBuilder).RecordKamailioCdpResponseTimeAverageDataPoint),
	"cdp.queuelength":                              (*metadata.MetricsBuilder).RecordKamailioCdpQueueCountDataPoint,
	"cdp.replies_received":                         (*metadata.MetricsBuilder).RecordKamailioCdpRepliesDataPoint,
	"cdp.replies_response_time":                    scaled(1e-3, (*metadata.MetricsBuilder).RecordKamailioCdpResponseTimeDataPoint),
	"cdp.timeout":                                  (*metadata.MetricsBuilder).RecordKamailioCdpTimeoutsDataPoint,
	"core.bad_URIs_rcvd":                           (*metadata.MetricsBuilder).RecordKamailioRequestBadUrisDataPoint,
	"core.bad_msg_hdr":                             (*metadata.MetricsBuilder).RecordKamailioMessageBadHeadersDataPoint,
	"core.drop_replies":                            (*metadata.MetricsBuilder).RecordKamailioReplyDropsDataPoint,
	"core.drop_requests":                           (*metadata.MetricsBuilder).RecordKamailioRequestDropsDataPoint,
	"core.err_replies":                             (*metadata.MetricsBuilder).RecordKamailioReplyErrorsDataPoint,
	"core.err_requests":                            (*metadata.MetricsBuilder).RecordKamailioRequestErrorsDataPoint,
	"core.fwd_replies":                             (*metadata.MetricsBuilder).RecordKamailioReplyForwardsDataPoint,
	"core.fwd_requests":                            (*metadata.MetricsBuilder).RecordKamailioRequestForwardsDataPoint,
	"core.rcv_replies":                             (*metadata.MetricsBuilder).RecordKamailioRepliesDataPoint,
	"core.rcv_requests":                            (*metadata.MetricsBuilder).RecordKamailioRequestsDataPoint,
	"core.unsupported_methods":                     (*metadata.MetricsBuilder).RecordKamailioRequestUnsupportedMethodsDataPoint,
	"dialog.active_dialogs":                        (*metadata.MetricsBuilder).RecordKamailioDialogActiveCountDataPoint,
	"dialog.early_dialogs":                         (*metadata.MetricsBuilder).RecordKamailioDialogEarlyCountDataPoint,
	"dialog.expired_dialogs":                       (*metadata.MetricsBuilder).RecordKamailioDialogExpirationsDataPoint,
	"dialog.failed_dialogs":                        (*metadata.MetricsBuilder).RecordKamailioDialogFailuresDataPoint,
	"dialog.processed_dialogs":                     (*metadata.MetricsBuilder).RecordKamailioDialogCreationsDataPoint,
	"dns.failed_dns_request":                       (*metadata.MetricsBuilder).RecordKamailioDNSFailuresDataPoint,
	"dns.slow_dns_request":                         (*metadata.MetricsBuilder).RecordKamailioDNSSlowRequestsDataPoint,
	"http_async_client.errors":                     (*metadata.MetricsBuilder).RecordKamailioHTTPClientErrorsDataPoint,
	"http_async_client.replies":                    (*metadata.MetricsBuilder).RecordKamailioHTTPClientRepliesDataPoint,
	"http_async_client.requests":                   (*metadata.MetricsBuilder).RecordKamailioHTTPClientRequestsDataPoint,
	"http_async_client.timeouts":                   (*metadata.MetricsBuilder).RecordKamailioHTTPClientTimeoutsDataPoint,
	"mysql.driver_errors":                          (*metadata.MetricsBuilder).RecordKamailioMysqlDriverErrorsDataPoint,
	"pike.blocked_ips":                             (*metadata.MetricsBuilder).RecordKamailioPikeBlockedAddressCountDataPoint,
	"registrar.accepted_regs":                      with((*metadata.MetricsBuilder).RecordKamailioRegistrarRegistrationsDataPoint, metadata.AttributeKamailioRegistrarOutcomeAccepted),
	"registrar.default_expire":                     scaled(1, (*metadata.MetricsBuilder).RecordKamailioRegistrarExpiresDefaultDataPoint),
	"registrar.default_expires_range":              scaled(1e-2, (*metadata.MetricsBuilder).RecordKamailioRegistrarExpiresDefaultRangeDataPoint),
	"registrar.expires_range":                      scaled(1e-2, (*metadata.MetricsBuilder).RecordKamailioRegistrarExpiresRangeDataPoint),
	"registrar.max_contacts":                       (*metadata.MetricsBuilder).RecordKamailioRegistrarContactLimitDataPoint,
	"registrar.max_expires":                        scaled(1, (*metadata.MetricsBuilder).RecordKamailioRegistrarExpiresMaxDataPoint),
	"registrar.rejected_regs":                      with((*metadata.MetricsBuilder).RecordKamailioRegistrarRegistrationsDataPoint, metadata.AttributeKamailioRegistrarOutcomeRejected),
	"sctp.assoc_shutdown":                          (*metadata.MetricsBuilder).RecordKamailioSctpConnectionShutdownsDataPoint,
	"sctp.comm_lost":                               with((*metadata.MetricsBuilder).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeCommunicationLost),
	"sctp.connect_failed":                          with((*metadata.MetricsBuilder).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeConnectFailed),
	"sctp.current_opened_connections":              (*metadata.MetricsBuilder).RecordKamailioSctpConnectionCountDataPoint,
	"sctp.current_tracked_connections":             (*metadata.MetricsBuilder).RecordKamailioSctpConnectionTrackedCountDataPoint,
	"sctp.established":                             (*metadata.MetricsBuilder).RecordKamailioSctpConnectionEstablishmentsDataPoint,
	"sctp.local_reject":                            with((*metadata.MetricsBuilder).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeLocalReject),
	"sctp.remote_shutdown":                         (*metadata.MetricsBuilder).RecordKamailioSctpConnectionRemoteShutdownsDataPoint,
	"sctp.send_failed":                             with((*metadata.MetricsBuilder).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeSendFailed),
	"sctp.send_force_retry":                        (*metadata.MetricsBuilder).RecordKamailioSctpSendRetriesDataPoint,
	"sctp.sendq_full":                              with((*metadata.MetricsBuilder).RecordKamailioSctpErrorsDataPoint, metadata.AttributeSctpErrorTypeSendQueueFull),
	"shmem.fragments":                              (*metadata.MetricsBuilder).RecordKamailioMemorySharedFragmentCountDataPoint,
	"shmem.free_size":                              with((*metadata.MetricsBuilder).RecordKamailioMemorySharedUsageDataPoint, metadata.AttributeKamailioMemoryStateFree),
	"shmem.max_used_size":                          (*metadata.MetricsBuilder).RecordKamailioMemorySharedPeakDataPoint,
	"shmem.real_used_size":                         ignored, // see finish
	"shmem.total_size":                             (*metadata.MetricsBuilder).RecordKamailioMemorySharedLimitDataPoint,
	"shmem.used_size":                              with((*metadata.MetricsBuilder).RecordKamailioMemorySharedUsageDataPoint, metadata.AttributeKamailioMemoryStateUsed),
	"sipcapture.captured_replies":                  (*metadata.MetricsBuilder).RecordKamailioSipcaptureRepliesDataPoint,
	"sipcapture.captured_requests":                 (*metadata.MetricsBuilder).RecordKamailioSipcaptureRequestsDataPoint,
	"siptrace.traced_replies":                      (*metadata.MetricsBuilder).RecordKamailioSiptraceRepliesDataPoint,
	"siptrace.traced_requests":                     (*metadata.MetricsBuilder).RecordKamailioSiptraceRequestsDataPoint,
	"sl.1xx_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup1xx),
	"sl.200_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup200),
	"sl.202_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup202),
	"sl.2xx_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup2xxOther),
	"sl.300_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup300),
	"sl.301_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup301),
	"sl.302_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup302),
	"sl.3xx_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup3xxOther),
	"sl.400_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup400),
	"sl.401_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup401),
	"sl.403_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup403),
	"sl.404_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup404),
	"sl.407_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup407),
	"sl.408_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup408),
	"sl.483_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup483),
	"sl.4xx_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup4xxOther),
	"sl.500_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup500),
	"sl.5xx_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup5xxOther),
	"sl.6xx_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroup6xx),
	"sl.failures":                                  (*metadata.MetricsBuilder).RecordKamailioSlFailuresDataPoint,
	"sl.received_ACKs":                             (*metadata.MetricsBuilder).RecordKamailioSlAcksDataPoint,
	"sl.sent_err_replies":                          (*metadata.MetricsBuilder).RecordKamailioSlErrorRepliesDataPoint,
	"sl.sent_replies":                              ignored, // the sum of the replies
	"sl.xxx_replies":                               with((*metadata.MetricsBuilder).RecordKamailioSlRepliesDataPoint, metadata.AttributeKamailioReplyGroupOther),
	"tcp.con_reset":                                with((*metadata.MetricsBuilder).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeConnectionReset),
	"tcp.con_timeout":                              with((*metadata.MetricsBuilder).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeConnectionTimeout),
	"tcp.connect_failed":                           with((*metadata.MetricsBuilder).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeConnectFailed),
	"tcp.connect_success":                          with((*metadata.MetricsBuilder).RecordKamailioTCPConnectionOpensDataPoint, metadata.AttributeKamailioTCPInitiatorSelf),
	"tcp.current_opened_connections":               (*metadata.MetricsBuilder).RecordKamailioTCPConnectionCountDataPoint,
	"tcp.current_write_queue_size":                 (*metadata.MetricsBuilder).RecordKamailioTCPWriteQueueSizeDataPoint,
	"tcp.established":                              (*metadata.MetricsBuilder).RecordKamailioTCPConnectionEstablishmentsDataPoint,
	"tcp.local_reject":                             with((*metadata.MetricsBuilder).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeLocalReject),
	"tcp.passive_open":                             with((*metadata.MetricsBuilder).RecordKamailioTCPConnectionOpensDataPoint, metadata.AttributeKamailioTCPInitiatorPeer),
	"tcp.send_timeout":                             with((*metadata.MetricsBuilder).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeSendTimeout),
	"tcp.sendq_full":                               with((*metadata.MetricsBuilder).RecordKamailioTCPErrorsDataPoint, metadata.AttributeTCPErrorTypeSendQueueFull),
	"tls.clear_text_write_queued_bytes":            (*metadata.MetricsBuilder).RecordKamailioTLSWriteQueueSizeDataPoint,
	"tls.max_connections":                          (*metadata.MetricsBuilder).RecordKamailioTLSConnectionLimitDataPoint,
	"tls.opened_connections":                       (*metadata.MetricsBuilder).RecordKamailioTLSConnectionCountDataPoint,
	"tmx.2xx_transactions":                         with((*metadata.MetricsBuilder).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass2xx),
	"tmx.3xx_transactions":                         with((*metadata.MetricsBuilder).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass3xx),
	"tmx.4xx_transactions":                         with((*metadata.MetricsBuilder).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass4xx),
	"tmx.5xx_transactions":                         with((*metadata.MetricsBuilder).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass5xx),
	"tmx.6xx_transactions":                         with((*metadata.MetricsBuilder).RecordKamailioTransactionCompletionsDataPoint, metadata.AttributeKamailioReplyClass6xx),
	"tmx.UAC_transactions":                         with((*metadata.MetricsBuilder).RecordKamailioTransactionCreationsDataPoint, metadata.AttributeKamailioTransactionOriginLocal),
	"tmx.UAS_transactions":                         ignored, // see finish
	"tmx.active_transactions":                      (*metadata.MetricsBuilder).RecordKamailioTransactionActiveCountDataPoint,
	"tmx.inuse_transactions":                       (*metadata.MetricsBuilder).RecordKamailioTransactionCountDataPoint,
	"tmx.rpl_absorbed":                             (*metadata.MetricsBuilder).RecordKamailioTransactionAbsorbedRepliesDataPoint,
	"tmx.rpl_generated":                            with((*metadata.MetricsBuilder).RecordKamailioTransactionSentRepliesDataPoint, metadata.AttributeKamailioReplyOriginGenerated),
	"tmx.rpl_received":                             (*metadata.MetricsBuilder).RecordKamailioTransactionReceivedRepliesDataPoint,
	"tmx.rpl_relayed":                              with((*metadata.MetricsBuilder).RecordKamailioTransactionSentRepliesDataPoint, metadata.AttributeKamailioReplyOriginRelayed),
	"tmx.rpl_sent":                                 ignored, // generated + relayed
	"uac.regactive":                                (*metadata.MetricsBuilder).RecordKamailioUacRegistrationActiveCountDataPoint,
	"uac.regdisabled":                              (*metadata.MetricsBuilder).RecordKamailioUacRegistrationDisabledCountDataPoint,
	"uac.regtotal":                                 (*metadata.MetricsBuilder).RecordKamailioUacRegistrationCountDataPoint,
	"usrloc.registered_users":                      (*metadata.MetricsBuilder).RecordKamailioUsrlocRegisteredUserCountDataPoint,
	"websocket.ws_failed_connections":              (*metadata.MetricsBuilder).RecordKamailioWebsocketConnectionFailuresDataPoint,
	"websocket.ws_failed_handshakes":               with((*metadata.MetricsBuilder).RecordKamailioWebsocketHandshakesDataPoint, metadata.AttributeKamailioWebsocketOutcomeFailed),
	"websocket.ws_local_closed_connections":        with((*metadata.MetricsBuilder).RecordKamailioWebsocketConnectionClosuresDataPoint, metadata.AttributeKamailioWebsocketInitiatorLocal),
	"websocket.ws_msrp_current_connections":        with((*metadata.MetricsBuilder).RecordKamailioWebsocketConnectionCountDataPoint, metadata.AttributeKamailioWebsocketProtocolMsrp),
	"websocket.ws_msrp_max_concurrent_connections": with((*metadata.MetricsBuilder).RecordKamailioWebsocketConnectionPeakDataPoint, metadata.AttributeKamailioWebsocketProtocolMsrp),
	"websocket.ws_received_frames":                 with((*metadata.MetricsBuilder).RecordKamailioWebsocketFramesDataPoint, metadata.AttributeNetworkIoDirectionReceive),
	"websocket.ws_remote_closed_connections":       with((*metadata.MetricsBuilder).RecordKamailioWebsocketConnectionClosuresDataPoint, metadata.AttributeKamailioWebsocketInitiatorRemote),
	"websocket.ws_sip_current_connections":         with((*metadata.MetricsBuilder).RecordKamailioWebsocketConnectionCountDataPoint, metadata.AttributeKamailioWebsocketProtocolSip),
	"websocket.ws_sip_max_concurrent_connections":  with((*metadata.MetricsBuilder).RecordKamailioWebsocketConnectionPeakDataPoint, metadata.AttributeKamailioWebsocketProtocolSip),
	"websocket.ws_successful_handshakes":           with((*metadata.MetricsBuilder).RecordKamailioWebsocketHandshakesDataPoint, metadata.AttributeKamailioWebsocketOutcomeSuccessful),
	"websocket.ws_transmitted_frames":              with((*metadata.MetricsBuilder).RecordKamailioWebsocketFramesDataPoint, metadata.AttributeNetworkIoDirectionTransmit),
}

// family records a statistic of a group whose names are not all known, and reports whether it could.
type family func(s *statisticsScraper, now pcommon.Timestamp, st *statistic) bool

var families = map[string]family{"core": (*statisticsScraper).recordMessages, "usrloc": (*statisticsScraper).recordDomain}

// standIns are the members of other answers that tell what statistics tell, for servers without them.
var standIns = map[string]map[string]string{
	apiTLS: {
		"opened_connections":            "tls.opened_connections",
		"max_connections":               "tls.max_connections",
		"clear_text_write_queued_bytes": "tls.clear_text_write_queued_bytes",
	},
	apiTCP: {
		"opened_connections":     "tcp.current_opened_connections",
		"write_queued_bytes":     "tcp.current_write_queue_size",
		"opened_tls_connections": "tls.opened_connections",
		"max_tls_connections":    "tls.max_connections",
	},
	apiTransactions: {
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
	},
}

// moduleCounters are the statistics of modules without metrics of their own that only rise.
var moduleCounters = map[string]bool{
	"httpclient.connfail":                         true,
	"httpclient.connok":                           true,
	"kafka.total_messages":                        true,
	"kafka.total_messages_err":                    true,
	"msilo.dumped_messages":                       true,
	"msilo.dumped_reminders":                      true,
	"msilo.failed_messages":                       true,
	"msilo.failed_reminders":                      true,
	"msilo.stored_messages":                       true,
	"sst.expired_sst":                             true,
	"tsilo.added_branches":                        true,
	"tsilo.total_ruris":                           true,
	"tsilo.total_transactions":                    true,
	"websocket.ws_msrp_failed_connections":        true,
	"websocket.ws_msrp_local_closed_connections":  true,
	"websocket.ws_msrp_received_frames":           true,
	"websocket.ws_msrp_remote_closed_connections": true,
	"websocket.ws_msrp_successful_handshakes":     true,
	"websocket.ws_msrp_transmitted_frames":        true,
	"websocket.ws_sip_failed_connections":         true,
	"websocket.ws_sip_local_closed_connections":   true,
	"websocket.ws_sip_received_frames":            true,
	"websocket.ws_sip_remote_closed_connections":  true,
	"websocket.ws_sip_successful_handshakes":      true,
	"websocket.ws_sip_transmitted_frames":         true,
}

// imsCounters are the statistics of the modules for IMS that only rise; the others are averages and numbers of things.
var imsCounters = regexp.MustCompile(`_(replies_received|replies_response_time|timeouts)$`)

// statisticsScraper turns statistics into metrics.
type statisticsScraper struct {
	*scraper
	items    *selection.Set[unknown]
	domains  *selection.Set[struct{}]
	counters filter.Filter
	groups   map[string]bool // those that the server has; nil when unknown

	// Of the current scrape.
	values map[string]int64 // of the statistics in the table
	named  []*unknown       // to become metrics of their own
	merged int64
	key    []byte // reused
}

// unknown is what is kept of a statistic that has no metric of its own.
type unknown struct {
	group, name string
	counter     bool
	value       int64
}

func newStatisticsScraper(s *scraper) *statisticsScraper {
	return &statisticsScraper{
		scraper:  s,
		items:    selection.New[unknown](s.cfg.Statistics.selection()),
		domains:  selection.New[struct{}](s.cfg.UsrlocDomains.selection()),
		counters: filter.CreateFilter(s.cfg.Statistics.Counters),
		values:   map[string]int64{},
	}
}

func (s *statisticsScraper) begin() {
	clear(s.values)
	s.named, s.merged = s.named[:0], 0
}

// record takes the statistics in. Those of the table wait for finish, because some are reckoned from several.
func (s *statisticsScraper) record(now pcommon.Timestamp, all *statistics) {
	s.groups = map[string]bool{}
	s.items.Begin()
	s.domains.Begin()
	var group string
	var record family
	for i := range all.List {
		st := &all.List[i]
		if i == 0 || st.Group != group { // those of a group stand together
			group, record = st.Group, families[st.Group]
			s.groups[group] = true
		}
		switch {
		case st.Known:
			s.values[st.Key] = st.Value
		case record == nil || !record(s, now, st):
			s.recordUnknown(now, st)
		}
	}
	entity := metadata.AttributeRtcEntityStatistic
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, int64(s.items.Limited()))
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, s.merged)
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonTruncated, all.Omitted)
	s.report.Omit(metadata.AttributeRtcEntityUsrlocDomain, metadata.AttributeRtcOmissionReasonLimit, int64(s.domains.Limited()))
	s.items.End(all.complete())
	s.domains.End(all.complete())
}

// standIn takes numbers that tell what statistics tell that the server does not have.
func (s *statisticsScraper) standIn(api string, numbers map[string]int64) {
	for member, key := range standIns[api] {
		n, there := numbers[member]
		if _, known := s.values[key]; there && !known {
			s.values[key] = n
		}
	}
}

// finish records the statistics of the table. All of them count things: a negative value has wrapped around and is skipped.
func (s *statisticsScraper) finish(now pcommon.Timestamp) {
	maps.DeleteFunc(s.values, func(_ string, v int64) bool { return v < 0 })
	for key, v := range s.values {
		points[key](s.mb, now, v)
	}
	if overhead, ok := difference(s.values, "shmem.real_used_size", "shmem.used_size"); ok {
		s.mb.RecordKamailioMemorySharedUsageDataPoint(now, overhead, metadata.AttributeKamailioMemoryStateOverhead)
	}
	if remote, ok := difference(s.values, "tmx.UAS_transactions", "tmx.UAC_transactions"); ok {
		s.mb.RecordKamailioTransactionCreationsDataPoint(now, remote, metadata.AttributeKamailioTransactionOriginRemote)
	}
}

// methodNames are the methods as the core's statistics write them.
var methodNames = map[string]string{
	"ack": "ACK", "bye": "BYE", "cancel": "CANCEL", "info": "INFO", "invite": "INVITE", "kdmq": "KDMQ", "message": "MESSAGE",
	"notify": "NOTIFY", "options": "OPTIONS", "prack": "PRACK", "publish": "PUBLISH", "refer": "REFER", "reg": "REGISTER",
	"register": "REGISTER", "subscribe": "SUBSCRIBE", "update": "UPDATE",
}

// methodOf returns the method of a statistic's name, also of one that this receiver has not heard of.
func methodOf(name string) string {
	if method, ok := methodNames[name]; ok {
		return method
	}
	return strings.ToUpper(selection.Name(name))
}

// recordMessages records the core's counters of requests by method, and of replies by class, code and method.
func (s *statisticsScraper) recordMessages(now pcommon.Timestamp, st *statistic) bool {
	method, isRequest := strings.CutPrefix(st.Name, "rcv_requests_")
	rest, isReply := strings.CutPrefix(st.Name, "rcv_replies_")
	switch {
	case !isRequest && !isReply:
		return false
	case st.Value < 0:
		return true // it has wrapped
	case isRequest:
		s.mb.RecordKamailioRequestsByMethodDataPoint(now, st.Value, methodOf(method))
		return true
	}
	code, method, byMethod := strings.Cut(rest, "_")
	class, isClass := metadata.MapAttributeKamailioReplyClass[code]
	switch {
	case isClass && byMethod:
		s.mb.RecordKamailioRepliesByMethodDataPoint(now, st.Value, class, methodOf(method))
	case isClass:
		s.mb.RecordKamailioRepliesByClassDataPoint(now, st.Value, class)
	case !byMethod && len(code) == 3:
		s.mb.RecordKamailioRepliesByCodeDataPoint(now, st.Value, selection.Name(code))
	default:
		return false
	}
	return true
}

// recordDomain records the counters of a table of the user location module: location_users, in Kamailio 5.3 location-users.
func (s *statisticsScraper) recordDomain(now pcommon.Timestamp, st *statistic) bool {
	end := strings.LastIndexAny(st.Name, "_-")
	if end < 0 {
		return false
	}
	var record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, string)
	switch st.Name[end+1:] {
	case "users":
		record = (*metadata.MetricsBuilder).RecordKamailioUsrlocUserCountDataPoint
	case "contacts":
		record = (*metadata.MetricsBuilder).RecordKamailioUsrlocContactCountDataPoint
	case "expires":
		record = (*metadata.MetricsBuilder).RecordKamailioUsrlocContactExpirationsDataPoint
	default:
		return false
	}
	domain := selection.Name(st.Name[:end])
	if item, _ := s.domains.Get([]byte(domain)); item.Kept && st.Value >= 0 {
		record(s.mb, now, st.Value, domain)
	}
	return true
}

// recordUnknown records a statistic that has no metric of its own, under its group and name.
func (s *statisticsScraper) recordUnknown(now pcommon.Timestamp, st *statistic) {
	s.key = selection.AppendName(s.key[:0], st.Key)
	item, isFirst := s.items.Get(s.key)
	if !isFirst {
		s.merged++
		return
	}
	if !item.Kept {
		return
	}
	u := &item.Value
	if u.name == "" {
		u.group, u.name, _ = strings.Cut(item.Name, ".")
		u.counter = s.isCounter(st)
	}
	u.value = st.Value
	switch {
	case u.counter && u.value < 0: // it has wrapped
	case st.Group == scriptGroup && s.cfg.Statistics.Naming == namingName:
		s.named = append(s.named, u)
	case u.counter:
		s.mb.RecordKamailioStatisticCountsDataPoint(now, u.value, u.group, u.name)
	default:
		s.mb.RecordKamailioStatisticValueDataPoint(now, u.value, u.group, u.name)
	}
}

// scriptGroup is the group of the statistics that a script declares.
const scriptGroup = "script"

// isCounter tells what only rises from what may fall, which the server does not say.
func (s *statisticsScraper) isCounter(st *statistic) bool {
	switch {
	case strings.HasSuffix(st.Name, "_total"), moduleCounters[st.Key], s.counters.Matches(st.Key):
		return true
	case st.Group == scriptGroup && s.cfg.Statistics.Naming == namingName: // as with the exporter that gave them these names
		return strings.HasSuffix(st.Name, "_seconds") || strings.HasSuffix(st.Name, "_bytes")
	}
	return strings.HasPrefix(st.Group, "ims_") && imsCounters.MatchString(st.Name)
}

// appendNamed appends the metrics that bear the name of a statistic.
func (s *statisticsScraper) appendNamed(metrics pmetric.MetricSlice, start, now pcommon.Timestamp) {
	for _, u := range s.named {
		m := metrics.AppendEmpty()
		m.SetName("kamailio.script." + u.name)
		m.SetDescription("A statistic of the script.")
		var dp pmetric.NumberDataPoint
		if u.counter {
			sum := m.SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			dp = sum.DataPoints().AppendEmpty()
		} else {
			dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
		}
		dp.SetStartTimestamp(start)
		dp.SetTimestamp(now)
		dp.SetIntValue(u.value)
	}
}
