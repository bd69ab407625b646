// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// systems are played by turns: the type of the receiver, its settings for a server's URL, and such a server with n streams.
var systems = []struct {
	receiver, settings string
	start              func(n int) (*emulator.Server, error)
}{
	{"zlmediakit", "endpoint: %q, secret: soak", func(n int) (*emulator.Server, error) {
		return emulator.NewZLMediaKit(emulator.ZLMediaKit{Streams: n})
	}},
	{"kamailio", "endpoint: %q", func(n int) (*emulator.Server, error) {
		return emulator.NewKamailio(emulator.Kamailio{Network: "tcp", Targets: n, Moving: true})
	}},
	{"jitsi", "jvb: {endpoint: %q}", func(int) (*emulator.Server, error) {
		return emulator.NewJVB(emulator.JVB{Stats: true, Moving: true})
	}},
	{"flussonic", "endpoint: %q", func(n int) (*emulator.Server, error) {
		return emulator.NewFlussonic(emulator.Flussonic{Streams: n, Moving: true})
	}},
	{"mediasoup", "endpoint: %q", func(n int) (*emulator.Server, error) {
		return emulator.NewMediasoup(emulator.Mediasoup{Consumers: n, Moving: true})
	}},
}

// serve plays the servers until the context ends, and tells a receiver's name and settings for each, a line each.
func serve(ctx context.Context, o options, out io.Writer) error {
	var servers []*emulator.Server
	defer func() {
		for _, server := range servers {
			server.Close()
		}
	}()
	for i := range o.servers {
		system := systems[i%len(systems)]
		server, err := system.start(o.streams)
		if err != nil {
			return err
		}
		servers = append(servers, server)
		if _, err := fmt.Fprintf(out, "%s/%d "+system.settings+"\n", system.receiver, i, server.URL()); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}
