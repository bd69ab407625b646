// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailiotest

import (
	"bytes"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// process is a program in a process group of its own: what is done to it is done to its children too.
type process struct {
	name string
	cmd  *exec.Cmd
	log  log
	done chan struct{} // closed when all of the group have ended, with err
	err  error
}

// run starts a program in a directory. At the end of the test nothing is left of it.
func run(t testing.TB, dir, name string, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), find(t, name), args...) //nolint:gosec // tests say what to run
	p := &process{name: name, cmd: cmd, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return p.signal(syscall.SIGKILL) }
	require.NoError(t, p.cmd.Start())

	// When the tests end without clean-up (a panic, a kill), the guard's input ends, and it takes the group with it.
	guard := exec.CommandContext(t.Context(), "sh", "-c", "trap '' HUP; read _; kill -9 0")
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: p.cmd.Process.Pid}
	input, err := guard.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, guard.Start())

	go func() {
		p.err = p.cmd.Wait() // for the end of its output, that is, of its children
		_ = input.Close()
		_ = guard.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", name, tail(p.log.String()))
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) error { return syscall.Kill(-p.cmd.Process.Pid, s) }

// kill ends the group and waits until it has ended.
func (p *process) kill() {
	if !p.ended() {
		_ = p.signal(syscall.SIGKILL) // fails when it has just ended
	}
	<-p.done
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// tail returns the end of a log.
func tail(log string) string { return log[max(0, len(log)-3000):] }

// log is a buffer that can be read while a program writes.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
