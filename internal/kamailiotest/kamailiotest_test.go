// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailiotest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// readOnly lists calls that change nothing on the server, with their arguments.
var readOnly = []string{
	"system.listMethods", "core.info", "core.modules", "core.ps", "core.psa", "core.psx", "core.runinfo", "core.shmmem", "core.sockets_list",
	"core.tcp_info", "core.tcp_list", "core.uptime", "core.version", "ctl.connections", "ctl.listen", "ctl.who",
	"stats.fetch all", "stats.fetch core: tmx:", "stats.fetchn all", "stats.get_statistics all", "pkg.stats", "mod.stats all shm",
	"cnt.grps_list", "cnt.var_list script", "cnt.grp_get_all core", "cnt.get core rcv_requests",
	"tm.stats", "sl.stats", "tls.info", "tls.list", "dispatcher.list",
	"dlg.list", "dlg.stats_active", "dlg.profile_get_size caller", "ul.dump",
	"htable.dump seen", "htable.listTables", "htable.stats", "pike.top ALL", "dmq.list_nodes", "rtpengine.show all", "rtpengine.get_hash_total",
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryReadOnlyMethodIsDecoded(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{RTPEngine: true, TLS: true, DMQ: true, Probing: true})
	s.Drive(t, Calls{Scenario: "register", User: "u", Count: 3}, Calls{Scenario: "flood", Count: 60})
	s.Hold(t, "u1", 2)
	secure, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", s.TLS)
	require.NoError(t, err)
	defer secure.Close()

	for transport, endpoint := range map[string]string{"unix": s.Unix, "tcp": s.TCP} {
		t.Run(transport, func(t *testing.T) {
			conn := dial(t, endpoint)
			for _, line := range readOnly {
				values := 0
				err := call(t, conn, line, func(r binrpc.Records) error {
					values = count(r)
					return nil
				})
				require.NoError(t, err, line)
				assert.Positive(t, values, line)
			}
			assert.False(t, conn.Broken())
			assert.Equal(t, "2", field(t, conn, "dlg.stats_active", "ongoing"))
			assert.Equal(t, "1", field(t, conn, "core.tcp_info", "opened_tls_connections"))
			assert.Equal(t, "4", field(t, conn, "dispatcher.list", "NRSETS"))
		})
	}

	// Send all calls at once on one connection.
	calls := make([]binrpc.Call, 0, len(readOnly))
	for _, line := range readOnly {
		calls = append(calls, binrpc.Call{Request: request(line), Handle: func(binrpc.Records) error { return nil }})
	}
	dial(t, s.Unix).Do(t.Context(), calls)
	for i, c := range calls {
		assert.NoError(t, c.Err, readOnly[i])
	}
}

