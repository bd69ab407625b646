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

// Whatever is measured has a process of its own: the parent starts itself anew with a job.

// jobVariable is the environment variable that holds a child's job, as JSON.
const jobVariable = "OTELCOL_RTC_COMPARE_JOB"

// childLasts bounds how long a child may run.
const childLasts = 10 * time.Minute

// job is what a child does.
type job struct {
	Role     string
	System   string
	Size     int
	Endpoint string // of what it reads
	Interval time.Duration
	Scrapes  int
}

func (j job) as(role, endpoint string) job {
	j.Role, j.Endpoint = role, endpoint
	return j
}

// errNoChild says that this process has no job.
var errNoChild = errors.New("not a child")

// workAsChild does the job of this process until in ends, and tells what there is to tell on out.
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
	cmd   *exec.Cmd
	in    io.Closer
	told  *json.Decoder
	clean context.CancelFunc
}

// start starts a process. Without a word from its parent it ends: when that ends, too.
func start(ctx context.Context, j job) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	ctx, clean := context.WithTimeout(ctx, childLasts)
	c := &child{cmd: exec.CommandContext(ctx, program), clean: clean} //nolint:gosec // itself
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
		clean()
		return nil, err
	}
	c.told = json.NewDecoder(out)
	return c, nil
}

// told waits for the next thing that a child tells.
func told[T any](c *child) (result T, err error) {
	if err := c.told.Decode(&result); err != nil {
		return result, fmt.Errorf("a process ended before it told anything: %w", err)
	}
	return result, nil
}

// stop ends a child. How it ends does not matter any more.
func (c *child) stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
	c.clean()
}
