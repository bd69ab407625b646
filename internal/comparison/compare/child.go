// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Each measurement runs in a separate process: the command starts itself as a child with a job.

// jobVariable is the environment variable that holds the job of a child in JSON.
const jobVariable = "OTELCOL_RTC_COMPARE_JOB"

// childTimeout is the maximum run time of a child.
const childTimeout = 10 * time.Minute

// job is the task of a child.
type job struct {
	Role     string
	System   string
	Size     int
	Endpoint string // to scrape
	Interval time.Duration
	Scrapes  int
}

func (j job) as(role, endpoint string) job {
	j.Role, j.Endpoint = role, endpoint
	return j
}

// errNoChild is the error of workAsChild in a process that has no job.
var errNoChild = errors.New("not a child process")

// workAsChild does the job of this process until in ends, and writes its results to out.
func workAsChild(ctx context.Context, in io.Reader, out io.Writer) error {
	text, ok := os.LookupEnv(jobVariable)
	if !ok {
		return errNoChild
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, in)
	}()
	encoder := json.NewEncoder(out)
	return j.work(ctx, func(result any) error { return encoder.Encode(result) })
}

// child is a process with a job.
type child struct {
	cmd    *exec.Cmd
	in     io.Closer
	out    *json.Decoder
	cancel context.CancelFunc
}

// start starts a child. It exits when its input is closed, and therefore also when the parent exits.
func start(ctx context.Context, j job) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, childTimeout)
	c := &child{cmd: exec.CommandContext(ctx, program), cancel: cancel} //nolint:gosec // this program
	c.cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		c.in, err = c.cmd.StdinPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	c.out = json.NewDecoder(out)
	return c, nil
}

// receive waits for the next result of a child.
func receive[T any](c *child) (result T, err error) {
	if err := c.out.Decode(&result); err != nil {
		return result, fmt.Errorf("a child process exited without a result: %w", err)
	}
	return result, nil
}

// startServing starts a child that serves, and returns its URL.
func startServing(ctx context.Context, j job) (c *child, url string, err error) {
	if c, err = start(ctx, j); err != nil {
		return nil, "", err
	}
	if url, err = receive[string](c); err != nil {
		c.stop()
		return nil, "", err
	}
	return c, url, nil
}

// stop ends a child and ignores its exit status.
func (c *child) stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
	c.cancel()
}
