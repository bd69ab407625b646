// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command emulator runs emulated servers of the monitored systems until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
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

// server is a server with the address of its flag.
type server struct {
	systems.Server
	address *string
	start   systems.StartFunc
	life    emulator.Life
}

// defaultAddresses holds the addresses of the servers that start without a flag.
var defaultAddresses = map[string]string{"zlmediakit": "127.0.0.1:18080"}

// parse returns the servers with an address.
func parse(args []string) (servers []server, err error) {
	flags := flag.NewFlagSet("emulator", flag.ContinueOnError)
	life := flags.Uint64("life", 0, "`seed` of events: load rises and falls, streams come and go, servers restart; 0 for none")
	for _, system := range systems.All {
		for _, s := range system.Servers {
			address := flags.String(s.Name, defaultAddresses[s.Name], "`address` of the "+s.Doc+"; not started when empty")
			servers = append(servers, server{Server: s, address: address, start: s.Define(flags)})
		}
	}
	err = flags.Parse(args)
	for i := range servers {
		servers[i].life = emulator.Life(*life)
	}
	return slices.DeleteFunc(servers, func(s server) bool { return *s.address == "" }), err
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	servers, err := parse(args)
	if err != nil {
		return err
	}
	var running []*emulator.Server
	defer func() {
		for _, s := range running {
			s.Close()
		}
	}()
	for _, s := range servers {
		started, err := s.start(*s.address, s.life)
		if err != nil {
			return err
		}
		running = append(running, started)
		if err := announce(out, s.Name, started.URL()); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// announce prints the URL of a server. Only HTTP servers have pages to control faults.
func announce(out io.Writer, name, url string) error {
	line := name + " answers at " + url
	if strings.HasPrefix(url, "http://") {
		line += ", its faults are listed at " + url + "/_emulator/faults"
	}
	_, err := fmt.Fprintln(out, line)
	return err
}
