// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package systems lists the monitored systems and their emulated servers, for the emulator command, the soak test and the tests of
// the distribution. A test compares the list with builder-config.yaml.
package systems

import (
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// System is a monitored system.
type System struct {
	// Receiver is the type of its receiver, which is in receiver/<Receiver>receiver.
	Receiver string
	// Settings are the YAML settings of the receiver for the first server, with %q in place of the endpoint.
	Settings string
	// Size is the flag of the first server for the number of streams or other items. It is empty if the server cannot be scaled.
	Size string
	// Ports are the default ports of the real servers.
	Ports []int
	// Servers are its emulated servers.
	Servers []Server
}

// Server is an emulated server.
type Server struct {
	// Name is the name of the server in lower case and of the flag for its address.
	Name string
	// Doc describes the server and its address.
	Doc string
	// Define defines the flags of the server's options and returns a function that starts it with them.
	Define func(*flag.FlagSet) StartFunc
}

// StartFunc starts a server at an address, or at a free one if it is empty, with the events of life.
type StartFunc func(address string, life emulator.Life) (*emulator.Server, error)

// Start starts the first server of the system at a free address. If the server can be scaled, it has size items, or the captured ones
// if size is 0.
func (s System) Start(size int) (*emulator.Server, error) {
	flags := flag.NewFlagSet(s.Receiver, flag.ContinueOnError)
	start := s.Servers[0].Define(flags)
	if s.Size != "" {
		if err := flags.Set(s.Size, strconv.Itoa(size)); err != nil {
			return nil, fmt.Errorf("cannot scale %s: %w", s.Receiver, err)
		}
	}
	return start("", 0)
}

// All lists all systems in the order of builder-config.yaml.
var All = []System{
	{
		Receiver: "zlmediakit",
		Settings: "endpoint: %q, secret: any",
		Size:     "streams",
		Ports:    []int{80, 443, 554, 1935, 8000, 9000, 10000},
		Servers:  []Server{{Name: "zlmediakit", Doc: "ZLMediaKit server", Define: zlmediakitServer}},
	},
	{
		Receiver: "kamailio",
		Settings: "endpoint: %q",
		Size:     "targets",
		Ports:    []int{2049, 2223, 2225, 5060, 8080, 22222}, // including those of rtpengine
		Servers: []Server{
			{Name: "kamailio", Doc: "Kamailio server (/path or host:port)", Define: kamailioCtl},
			{Name: "kamailio-http", Doc: "Kamailio server's JSON-RPC and metrics page", Define: kamailioHTTP},
			{Name: "rtpengine", Doc: "rtpengine server", Define: rtpengine},
		},
	},
	{
		Receiver: "jitsi",
		Settings: "jvb: {endpoint: %q}",
		Ports:    []int{443, 2222, 3333, 4443, 8080, 8788, 8888, 9090, 10000},
		Servers: []Server{
			{Name: "jvb", Doc: "Jitsi Videobridge", Define: jvb},
			{Name: "jicofo", Doc: "Jicofo server", Define: jicofo},
			{Name: "jigasi", Doc: "Jigasi server", Define: jigasi},
			{Name: "jibri", Doc: "Jibri server", Define: jibri},
		},
	},
	{
		Receiver: "flussonic",
		Settings: "endpoint: %q",
		Size:     "flussonic-streams",
		Ports:    []int{80, 443, 554, 1935, 8080, 8081},
		Servers:  []Server{{Name: "flussonic", Doc: "Flussonic server", Define: flussonicServer}},
	},
	{
		Receiver: "mediasoup",
		Settings: "endpoint: %q",
		Size:     "mediasoup-consumers",
		Ports:    []int{3000, 4443, 8889, 9414},
		Servers: []Server{
			{Name: "mediasoup", Doc: "agent in a mediasoup application", Define: mediasoupAgent},
			{Name: "edumeet", Doc: "metrics pages of an edumeet server", Define: edumeet},
		},
	},
}

// starter returns the StartFunc of a server with options, in which addr and seed point to the address and the seed of its events.
func starter[O any](options *O, addr *string, seed *emulator.Life, start func(O) (*emulator.Server, error)) StartFunc {
	return func(address string, life emulator.Life) (*emulator.Server, error) {
		*addr, *seed = address, life
		return start(*options)
	}
}

func zlmediakitServer(flags *flag.FlagSet) StartFunc {
	var o zlmediakit.Options
	flags.StringVar(&o.Scene, "scene", "busy", "`folder` of testdata/zlmediakit to answer from")
	flags.IntVar(&o.Streams, "streams", 25, "`number` of streams of the ZLMediaKit server, 0 for the captured answers as they are")
	flags.StringVar(&o.Secret, "secret", "", "API `secret` of the ZLMediaKit server, empty to accept any")
	return starter(&o, &o.Addr, &o.Life, zlmediakit.New)
}

func kamailioCtl(flags *flag.FlagSet) StartFunc {
	o := kamailio.CtlOptions{Network: "tcp", Moving: true}
	flags.IntVar(&o.Targets, "targets", 5, "`number` of dispatcher targets of the Kamailio server")
	return func(address string, life emulator.Life) (*emulator.Server, error) {
		o.Addr, o.Life = address, life
		if strings.HasPrefix(address, "/") {
			o.Network = "unix"
		}
		return kamailio.NewCtl(o)
	}
}

func kamailioHTTP(*flag.FlagSet) StartFunc {
	return func(address string, _ emulator.Life) (*emulator.Server, error) {
		return kamailio.NewHTTP(kamailio.HTTPOptions{Addr: address, Moving: true})
	}
}

func rtpengine(*flag.FlagSet) StartFunc {
	o := kamailio.RTPEngineOptions{Moving: true}
	return starter(&o, &o.Addr, &o.Life, kamailio.NewRTPEngine)
}

func jvb(flags *flag.FlagSet) StartFunc {
	o := jitsi.JVBOptions{Stats: true, Moving: true}
	flags.StringVar(&o.Version, "jvb-version", "2.3.312", "`version` of the Jitsi Videobridge to answer from")
	return starter(&o, &o.Addr, &o.Life, jitsi.NewJVB)
}

func jicofo(flags *flag.FlagSet) StartFunc {
	o := jitsi.JicofoOptions{Moving: true}
	flags.IntVar(&o.Bridges, "bridges", 3, "`number` of bridges of the Jicofo server")
	return starter(&o, &o.Addr, &o.Life, jitsi.NewJicofo)
}

func jigasi(*flag.FlagSet) StartFunc {
	o := jitsi.JigasiOptions{Moving: true}
	return starter(&o, &o.Addr, &o.Life, jitsi.NewJigasi)
}

func jibri(*flag.FlagSet) StartFunc {
	return func(address string, _ emulator.Life) (*emulator.Server, error) {
		return jitsi.NewJibri(jitsi.JibriOptions{Addr: address, Metrics: true, Moving: true})
	}
}

func flussonicServer(flags *flag.FlagSet) StartFunc {
	o := flussonic.Options{Moving: true}
	flags.IntVar(&o.Streams, "flussonic-streams", 25, "`number` of streams of the Flussonic server, 0 for the captured ones")
	flags.StringVar(&o.Generation, "flussonic-generation", "25.11", "`version` of the Flussonic server: 25.11, 23.10, 23.01, full-23.10, edge, legacy")
	return starter(&o, &o.Addr, &o.Life, flussonic.New)
}

func mediasoupAgent(flags *flag.FlagSet) StartFunc {
	o := mediasoup.AgentOptions{Moving: true}
	flags.IntVar(&o.Consumers, "mediasoup-consumers", 200, "about this `number` of mediasoup consumers, 0 for the captured ones")
	return starter(&o, &o.Addr, &o.Life, mediasoup.NewAgent)
}

func edumeet(*flag.FlagSet) StartFunc {
	return func(address string, _ emulator.Life) (*emulator.Server, error) {
		return mediasoup.NewEdumeet(mediasoup.EdumeetOptions{Addr: address, Moving: true})
	}
}