func TestStatisticsGrowByWhatSIPpSent(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	before := s.Statistics(t, "all")
	tr := s.Drive(
		t,
		Calls{Scenario: "register", User: "u", Count: 4},
		Calls{Scenario: "request", Count: 2},
		Calls{Scenario: "call", User: "u1", Count: 5},
		Calls{Scenario: "call", User: "ds1", Count: 3},
		Calls{Scenario: "call", User: "u2", Count: 2, TCP: true},
		Calls{Scenario: "fail", User: "busy", Count: 3},
		Calls{Scenario: "fail", User: "moved", Count: 1},
		Calls{Scenario: "fail", User: "forbidden", Count: 2},
		Calls{Scenario: "fail", User: "decline", Count: 1},
		Calls{Scenario: "fail", User: "nobody", Count: 2},
	)
	const calls, failed = 5 + 3 + 2, 3 + 1 + 2 + 1 + 2
	assert.Equal(t, map[string]int{
		"REGISTER": 4, "INVITE": calls + failed, "ACK": calls + failed, "BYE": calls, "OPTIONS": 4, "MESSAGE": 2, "SUBSCRIBE": 2,
		"PUBLISH": 2, "REFER": 2, "UPDATE": 2, "INFO": 2, "PRACK": 2, "NOTIFY": 2, "FOOBAR": 2,
	}, tr.Requests)

	stateless := tr.Replies[302] + tr.Replies[403] // the sl module absorbs their ACKs before they are counted as requests
	all := -stateless
	want := map[string]int{
		"core.unsupported_methods": tr.Requests["FOOBAR"],
		"core.rcv_replies_2xx":     2 * calls, // from the callee
		"core.rcv_replies_18x":     calls,
		"registrar.accepted_regs":  tr.Requests["REGISTER"],
		"registrar.rejected_regs":  0,
		"usrloc.location_users":    4,
		"tmx.UAS_transactions":     calls + tr.Requests["BYE"] + tr.Replies[486] + tr.Replies[603] + tr.Replies[404],
		"tmx.UAC_transactions":     0,
		"tmx.2xx_transactions":     calls + tr.Requests["BYE"],
		"tmx.4xx_transactions":     tr.Replies[486] + tr.Replies[404],
		"tmx.6xx_transactions":     tr.Replies[603],
		"sl.202_replies":           tr.Replies[202],
		"sl.302_replies":           tr.Replies[302],
		"sl.403_replies":           tr.Replies[403],
		"sl.received_ACKs":         stateless,
		"tcp.passive_open":         1, // SIPp uses one connection for all calls
		"script.my_negative":       -7 * tr.Requests["INVITE"],
		"scriptcnt.sc_calls":       tr.Requests["INVITE"],
	}
	for method, n := range tr.Requests {
		all += n
		if method != "FOOBAR" {
			want["core.rcv_requests_"+strings.ToLower(method)] = n
		}
	}
	want["core.rcv_requests"] = all
	want["core.rcv_requests_ack"] -= stateless

	// The sl module updates its statistics once a second.
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		got := map[string]int{}
		after := s.Statistics(t, "all")
		for name := range want {
			require.Contains(c, after, name)
			got[name] = int(after[name] - before[name])
		}
		assert.Equal(c, want, got)
	}, timeout, pollInterval)

	t.Run("agree with JSON-RPC", func(t *testing.T) { compareWithJSON(t, s) })
}

// compareWithJSON compares statistics that a JSON-RPC call does not change.
func compareWithJSON(t *testing.T, s *Server) {
	t.Helper()
	groups := []string{"dialog:", "registrar:", "script:", "scriptcnt:", "usrloc:", "pike:", "dns:"}
	var answer map[string]string
	s.JSON(t, &answer, "stats.fetch", "dialog:", "registrar:", "script:", "scriptcnt:", "usrloc:", "pike:", "dns:")
	byJSON := map[string]int64{}
	for name, text := range answer {
		byJSON[name] = number(t, text)
	}
	assert.Greater(t, len(byJSON), 20)
	assert.Equal(t, byJSON, s.Statistics(t, groups...))
}

func TestReadingChangesNoStatistics(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	before := s.Statistics(t, "all")
	for _, endpoint := range []string{s.Unix, s.TCP} {
		conn := dial(t, endpoint)
		for range 20 {
			for _, line := range []string{"stats.fetch all", "pkg.stats", "core.uptime", "dispatcher.list", "no.such_method"} {
				_ = call(t, conn, line, func(binrpc.Records) error { return nil })
			}
		}
	}
	after := s.Statistics(t, "all")
	memory := func(name string, _ int64) bool { return strings.HasPrefix(name, "shmem.") }
	maps.DeleteFunc(before, memory)
	maps.DeleteFunc(after, memory)
	assert.Greater(t, len(after), 150)
	assert.Equal(t, before, after)

	// Kamailio counts calls over HTTP as requests.
	var uptime map[string]any
	s.JSON(t, &uptime, "core.uptime")
	assert.Equal(t, before["core.rcv_requests"]+1, s.Statistics(t, "core:")["core.rcv_requests"])
}

