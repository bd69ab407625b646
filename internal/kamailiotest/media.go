// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailiotest

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// MediaCall is a call through rtpengine in PCMU. Its parties send RTP and RTCP on one port each.
type MediaCall struct {
	Caller, Callee *Party
	server         *Server
}

// Party is one side of a MediaCall.
type Party struct {
	Packets, Bytes int // sent, RTP and RTCP

	peer    *Party
	tag     string
	conn    *net.UDPConn
	relay   netip.AddrPort // of rtpengine, for this party
	ssrc    uint32
	frames  uint32 // number of RTP packets
	reports uint32 // number of sender reports
}

// Report holds the values of an RTCP receiver report.
type Report struct {
	FractionLost uint8  // of the packets since the last report, in 1/256
	Jitter       uint32 // in 1/8000 s
}

// callID identifies the call in rtpengine's control protocol. A server has one MediaCall at a time.
const callID = "media-call"

// Call makes a call through rtpengine, without Kamailio, in which each party has sent one RTP packet.
func (s *Server) Call(t testing.TB) *MediaCall {
	t.Helper()
	call := &MediaCall{Caller: newParty(t, "caller", 1), Callee: newParty(t, "callee", 2), server: s}
	call.Caller.peer, call.Callee.peer = call.Callee, call.Caller
	offer := s.control(t, "call-id", callID, "command", "offer", "from-tag", call.Caller.tag, "sdp", call.Caller.sdp())
	call.Callee.relay = mediaAddress(t, offer)
	answer := s.control(t, "call-id", callID, "command", "answer", "from-tag", call.Caller.tag, "sdp", call.Callee.sdp(),
		"to-tag", call.Callee.tag)
	call.Caller.relay = mediaAddress(t, answer)
	call.Caller.speak(t)
	call.Callee.speak(t)
	return call
}

// End ends the call.
func (c *MediaCall) End(t testing.TB) {
	t.Helper()
	c.server.control(t, "call-id", callID, "command", "delete", "from-tag", c.Caller.tag)
}

func newParty(t testing.TB, tag string, ssrc uint32) *Party {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(loopback)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &Party{tag: tag, conn: conn, ssrc: ssrc}
}

func (p *Party) sdp() string {
	address := p.conn.LocalAddr().(*net.UDPAddr)
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 0\r\na=rtcp-mux\r\n",
		address.IP, address.Port)
}

// frameSize is the number of samples, and in PCMU of bytes, in an RTP packet.
const frameSize = 160

// speak sends an RTP packet.
func (p *Party) speak(t testing.TB) {
	t.Helper()
	const header, silence = 0x80 << 24, "\xff" // version 2, PCMU
	p.frames++
	p.send(t, append(bigEndian(header|p.frames, p.frames*frameSize, p.ssrc), strings.Repeat(silence, frameSize)...))
}

// Report makes the peer send a sender report and then media for a millisecond, and this party a receiver report. It returns an upper
// bound of the round-trip time that rtpengine derives from both reports. rtpengine ignores round trips that are not longer than the
// delay in the receiver report.
func (p *Party) Report(t testing.TB, r Report) (roundTrip time.Duration) {
	t.Helper()
	const (
		senderReport, receiverReport = 0x80c80006, 0x81c90007 // version 2, number of blocks, type, length in words without the header
		delay                        = 1                      // in 1/65536 s; must not be 0
	)
	begin := time.Now()
	p.peer.reports++
	ntp := p.peer.reports // in seconds; receiver reports quote the 16 bits on each side of the point
	p.peer.send(t, bigEndian(senderReport, p.peer.ssrc, ntp, 0, p.peer.frames*frameSize, p.peer.frames, p.peer.frames*frameSize))
	for sent := time.Now(); time.Since(sent) < time.Millisecond; {
		p.peer.speak(t)
	}
	p.send(t, bigEndian(receiverReport, p.ssrc, p.peer.ssrc, uint32(r.FractionLost)<<24, p.peer.frames, r.Jitter, ntp<<16, delay))
	return time.Since(begin)
}

// send sends a packet and waits until the peer has received it.
func (p *Party) send(t testing.TB, packet []byte) {
	t.Helper()
	_, err := p.conn.WriteToUDPAddrPort(packet, p.relay)
	require.NoError(t, err)
	p.Packets++
	p.Bytes += len(packet)
	require.NoError(t, p.peer.conn.SetReadDeadline(time.Now().Add(timeout)))
	received := make([]byte, 1500)
	n, err := p.peer.conn.Read(received)
	require.NoError(t, err, "rtpengine does not forward a packet of the %s", p.tag)
	require.Equal(t, packet, received[:n])
}

func bigEndian(words ...uint32) (b []byte) {
	for _, word := range words {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	return b
}

var mediaLines = regexp.MustCompile(`(?s)c=IN IP4 (\S+).*m=audio (\d+) `)

// mediaAddress returns the address in an SDP, which may be part of a reply.
func mediaAddress(t testing.TB, sdp string) netip.AddrPort {
	t.Helper()
	parts := mediaLines.FindStringSubmatch(sdp)
	require.NotNil(t, parts, "%s", sdp)
	address, err := netip.ParseAddrPort(net.JoinHostPort(parts[1], parts[2]))
	require.NoError(t, err)
	return address
}

// control sends a command over rtpengine's control protocol and returns the reply. Both are dictionaries in bencode. The command
// consists of keys, in alphabetical order, and their values.
func (s *Server) control(t testing.TB, command ...string) string {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "udp", s.ng)
	require.NoError(t, err)
	defer conn.Close()
	cookie := strconv.FormatInt(time.Now().UnixNano(), 36) // rtpengine repeats its reply to a known one
	message := []byte(cookie + " d")
	for _, text := range command {
		message = fmt.Appendf(message, "%d:%s", len(text), text)
	}
	_, err = conn.Write(append(message, 'e'))
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(timeout)))
	reply := make([]byte, 64<<10)
	n, err := conn.Read(reply)
	require.NoError(t, err)
	require.Contains(t, string(reply[:n]), "6:result2:ok")
	return string(reply[:n])
}
