// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command emulator plays the monitored servers for a demonstration, until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	var zlm emulator.ZLMediaKit
	flags := flag.NewFlagSet("emulator", flag.ContinueOnError)
	flags.StringVar(&zlm.Addr, "zlmediakit", "127.0.0.1:18080", "`address` of the ZLMediaKit server")
	flags.StringVar(&zlm.Scene, "scene", "busy", "`folder` of testdata/zlmediakit to answer from")
	flags.IntVar(&zlm.Streams, "streams", 25, "`number` of streams, 0 for the captured answers as they are")
	flags.StringVar(&zlm.Secret, "secret", "", "API `secret`, empty to accept any")
	if err := flags.Parse(args); err != nil {
		return err
	}
	server, err := emulator.NewZLMediaKit(zlm)
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err := fmt.Fprintf(out, "zlmediakit answers at %s, its faults are listed at %[1]s/_emulator/faults\n", server.URL()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