func TestManyStatistics(t *testing.T) {
	t.Parallel()
	const extra, own, batch = 1500, 4, 150
	for name, test := range map[string]struct {
		format string
		listed bool
	}{
		"short names": {"extra_%d", true},
		"long names":  {"tenant_%04d_calls_rejected_total", false}, // exceeds the 32 KiB that a reply without structs may have
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var names []string
			for i := range extra {
				names = append(names, fmt.Sprintf(test.format, i))
			}
			s := Start(t, Options{Statistics: names})
			conn := dial(t, s.Unix)
			for _, line := range []string{"stats.fetch all", "stats.fetch script:"} {
				assert.Equal(t, &binrpc.Fault{Code: 500, Text: "Internal error"}, faultOf(t, conn, line), line)
			}
			if test.listed {
				assert.Len(t, texts(t, conn, "cnt.var_list script"), extra+own)
			} else {
				assert.Contains(t, faultOf(t, conn, "cnt.var_list script").Text, "buffer too small (overflow)")
			}

			assert.NotEmpty(t, s.Statistics(t, "core:"))
			found := map[string]int64{}
			for part := range slices.Chunk(names, batch) {
				maps.Copy(found, s.Statistics(t, part...))
			}
			assert.Len(t, found, extra)
		})
	}
}

func TestWithoutModules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options Options
		faults  []string
		answers []string
	}{
		"kex":     {Options{WithoutKex: true}, []string{"stats.fetch all", "pkg.stats", "mod.stats all shm"}, []string{"core.uptime", "tm.stats", "sl.stats", "cnt.grps_list"}},
		"tm":      {Options{WithoutTM: true}, []string{"tm.stats", "dlg.stats_active"}, []string{"stats.fetch all", "dispatcher.list", "ul.dump"}},
		"minimal": {Options{Minimal: true}, []string{"tm.stats", "sl.stats", "dispatcher.list", "cnt.grps_list"}, []string{"stats.fetch all", "pkg.stats", "core.psa"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, Start(t, test.options).TCP)
			for _, line := range test.faults {
				method, _, _ := strings.Cut(line, " ")
				assert.Equal(t, &binrpc.Fault{Code: 500, Text: "command " + method + " not found"}, faultOf(t, conn, line))
			}
			for _, line := range test.answers {
				assert.NoError(t, call(t, conn, line, func(binrpc.Records) error { return nil }), line)
			}
		})
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for _, endpoint := range []string{s.Unix, s.TCP} {
		conn := dial(t, endpoint)
		first := field(t, conn, "core.psa", "pid")
		s.Restart(t)

		err := call(t, conn, "core.uptime", func(binrpc.Records) error { return nil })
		require.ErrorIs(t, err, binrpc.ErrClosed)
		assert.True(t, conn.Broken())
		assert.NotEqual(t, first, field(t, dial(t, endpoint), "core.psa", "pid"))
	}
	s.Stop(t)
	_, err := binrpc.Dial(t.Context(), s.TCP)
	require.ErrorContains(t, err, "nothing listens there")
	s.Restart(t)
	assert.Equal(t, map[string]int{"REGISTER": 1}, s.Drive(t, Calls{Scenario: "register", User: "u", Count: 1}).Requests)
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for _, endpoint := range []string{s.Unix, s.TCP} {
		conn := dial(t, endpoint)
		s.Freeze(t)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		for _, c := range []*binrpc.Conn{conn, dial(t, endpoint)} { // the kernel accepts the second connection
			err := c.Call(ctx, request("stats.fetch all"), func(binrpc.Records) error { return nil })
			var e *binrpc.Error
			if assert.ErrorAs(t, err, &e) {
				assert.Equal(t, scrape.Timeout, e.Type)
			}
			assert.True(t, c.Broken())
		}
		deadline, _ := ctx.Deadline()
		assert.Less(t, time.Since(deadline), time.Second)
		cancel()
		s.Thaw(t)
		assert.NotEmpty(t, field(t, dial(t, endpoint), "core.uptime", "uptime"))
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{RTPEngine: true, Probing: true})
	s.Drive(t, Calls{Scenario: "register", User: "u", Count: 1}, Calls{Scenario: "call", User: "u1", Count: 2})
	assert.Contains(t, page(t, s.Metrics), "kamailio_registrar_accepted_regs 1")
	assert.Contains(t, page(t, s.RTPEngine), "rtpengine_sessions_total 2")
	require.Eventually(t, func() bool { return s.Statistics(t, "tmx:")["tmx.UAC_transactions"] > 0 }, timeout, pollInterval, "no probes")
}

