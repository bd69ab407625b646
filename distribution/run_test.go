// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
)

// emulatorBinary builds the emulator like the Makefile.
var emulatorBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(temp, "emulator")
	output, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", path, "../internal/emulator/cmd/emulator").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

// emulatedPorts is the number of ports of the emulated servers of run.sh.
const emulatedPorts = 9

// freePortsInRow returns the first of some free ports below those that the system gives to clients.
func freePortsInRow(t *testing.T, n int) int {
	t.Helper()
	for {
		first := 20_000 + rand.IntN(10_000)
		free := 0
		for free < n && isFree(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(first+free))) {
			free++
		}
		if free == n {
			return first
		}
	}
}

// isFree reports whether an address is free, and reserves it.
func isFree(t *testing.T, address string) bool {
	t.Helper()
	if _, used := usedAddresses.LoadOrStore(address, true); used {
		return false
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		return false
	}
	require.NoError(t, l.Close())
	return true
}

// demo is a running run.sh.
type demo struct {
	port           int // the first one of the emulated servers
	page, overview string
	cmd            *exec.Cmd
	log            log
	done           chan struct{} // closed when it has exited
}

// newDemo prepares run.sh with the system, or with all if it is empty, on free ports.
func newDemo(t *testing.T, system string) *demo {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		notInstalled(t, "curl")
	}
	collector, err := binary()
	require.NoError(t, err)
	emulator, err := emulatorBinary()
	require.NoError(t, err)
	repository, err := filepath.Abs("..")
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "bin"), 0o755))
	require.NoError(t, os.Symlink(emulator, filepath.Join(folder, "bin", "emulator")))
	require.NoError(t, os.Symlink(filepath.Join(repository, "distribution"), filepath.Join(folder, "distribution")))
	script := fmt.Sprintf("#!/bin/sh\nexec %q \"$@\" --config \"$FREE_PORTS\"\n", collector)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "bin", "otelcol-rtc"), []byte(script), 0o755))

	d := &demo{port: freePortsInRow(t, emulatedPorts), page: freeAddress(t), overview: freeAddress(t), done: make(chan struct{})}
	_, telemetry, err := net.SplitHostPort(freeAddress(t))
	require.NoError(t, err)
	d.cmd = exec.CommandContext(t.Context(), filepath.Join("distribution", "run.sh"))
	d.cmd.Dir = folder
	d.cmd.Env = append(os.Environ(), "SYSTEM="+system, "PORT="+strconv.Itoa(d.port), "PAGE="+d.page, "OVERVIEW="+d.overview,
		"STATUS="+freeAddress(t), "ZPAGES="+freeAddress(t), "TELEMETRY_PORT="+telemetry, "FREE_PORTS="+freePorts)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal sends signals to the group
	d.cmd.Cancel = func() error { return syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL) }
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	return d
}

func (d *demo) start(t *testing.T) {
	t.Helper()
	require.NoError(t, d.cmd.Start())
	go func() {
		_ = d.cmd.Wait() // wait checks the exit status
		close(d.done)
	}()
}

// wait returns the exit status.
func (d *demo) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-d.done:
		return d.cmd.ProcessState.ExitCode()
	case <-time.After(waitTimeout):
		require.Fail(t, "run.sh does not exit", d.log.String())
		return 0
	}
}

// checkGone checks that run.sh has left no process. The system may take a moment to remove processes that have exited.
func (d *demo) checkGone(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(-d.cmd.Process.Pid, 0), syscall.ESRCH) }, waitTimeout, pollInterval,
		"a process is still running")
}

// targets returns whether each target is up, by the job.
func (d *demo) targets(t require.TestingT) map[string]float64 {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	f, err := parser.TextToMetricFamilies(strings.NewReader(fetch(t, "http://"+d.page+"/metrics")))
	require.NoError(t, err)
	up := map[string]float64{}
	for _, series := range f["rtc_target_up"].GetMetric() {
		for _, pair := range series.GetLabel() {
			if pair.GetName() == "job" {
				up[pair.GetValue()] = value(series)
			}
		}
	}
	return up
}

