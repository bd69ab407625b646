// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
)

// serve starts servers of all systems in turn, and prints a line with the name and the settings of a receiver for each. It returns
// when ctx is done.
func serve(ctx context.Context, o options, out io.Writer) error {
	var servers []*emulator.Server
	defer func() {
		for _, server := range servers {
			server.Close()
		}
	}()
	for i := range o.servers {
		system := systems.All[i%len(systems.All)]
		server, err := system.Start(o.streams)
		if err != nil {
			return err
		}
		servers = append(servers, server)
		if _, err := fmt.Fprintf(out, "%s/%d "+system.Settings+"\n", system.Receiver, i, server.URL()); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}