func TestCleanup(t *testing.T) {
	t.Parallel()
	var s *Server
	t.Run("server", func(t *testing.T) {
		s = Start(t, Options{RTPEngine: true})
		s.Drive(t, Calls{Scenario: "register", User: "u", Count: 1})
		s.Hold(t, "u1", 1)
		s.Freeze(t) // frozen processes must be killed, too
	})
	for _, p := range s.processes {
		assert.True(t, p.exited(), p.name)
	}
	assert.NoDirExists(t, s.dir)
	_, err := binrpc.Dial(t.Context(), s.TCP)
	assert.Error(t, err)
}

// orphan is the environment variable that makes TestGuard exit without cleanup.
const orphan = "KAMAILIOTEST_ORPHAN"

func TestGuard(t *testing.T) {
	if os.Getenv(orphan) != "" {
		fmt.Println(Start(t, Options{Minimal: true}).TCP)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	t.Parallel()
	find(t, "kamailio")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGuard$")
	cmd.Env = append(os.Environ(), orphan+"=1", "TMPDIR="+t.TempDir())
	output, err := cmd.Output()
	require.Error(t, err, "the process kills itself")
	endpoint := strings.TrimSpace(string(output))
	require.True(t, strings.HasPrefix(endpoint, "tcp://"), endpoint)
	require.Eventually(t, func() bool {
		_, err := binrpc.Dial(t.Context(), endpoint)
		return err != nil
	}, timeout, pollInterval, "kamailio outlives the tests")
}

// recorder records the messages of Skipf and Fatalf.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Skipf(format string, args ...any)  { r.skipped = fmt.Sprintf(format, args...) }
func (r *recorder) Fatalf(format string, args ...any) { r.failed = fmt.Sprintf(format, args...) }

func TestMissingPackages(t *testing.T) {
	var r recorder
	t.Setenv("CI", "")
	find(&r, "no-such-program")
	assert.Contains(t, r.skipped, "no-such-program is not installed: run make test-deps")
	assert.Empty(t, r.failed)

	r = recorder{}
	t.Setenv("CI", "1")
	find(&r, "no-such-program")
	assert.Contains(t, r.failed, "rtpengine-daemon")
	assert.Empty(t, r.skipped)
}

func dial(t *testing.T, endpoint string) *binrpc.Conn {
	t.Helper()
	conn, err := binrpc.Dial(t.Context(), endpoint)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// request returns the request for a line of a method and its arguments.
func request(line string) binrpc.Request {
	words := strings.Fields(line)
	return binrpc.NewRequest(words[0], words[1:]...)
}

func call(t *testing.T, conn *binrpc.Conn, line string, walk func(binrpc.Records) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return conn.Call(ctx, request(line), walk)
}

func faultOf(t *testing.T, conn *binrpc.Conn, line string) *binrpc.Fault {
	t.Helper()
	var fault *binrpc.Fault
	require.ErrorAs(t, call(t, conn, line, func(binrpc.Records) error { return nil }), &fault, line)
	return fault
}

// texts returns a reply that is a list of strings.
func texts(t *testing.T, conn *binrpc.Conn, line string) (list []string) {
	t.Helper()
	require.NoError(t, call(t, conn, line, func(r binrpc.Records) error {
		for _, v := range r.All() {
			text, _ := v.Text()
			list = append(list, string(text))
		}
		return nil
	}))
	return list
}

// count counts the values at all levels.
func count(r binrpc.Records) (n int) {
	for _, v := range r.All() {
		if typ := v.Type(); typ == binrpc.Struct || typ == binrpc.Array {
			n += count(v.Records())
		} else if display(v) != "" {
			n++
		}
	}
	return n
}

// field returns the first field of this name in the structs of a reply.
func field(t *testing.T, conn *binrpc.Conn, line, name string) (text string) {
	t.Helper()
	require.NoError(t, call(t, conn, line, func(r binrpc.Records) error {
		for _, record := range r.All() {
			for key, v := range record.Records().All() {
				if string(key) == name {
					text = display(v)
					return nil
				}
			}
		}
		return nil
	}))
	return text
}

func display(v binrpc.Value) string {
	if text, ok := v.Text(); ok {
		return string(text)
	}
	if i, ok := v.Int(); ok {
		return strconv.FormatInt(i, 10)
	}
	if f, ok := v.Float(); ok {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return ""
}

func page(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}