// demoJobs lists the jobs of the emulated servers by system.
var demoJobs = map[string][]string{
	"zlmediakit": {"zlmediakit"},
	"kamailio":   {"kamailio", "rtpengine"},
	"jitsi":      {"jitsi-videobridge", "jitsi-jicofo", "jitsi-jigasi", "jitsi-jibri"},
	"flussonic":  {"flussonic"},
	"mediasoup":  {"mediasoup"},
}

// printedCommand matches a command in the output of run.sh.
var printedCommand = regexp.MustCompile(`(?m)^  .*  (curl .*)$`)

// TestRun runs run.sh with each system and with all until Ctrl-C, and enters the commands that it prints.
func TestRun(t *testing.T) {
	t.Parallel()
	all := map[string][]string{"": nil}
	for _, system := range systems.All {
		require.Contains(t, demoJobs, system.Receiver)
		all[system.Receiver] = demoJobs[system.Receiver]
		all[""] = append(all[""], demoJobs[system.Receiver]...)
	}
	for system, jobs := range all {
		t.Run("system "+system, func(t *testing.T) {
			t.Parallel()
			d := newDemo(t, system)
			d.start(t)
			require.Eventually(t, func() bool { return strings.Contains(d.log.String(), "make run CONFIG=") }, waitTimeout, pollInterval, &d.log)
			up := map[string]float64{}
			for _, job := range jobs {
				up[job] = 1
			}
			assert.Equal(t, up, d.targets(t), "every target was scraped before the text")

			addresses := regexp.MustCompile(`http://\S+`).FindAllString(d.log.String(), 2)
			assert.Equal(t, []string{"http://" + d.overview + "/", "http://" + d.page + "/metrics"}, addresses)
			if _, exists := merge(t, shipped("base.yaml"))["exporters"].(map[string]any)["overview"]; exists {
				fetch(t, addresses[0])
			}
			commands := printedCommand.FindAllStringSubmatch(d.log.String(), -1)
			assert.Len(t, commands, 3)
			for _, command := range commands {
				output, err := exec.CommandContext(t.Context(), "sh", "-c", command[1]).CombinedOutput()
				require.NoError(t, err, "%s: %s", command[1], output)
			}
			eventually(t, func(c *assert.CollectT) { // one of the commands lets a server hang
				assert.Contains(c, d.targets(c), jobs[0])
				assert.NotEqual(c, up, d.targets(c))
			})

			require.NoError(t, syscall.Kill(-d.cmd.Process.Pid, syscall.SIGINT))
			assert.Zero(t, d.wait(t), &d.log)
			d.checkGone(t)
		})
	}
}

// TestRunFails checks that run.sh exits and names the reason.
func TestRunFails(t *testing.T) {
	t.Parallel()
	listen := func(t *testing.T, address string) {
		t.Helper()
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
	}
	for name, test := range map[string]struct {
		system string
		taken  func(*demo) string // an address that is in use
		exit   int
		reason string
	}{
		"system": {"asterisk", nil, 2, "SYSTEM=asterisk is none of zlmediakit, kamailio, jitsi, flussonic, mediasoup\n"},
		"server": {
			"jitsi", func(d *demo) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port+4)) }, 1,
			"emulator: cannot listen on %[1]s: listen tcp %[1]s: bind: address already in use\n",
		},
		"page": {"jitsi", func(d *demo) string { return d.page }, 1, "listen tcp %s: bind: address already in use"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDemo(t, test.system)
			reason := test.reason
			if test.taken != nil {
				address := test.taken(d)
				listen(t, address)
				reason = fmt.Sprintf(reason, address)
			}
			d.start(t)
			assert.Equal(t, test.exit, d.wait(t))
			assert.Contains(t, d.log.String(), reason)
			assert.NotContains(t, d.log.String(), "Press Ctrl-C")
			d.checkGone(t)
		})
	}
}
