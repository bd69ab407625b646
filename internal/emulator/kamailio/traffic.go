// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// The load of a server with life. A call rings first, and is answered when it stops ringing.
var (
	rings         = emulator.Load{Item: 1, PerMinute: 30, Stay: 6 * time.Second}
	calls         = emulator.Load{Item: 1, PerMinute: 30, Stay: callSeconds * time.Second}
	registrations = emulator.Load{Item: 2, PerMinute: 20, Stay: 10 * time.Minute}
)

// traffic is the load of a moment. Kamailio and rtpengine with the same seed and start have the same load.
type traffic struct {
	invites, answers, byes         int64 // since the start
	talked                         int64 // total time of calls since the start, in seconds
	registered, registrationsEnded int64 // since the start
}

// newTraffic returns the current load.
func newTraffic(life emulator.Life, uptime *emulator.Uptime) (t traffic) {
	at, restarted := uptime.Elapsed()
	t.invites, t.byes = life.Count(calls, at, restarted)
	t.answers = t.invites - life.Present(rings, at, restarted)
	t.talked = int64(life.Seconds(calls, at, restarted) - life.Seconds(rings, at, restarted))
	t.registered, t.registrationsEnded = life.Count(registrations, at, restarted)
	return t
}

func (t traffic) ringing() int64      { return t.invites - t.answers }
func (t traffic) talking() int64      { return t.answers - t.byes }
func (t traffic) sessions() int64     { return t.invites - t.byes }
func (t traffic) contacts() int64     { return t.registered - t.registrationsEnded }
func (t traffic) requests() int64     { return t.invites + t.answers + t.byes + t.registered } // an answer is acknowledged
func (t traffic) transactions() int64 { return t.invites + t.byes }
func (t traffic) ok() int64           { return t.answers + t.byes }
func (t traffic) replies() int64      { return t.invites + t.ok() } // each call rings

// trafficValues lists the values that the load adds to, by the name of the statistic, or by the method and the name in its reply.
var trafficValues = map[string]func(traffic) int64{
	"core.fwd_replies":            traffic.replies,
	"core.fwd_requests":           func(t traffic) int64 { return t.invites + t.answers + t.byes },
	"core.rcv_replies":            traffic.replies,
	"core.rcv_replies_18x":        func(t traffic) int64 { return t.invites },
	"core.rcv_replies_1xx":        func(t traffic) int64 { return t.invites },
	"core.rcv_replies_1xx_invite": func(t traffic) int64 { return t.invites },
	"core.rcv_replies_2xx":        traffic.ok,
	"core.rcv_replies_2xx_bye":    func(t traffic) int64 { return t.byes },
	"core.rcv_replies_2xx_invite": func(t traffic) int64 { return t.answers },
	"core.rcv_requests":           traffic.requests,
	"core.rcv_requests_ack":       func(t traffic) int64 { return t.answers },
	"core.rcv_requests_bye":       func(t traffic) int64 { return t.byes },
	"core.rcv_requests_invite":    func(t traffic) int64 { return t.invites },
	"core.rcv_requests_register":  func(t traffic) int64 { return t.registered },
	"dialog.active_dialogs":       traffic.talking,
	"dialog.early_dialogs":        traffic.ringing,
	"dialog.processed_dialogs":    func(t traffic) int64 { return t.invites },
	"registrar.accepted_regs":     func(t traffic) int64 { return t.registered },
	"sl.200_replies":              func(t traffic) int64 { return t.registered },
	"sl.sent_replies":             func(t traffic) int64 { return t.registered },
	"tmx.2xx_transactions":        traffic.ok,
	"tmx.UAS_transactions":        traffic.transactions,
	"tmx.active_transactions":     traffic.ringing,
	"tmx.inuse_transactions":      traffic.ringing,
	"tmx.rpl_received":            traffic.replies,
	"tmx.rpl_relayed":             traffic.replies,
	"tmx.rpl_sent":                traffic.replies,
	"usrloc.location_contacts":    traffic.contacts,
	"usrloc.location_expires":     func(t traffic) int64 { return t.registrationsEnded },
	"usrloc.location_users":       traffic.contacts,
	"usrloc.registered_users":     traffic.contacts,

	"dlg.stats_active.all":        traffic.sessions,
	"dlg.stats_active.connecting": traffic.ringing,
	"dlg.stats_active.ongoing":    traffic.talking,
	"sl.stats.200":                func(t traffic) int64 { return t.registered },
	"tm.stats.2xx":                traffic.ok,
	"tm.stats.created":            traffic.transactions,
	"tm.stats.current":            traffic.ringing,
	"tm.stats.freed":              traffic.ok,
	"tm.stats.rpl_received":       traffic.replies,
	"tm.stats.rpl_sent":           traffic.replies,
	"tm.stats.total":              traffic.transactions,
}

// callSeconds is the duration of a call, including the time in which it rings.
const callSeconds = 96

// packetsPerSecond and packetSize are those of a call with two parties that send G.711 audio.
const (
	packetsPerSecond = 100
	packetSize       = 172
)

// rtpengineValues lists the values of the page that the load adds to, by series.
var rtpengineValues = map[string]func(traffic) int64{
	`rtpengine_sessions{type="own"}`:                               traffic.sessions,
	`rtpengine_sessions_total`:                                     func(t traffic) int64 { return t.byes },
	`rtpengine_closed_sessions_total{reason="terminated"}`:         func(t traffic) int64 { return t.byes },
	`rtpengine_call_duration_total`:                                func(t traffic) int64 { return callSeconds * t.byes },
	`rtpengine_call_duration2_total`:                               func(t traffic) int64 { return callSeconds * callSeconds * t.byes },
	`rtpengine_mediastreams{type="kernel"}`:                        func(t traffic) int64 { return 2 * t.talking() },
	`rtpengine_packets_total{type="kernel"}`:                       func(t traffic) int64 { return packetsPerSecond * t.talked },
	`rtpengine_bytes_total{type="kernel"}`:                         func(t traffic) int64 { return packetsPerSecond * packetSize * t.talked },
	`rtpengine_requests_total{proxy="127.0.0.1",request="offer"}`:  func(t traffic) int64 { return t.invites },
	`rtpengine_requests_total{proxy="127.0.0.1",request="answer"}`: func(t traffic) int64 { return t.answers },
	`rtpengine_requests_total{proxy="127.0.0.1",request="delete"}`: func(t traffic) int64 { return t.byes },
	`rtpengine_ports_used{name="default",address="127.0.0.1"}`:     func(t traffic) int64 { return 4 * t.sessions() },
	`rtpengine_ports_free{name="default",address="127.0.0.1"}`:     func(t traffic) int64 { return -4 * t.sessions() },
}
