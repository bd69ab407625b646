// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailiotest

import (
	"context"
	"encoding/csv"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Calls is a run of a scenario in testdata/kamailio/sipp.
type Calls struct {
	// Scenario is the name of a file without its extension: register, call, fail, request or flood.
	Scenario string
	// User is the user to call. The scenario register appends numbers: u1, u2 and so on.
	User string
	// Count is the number of calls.
	Count int
	// Length is the duration of each call.
	Length time.Duration
	// TCP selects TCP instead of UDP.
	TCP bool
}

// Traffic holds the messages counted by SIPp as the caller.
type Traffic struct {
	Requests map[string]int // sent, by method
	Replies  map[int]int    // received, by status code
}

// Drive makes one run after the other and returns when all calls have ended. SIPp does not retransmit requests.
func (s *Server) Drive(t testing.TB, runs ...Calls) Traffic {
	t.Helper()
	traffic := Traffic{map[string]int{}, map[int]int{}}
	for _, calls := range runs {
		p := s.call(t, calls)
		select {
		case <-p.done:
			require.NoError(t, p.err, "sipp, %s: a call failed", calls.Scenario)
		case <-time.After(timeout):
			require.Fail(t, "sipp does not end", "%s", calls.Scenario)
		}
		traffic.add(t, filepath.Join(s.dir, fmt.Sprintf("%s_%d_counts.csv", calls.Scenario, p.cmd.Process.Pid)))
	}
	return traffic
}

// Hold makes calls that last until the end of the test. The user must be registered.
func (s *Server) Hold(t testing.TB, user string, count int) {
	t.Helper()
	before := s.Statistics(t, "dialog:")["dialog.active_dialogs"]
	s.call(t, Calls{Scenario: "call", User: user, Count: count, Length: time.Hour})
	require.Eventually(t, func() bool {
		return s.Statistics(t, "dialog:")["dialog.active_dialogs"] == before+int64(count)
	}, timeout, pollInterval, "no calls")
}

// call starts SIPp as the caller.
func (s *Server) call(t testing.TB, calls Calls) *process {
	t.Helper()
	transport := "u1"
	if calls.TCP {
		transport = "t1"
	}
	return run(t, s.dir, "sipp", s.SIP, "-sf", testdata(t, "sipp", calls.Scenario+".xml"),
		"-i", loopback, "-t", transport, "-cp", portOf(t, freeAddress(t)), "-nr", "-nostdin",
		"-s", calls.User, "-m", strconv.Itoa(calls.Count), "-r", "50", "-d", strconv.FormatInt(calls.Length.Milliseconds(), 10),
		"-key", "callee", s.callee, "-trace_counts")
}

// add adds the counts in the last line of SIPp's table, whose columns have names such as 0_INVITE_Sent and 2_486_Recv.
func (tr Traffic) add(t testing.TB, file string) {
	t.Helper()
	f, err := os.Open(file) //nolint:gosec // a temporary file
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // opened for reading
	table := csv.NewReader(f)
	table.Comma = ';'
	lines, err := table.ReadAll()
	require.NoError(t, err)
	last := lines[len(lines)-1]
	for i, column := range lines[0] {
		parts := strings.Split(column, "_")
		if len(parts) != 3 || (parts[2] != "Sent" && parts[2] != "Recv") {
			continue
		}
		n, err := strconv.Atoi(last[i])
		require.NoError(t, err, column)
		if n == 0 {
			continue
		}
		if code, err := strconv.Atoi(parts[1]); err == nil {
			tr.Replies[code] += n
		} else {
			tr.Requests[parts[1]] += n
		}
	}
}

// answersSIP reports whether the callee answers an OPTIONS request.
func answersSIP(ctx context.Context, callee string) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", callee)
	if err != nil {
		return false
	}
	defer conn.Close()
	local := conn.LocalAddr()
	probe := fmt.Sprintf("OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:test@%[2]s>;tag=1\r\nTo: <sip:%[1]s>\r\n"+
		"Call-ID: %[3]d@%[2]s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n", callee, local, time.Now().UnixNano())
	if _, err := conn.Write([]byte(probe)); err != nil {
		return false
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		return false
	}
	var reply [2048]byte
	n, err := conn.Read(reply[:])
	return err == nil && strings.HasPrefix(string(reply[:n]), "SIP/2.0 200")
}
