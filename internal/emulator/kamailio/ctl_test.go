// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// TestCapturedReplies checks that every captured request gets the captured bytes on both networks.
func TestCapturedReplies(t *testing.T) {
	twice := []string{"rtpengine.show_permanent"} // the call rtpengine.show all, captured again
	for scene := range scenes {
		for _, network := range []string{"unix", "tcp"} {
			t.Run(scene+" over "+network, func(t *testing.T) {
				w := talk(t, startCtl(t, CtlOptions{Scene: scene, Network: network, Now: emulatortest.NewClock().Now}))
				files, err := fs.Glob(testdata.Files, ctlFolder+scene+"/*.req.bin")
				require.NoError(t, err)
				require.NotEmpty(t, files)
				for _, file := range files {
					name := strings.TrimSuffix(file, ".req.bin")
					if slices.Contains(twice, path.Base(name)) {
						continue
					}
					asked, err := fs.ReadFile(testdata.Files, file)
					require.NoError(t, err)
					want, err := fs.ReadFile(testdata.Files, name+".rep.bin")
					require.NoError(t, err)
					_, err = w.Write(asked)
					require.NoError(t, err)
					got := make([]byte, len(want))
					_, err = io.ReadFull(w, got)
					require.NoError(t, err, name)
					assert.Equal(t, string(want), string(got), name)
				}
				assert.Zero(t, w.Buffered())
			})
		}
	}
}

func TestRequests(t *testing.T) {
	server := startCtl(t, CtlOptions{})
	w := talk(t, server)
	w.call(t, "stats.fetch sl: script:")
	w.call(t, "core.kill")
	assert.Equal(t, []string{"stats.fetch sl: script:", "core.kill"}, server.Requests())
}

func TestUncaptured(t *testing.T) {
	w := talk(t, startCtl(t, CtlOptions{}))
	for call, want := range map[string]string{
		"core.kill":            "command core.kill not found",
		"evapi.list":           "command evapi.list not found",
		"dlg.profile_get_size": "not captured: dlg.profile_get_size",
	} {
		reply := w.call(t, call)
		assert.Equal(t, byte(typeFault), reply.typ, call)
		assert.Equal(t, []string{"500", want}, texts(t, reply))
	}
	// Statistics that were not captured in a call of their own are rendered from the others.
	assert.Equal(t, []string{"dns.failed_dns_request", "0", "dns.slow_dns_request", "0", "pike.blocked_ips", "1"},
		texts(t, w.call(t, "stats.fetch dns: nothing: blocked_ips nothing")))
	assert.Equal(t, []string{"failed_dns_request", "slow_dns_request"}, texts(t, w.call(t, "cnt.var_list dns")))
}

// members returns the members of the struct in a reply.
func members(t *testing.T, w wire, call string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for pair := range slices.Chunk(texts(t, w.call(t, call)), 2) {
		all[pair[0]] = pair[1]
	}
	return all
}

// TestRenderedStatistics checks that rendered replies equal the captured ones until the clock advances.
func TestRenderedStatistics(t *testing.T) {
	captured := talk(t, startCtl(t, CtlOptions{}))
	rendered := talk(t, startCtl(t, CtlOptions{Moving: true, Now: emulatortest.NewClock().Now}))
	for _, call := range []string{"stats.fetch all", "cnt.var_list scriptcnt", "stats.fetch my_custom_value_total", "core.uptime", "tm.stats", "sl.stats"} {
		assert.Equal(t, captured.call(t, call), rendered.call(t, call), call)
	}
}

func TestMovingCounters(t *testing.T) {
	now := emulatortest.NewClock()
	w := talk(t, startCtl(t, CtlOptions{Moving: true, Now: now.Now}))
	now.Advance(28*time.Second + 999*time.Millisecond) // three times the captured 14 s
	assert.Equal(t, "42", members(t, w, "core.uptime")["uptime"])
	statistics := members(t, w, "stats.fetch all")
	assert.Len(t, statistics, 166)
	for name, want := range map[string]string{
		"core.rcv_requests":              "420",
		"core.fwd_requests":              "39",
		"dialog.active_dialogs":          "3",
		"dialog.processed_dialogs":       "63",
		"registrar.accepted_regs":        "15",
		"registrar.max_expires":          "3600",
		"script.my_custom_gauge":         "34",
		"script.my_negative":             "18446744073709551175", // -441
		"scriptcnt.big_bytes":            "126000000000",
		"shmem.used_size":                "4399520",
		"sl.sent_replies":                "171",
		"tcp.current_opened_connections": "2",
		"tcp.passive_open":               "9",
		"tmx.UAS_transactions":           "159",
		"tmx.inuse_transactions":         "18",
		"usrloc.location_users":          "5",
	} {
		assert.Equal(t, want, statistics[name], name)
	}
	transactions := members(t, w, "tm.stats")
	assert.Equal(t, "159", transactions["total"])
	assert.Equal(t, "18", transactions["current"])
	assert.Equal(t, "102", members(t, w, "sl.stats")["200"])
}

