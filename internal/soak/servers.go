// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// systems are played by turns: the type of the receiver, its settings for a server's URL, and such a server with n streams.
var systems = []struct {
	receiver, settings string
	start              func(n int) (*emulator.Server, error)
}{
	{"zlmediakit", "endpoint: %q, secret: soak", func(n int) (*emulator.Server, error) {
		return zlmediakit.New(zlmediakit.Options{Streams: n})
	}},
	{"kamailio", "endpoint: %q", func(n int) (*emulator.Server, error) {
		return kamailio.NewCtl(kamailio.CtlOptions{Network: "tcp", Targets: n, Moving: true})
	}},
	{"jitsi", "jvb: {endpoint: %q}", func(int) (*emulator.Server, error) {
		return jitsi.NewJVB(jitsi.JVBOptions{Stats: true, Moving: true})
	}},
	{"flussonic", "endpoint: %q", func(n int) (*emulator.Server, error) {
		return flussonic.New(flussonic.Options{Streams: n, Moving: true})
	}},
	{"mediasoup", "endpoint: %q", func(n int) (*emulator.Server, error) {
		return mediasoup.NewAgent(mediasoup.AgentOptions{Consumers: n, Moving: true})
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
