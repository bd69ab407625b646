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
	"strings"
	"syscall"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
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

// systems are the servers to play, each with its options; those without an address are left out.
type systems struct {
	zlm       zlmediakit.Options
	kamailio  kamailio.CtlOptions
	http      kamailio.HTTPOptions
	rtpengine kamailio.RTPEngineOptions
	jvb       jitsi.JVBOptions
	jicofo    jitsi.JicofoOptions
	jigasi    jitsi.JigasiOptions
	jibri     jitsi.JibriOptions
	mediasoup mediasoup.AgentOptions
	edumeet   mediasoup.EdumeetOptions
	flussonic flussonic.Options
}

func (s *systems) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("emulator", flag.ContinueOnError)
	flags.StringVar(&s.zlm.Addr, "zlmediakit", "127.0.0.1:18080", "`address` of the ZLMediaKit server")
	flags.StringVar(&s.zlm.Scene, "scene", "busy", "`folder` of testdata/zlmediakit to answer from")
	flags.IntVar(&s.zlm.Streams, "streams", 25, "`number` of streams, 0 for the captured answers as they are")
	flags.StringVar(&s.zlm.Secret, "secret", "", "API `secret`, empty to accept any")
	flags.StringVar(&s.kamailio.Addr, "kamailio", "", "`socket` of the Kamailio server, /path or host:port; none when empty")
	flags.IntVar(&s.kamailio.Targets, "targets", 5, "`number` of dispatcher targets of the Kamailio server")
	flags.StringVar(&s.http.Addr, "kamailio-http", "", "`address` of the Kamailio server's JSON-RPC and metrics page; none when empty")
	flags.StringVar(&s.rtpengine.Addr, "rtpengine", "", "`address` of the rtpengine server; none when empty")
	flags.StringVar(&s.jvb.Addr, "jvb", "", "`address` of the Jitsi Videobridge; none when empty")
	flags.StringVar(&s.jvb.Version, "jvb-version", "2.3.312", "`version` of the Jitsi Videobridge to answer from")
	flags.StringVar(&s.jicofo.Addr, "jicofo", "", "`address` of the Jicofo server; none when empty")
	flags.IntVar(&s.jicofo.Bridges, "bridges", 3, "`number` of bridges of the Jicofo server")
	flags.StringVar(&s.jigasi.Addr, "jigasi", "", "`address` of the Jigasi server; none when empty")
	flags.StringVar(&s.jibri.Addr, "jibri", "", "`address` of the Jibri server; none when empty")
	flags.StringVar(&s.mediasoup.Addr, "mediasoup", "", "`address` of the agent in a mediasoup application; none when empty")
	flags.IntVar(&s.mediasoup.Consumers, "mediasoup-consumers", 200, "about this `number` of mediasoup consumers, 0 for the captured ones")
	flags.StringVar(&s.edumeet.Addr, "edumeet", "", "`address` of the metrics pages of an edumeet server; none when empty")
	flags.StringVar(&s.flussonic.Addr, "flussonic", "", "`address` of the Flussonic server; none when empty")
	flags.IntVar(&s.flussonic.Streams, "flussonic-streams", 25, "`number` of streams of the Flussonic server, 0 for the captured ones")
	flags.StringVar(&s.flussonic.Generation, "flussonic-generation", "25.11", "`version` of the Flussonic server: 25.11, 23.10, 23.01, full-23.10, edge, legacy")
	s.kamailio.Moving, s.http.Moving, s.rtpengine.Moving = true, true, true
	s.jvb.Moving, s.jicofo.Moving, s.jigasi.Moving, s.jibri.Moving = true, true, true, true
	s.jvb.Stats, s.jibri.Metrics = true, true
	s.mediasoup.Moving, s.edumeet.Moving = true, true
	s.flussonic.Moving = true
	return flags
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	var s systems
	if err := s.flags().Parse(args); err != nil {
		return err
	}
	servers, err := s.start(out)
	if err == nil {
		<-ctx.Done()
	}
	for _, server := range servers {
		server.Close()
	}
	return err
}

// start starts what has an address. When it fails, what was started is returned all the same.
func (s *systems) start(out io.Writer) (servers []*emulator.Server, err error) {
	s.kamailio.Network = "tcp"
	if strings.HasPrefix(s.kamailio.Addr, "/") {
		s.kamailio.Network = "unix"
	}
	for _, system := range []struct {
		name, address string
		start         func() (*emulator.Server, error)
	}{
		{"zlmediakit", s.zlm.Addr, func() (*emulator.Server, error) { return zlmediakit.New(s.zlm) }},
		{"kamailio", s.kamailio.Addr, func() (*emulator.Server, error) { return kamailio.NewCtl(s.kamailio) }},
		{"kamailio-http", s.http.Addr, func() (*emulator.Server, error) { return kamailio.NewHTTP(s.http) }},
		{"rtpengine", s.rtpengine.Addr, func() (*emulator.Server, error) { return kamailio.NewRTPEngine(s.rtpengine) }},
		{"jvb", s.jvb.Addr, func() (*emulator.Server, error) { return jitsi.NewJVB(s.jvb) }},
		{"jicofo", s.jicofo.Addr, func() (*emulator.Server, error) { return jitsi.NewJicofo(s.jicofo) }},
		{"jigasi", s.jigasi.Addr, func() (*emulator.Server, error) { return jitsi.NewJigasi(s.jigasi) }},
		{"jibri", s.jibri.Addr, func() (*emulator.Server, error) { return jitsi.NewJibri(s.jibri) }},
		{"mediasoup", s.mediasoup.Addr, func() (*emulator.Server, error) { return mediasoup.NewAgent(s.mediasoup) }},
		{"edumeet", s.edumeet.Addr, func() (*emulator.Server, error) { return mediasoup.NewEdumeet(s.edumeet) }},
		{"flussonic", s.flussonic.Addr, func() (*emulator.Server, error) { return flussonic.New(s.flussonic) }},
	} {
		if system.address == "" {
			continue
		}
		server, err := system.start()
		if err != nil {
			return servers, err
		}
		servers = append(servers, server)
		if err := announce(out, system.name, server.URL()); err != nil {
			return servers, err
		}
	}
	return servers, nil
}

// announce says where a server is. Only those that speak HTTP can be told their faults.
func announce(out io.Writer, name, url string) error {
	line := name + " answers at " + url
	if strings.HasPrefix(url, "http://") {
		line += ", its faults are listed at " + url + "/_emulator/faults"
	}
	_, err := fmt.Fprintln(out, line)
	return err
}
