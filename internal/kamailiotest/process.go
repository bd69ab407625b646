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

// process is a program in its own process group, so that signals reach its children, too.
type process struct {
	name string
	cmd  *exec.Cmd
	log  log
	done chan struct{} // closed when all processes of the group have exited and err is set
	err  error
}

// run starts a program in a directory. It is killed at the end of the test.
func run(t testing.TB, dir, name string, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), find(t, name), args...) //nolint:gosec // arguments of tests
	p := &process{name: name, cmd: cmd, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return p.signal(syscall.SIGKILL) }
	require.NoError(t, p.cmd.Start())

	// If the tests end without cleanup (by a panic or a signal), the guard's input ends and the guard kills the group.
	guard := exec.CommandContext(t.Context(), "sh", "-c", "trap '' HUP; read _; kill -9 0")
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: p.cmd.Process.Pid}
	input, err := guard.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, guard.Start())

	go func() {
		p.err = p.cmd.Wait() // until the output is closed, also by the children
		_ = input.Close()
		_ = guard.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("last output of %s:\n%s", name, tail(p.log.String()))
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) error { return syscall.Kill(-p.cmd.Process.Pid, s) }

// kill kills the group and waits until it has exited.
func (p *process) kill() {
	if !p.exited() {
		_ = p.signal(syscall.SIGKILL) // fails if it has just exited
	}
	<-p.done
}

func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// tail returns the end of a log.
func tail(log string) string { return log[max(0, len(log)-3000):] }

// log is a buffer for concurrent reading and writing.
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