func TestRestart(t *testing.T) {
	now := emulatortest.NewClock()
	server := startCtl(t, CtlOptions{Now: now.Now})
	w := talk(t, server)
	now.Advance(time.Hour)
	assert.Equal(t, "14", members(t, w, "core.uptime")["uptime"])
	require.NoError(t, server.SetFault(emulator.Restart))
	_, err := w.ReadByte()
	require.ErrorIs(t, err, io.EOF)

	w = talk(t, server)
	assert.Equal(t, "0", members(t, w, "core.uptime")["uptime"])
	assert.Equal(t, "0", members(t, w, "stats.fetch core:")["core.rcv_requests"])
	now.Advance(7 * time.Second)
	assert.Equal(t, "7", members(t, w, "core.uptime")["uptime"])
	assert.Equal(t, "70", members(t, w, "stats.fetch core:")["core.rcv_requests"])
	assert.Equal(t, "67108864", members(t, w, "stats.fetch shmem:")["shmem.total_size"])
}

// TestStructLimit checks that fetching all statistics or their group fails if they do not fit into a struct, and that fetching names
// in batches succeeds.
func TestStructLimit(t *testing.T) {
	now := emulatortest.NewClock()
	w := talk(t, startCtl(t, CtlOptions{Scene: "limits", Now: now.Now}))
	for _, call := range []string{"stats.fetch all", "stats.fetch script:"} {
		assert.Equal(t, []string{"500", "Internal error"}, texts(t, w.call(t, call)), call)
	}
	assert.Len(t, members(t, w, "stats.fetch tmx: sl:"), 14+24)
	names := texts(t, w.call(t, "cnt.var_list script"))
	assert.Len(t, names, 904)
	fetched := map[string]string{}
	for batch := range slices.Chunk(names, 100) {
		maps.Copy(fetched, members(t, w, "stats.fetch "+strings.Join(batch, " ")))
	}
	assert.Len(t, fetched, 904)
	assert.Equal(t, "42", fetched["script.extra_statistic_number_0002_total"])
	assert.Equal(t, "My-Mixed.Case_seconds", names[0])
}

func TestManyStatistics(t *testing.T) {
	now := emulatortest.NewClock()
	w := talk(t, startCtl(t, CtlOptions{Statistics: 1000, StructLimit: 60 << 10, Moving: true, Now: now.Now}))
	now.Advance(6 * time.Second)
	statistics := members(t, w, "stats.fetch all")
	assert.Len(t, statistics, 1166)
	for i := range 1000 {
		name := fmt.Sprintf("script.extra_statistic_number_%04d_total", i)
		assert.Equal(t, strconv.Itoa(20*(i%5+1)), statistics[name], name)
	}
}

func TestManyTargets(t *testing.T) {
	captured := talk(t, startCtl(t, CtlOptions{})).call(t, "dispatcher.list")
	for targets, want := range map[int]int{0: 5, 3: 3, 5: 5, 12: 12, 200: 200} {
		list := talk(t, startCtl(t, CtlOptions{Targets: targets})).call(t, "dispatcher.list")
		assert.Equal(t, 4, count(t, list, "SET"))
		assert.Equal(t, want, count(t, list, "DEST"))
		if want == 5 {
			assert.Equal(t, captured, list)
		}
		if want > 5 {
			assert.Equal(t, want-5, strings.Count(string(list.body), "sip:target"))
			assert.Equal(t, 1, strings.Count(string(list.body), "sip:target00007@127.0.0.1:15997;transport=tcp\x00"))
		}
	}
}

// count counts the members of a name.
func count(t *testing.T, p packet, name string) (n int) {
	t.Helper()
	for _, text := range texts(t, p) {
		if text == name {
			n++
		}
	}
	return n
}

func TestOptions(t *testing.T) {
	for message, o := range map[string]CtlOptions{
		`network "udp" is neither unix nor tcp`:        {Network: "udp"},
		"testdata/kamailio/binrpc/party is no scene":   {Scene: "party"},
		"cannot listen on /nonexistent/kamailio_ctl: ": {Addr: "/nonexistent/kamailio_ctl"},
	} {
		_, err := NewCtl(o)
		assert.ErrorContains(t, err, message)
	}
}
