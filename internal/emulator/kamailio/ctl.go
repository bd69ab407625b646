// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package kamailio emulates Kamailio, with BINRPC and HTTP, and rtpengine.
package kamailio

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// CtlOptions configures the module ctl of an emulated Kamailio, which uses BINRPC.
type CtlOptions struct {
	// Network is "unix" (the default) or "tcp".
	Network string
	// Addr is the path of the socket or host:port. If it is empty, an unused one is chosen.
	Addr string
	// Scene is a directory of testdata/kamailio/binrpc: "unix" (the default), "tcp", "minimal" or "limits".
	Scene string
	// Targets is the number of targets to which dispatcher.list is scaled. If it is 0, only the captured ones exist.
	Targets int
	// Statistics is the number of statistics that are added to the group script, which can make the reply to stats.fetch exceed
	// StructLimit. The scene "limits" was captured with 900, its default.
	Statistics int
	// StructLimit is binrpc_struct_max_body_size in bytes: stats.fetch fails if its reply is larger. The default is 8 KiB.
	StructLimit int
	// Moving makes uptime and counters advance with Now. After a restart, this always happens.
	Moving bool
	// Life adds calls and registrations that come and go in waves.
	Life emulator.Life
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	ctlFolder          = "kamailio/binrpc/"
	defaultStructLimit = 8 << 10
)

// scenes lists the directories of each scene. Captures that are missing from the first one are in the next one, which is from the
// same server.
var scenes = map[string][]string{
	"unix":    {"unix"},
	"tcp":     {"tcp", "unix"},
	"limits":  {"limits", "unix"},
	"minimal": {"minimal"},
}

type ctl struct {
	CtlOptions
	captures   map[string]packet // replies by call
	methods    map[string]bool   // methods of the server
	all        packet            // the reply to stats.fetch all
	statistics []statistic
	named      map[string]int // index of the first statistic of a name
	uptime     *emulator.Uptime
}

// NewCtl starts the module ctl of an emulated Kamailio. Its URL is an endpoint such as unix:///tmp/kamailio_ctl or
// tcp://127.0.0.1:2049, and its APIs are methods. HTTP faults have the nearest equivalent: gzip_bomb is a string with a length of
// more than 1 GiB, status_500 (and similar) a fault with this code, html_404 an HTTP server in place of ctl, redirect_elsewhere the
// reply to another request, wrong_secret a closed connection, and invalid_json half of a reply. On a unix socket, reset only closes
// the connection.
func NewCtl(o CtlOptions) (*emulator.Server, error) {
	k := &ctl{CtlOptions: o, captures: map[string]packet{}, methods: map[string]bool{}, named: map[string]int{}}
	if err := k.complete(); err != nil {
		return nil, err
	}
	for _, folder := range scenes[k.Scene] {
		if err := k.read(ctlFolder + folder); err != nil {
			return nil, err
		}
	}
	if err := k.prepare(); err != nil {
		return nil, fmt.Errorf("testdata/%s%s: %w", ctlFolder, k.Scene, err)
	}
	return emulator.NewConnServer(k.Network, k.Addr, k.converse, k.uptime.Restart)
}

// complete validates the options and sets their defaults.
func (k *ctl) complete() error {
	setDefault := func(option *string, value string) {
		if *option == "" {
			*option = value
		}
	}
	setDefault(&k.Scene, "unix")
	setDefault(&k.Network, "unix")
	switch k.Network {
	case "unix":
		setDefault(&k.Addr, filepath.Join(os.TempDir(), "kamailio_ctl-"+rand.Text()))
	case "tcp":
		setDefault(&k.Addr, "127.0.0.1:0")
	default:
		return fmt.Errorf("network %q is neither unix nor tcp", k.Network)
	}
	if scenes[k.Scene] == nil {
		return fmt.Errorf("testdata/%s%s is no scene", ctlFolder, k.Scene)
	}
	if k.Scene == "limits" && k.Statistics == 0 {
		k.Statistics = 900
	}
	if k.StructLimit == 0 {
		k.StructLimit = defaultStructLimit
	}
	return nil
}

// read reads the captures of a folder: NAME.rep.bin is the reply to NAME.req.bin. The first capture of a call is used.
func (k *ctl) read(folder string) error {
	const request, reply = ".req.bin", ".rep.bin"
	files, err := fs.Glob(testdata.Files, path.Join(folder, "*"+request))
	if err != nil {
		return err
	}
	for _, file := range files {
		asked, err := readPacketFile(file)
		if err != nil {
			return err
		}
		call, err := newRPCCall(asked.body)
		if err != nil {
			return fmt.Errorf("testdata/%s: %w", file, err)
		}
		answered, err := readPacketFile(strings.TrimSuffix(file, request) + reply)
		if err != nil {
			return err
		}
		if _, known := k.captures[call.String()]; !known {
			k.captures[call.String()] = answered
		}
		if k.all.body == nil && call.String() == "stats.fetch all" && answered.typ == typeReply {
			k.all = answered
		}
		if !isUnknownMethod(call[0], answered) {
			k.methods[call[0]] = true
		}
	}
	return nil
}

func readPacketFile(file string) (packet, error) {
	f, err := testdata.Files.Open(file)
	if err != nil {
		return packet{}, err
	}
	defer func() { _ = f.Close() }()
	p, err := readPacket(f)
	if err != nil {
		return p, fmt.Errorf("testdata/%s: %w", file, err)
	}
	return p, nil
}

// answer returns the reply to a call: the captured one unless the server is scaled or advances.
func (k *ctl) answer(call rpcCall) packet {
	captured, known := k.captures[call.String()]
	render := rendered[call[0]]
	switch {
	case !k.methods[call[0]]:
		return unknownMethod(call[0])
	case render != nil && len(call) > 1 && (!known || k.Statistics > 0 || k.uptime.IsMoving()):
		return render(k, call)
	case !known:
		return newFault(http.StatusInternalServerError, "not captured: "+call.String())
	}
	return k.advance(call[0], captured)
}

func unknownMethod(method string) packet {
	return newFault(http.StatusInternalServerError, "command "+method+" not found")
}

func isUnknownMethod(method string, answered packet) bool {
	return string(answered.body) == string(unknownMethod(method).body)
}
