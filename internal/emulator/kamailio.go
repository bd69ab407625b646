// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

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

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Kamailio are the options of an emulated Kamailio as its module ctl shows it, over BINRPC.
type Kamailio struct {
	// Network is "unix" (also when empty) or "tcp".
	Network string
	// Addr is the path of the socket or host:port; one that is free when empty.
	Addr string
	// Scene is a folder of testdata/kamailio/binrpc: "unix" (when empty), "tcp", "minimal" or "limits".
	Scene string
	// Targets scales dispatcher.list to so many targets; 0: the captured ones.
	Targets int
	// Statistics adds so many to the group script, over which stats.fetch may pass StructLimit. When 0 it is none,
	// but 900 in the scene "limits", as when that was captured.
	Statistics int
	// StructLimit is binrpc_struct_max_body_size in bytes: stats.fetch fails when its answer is larger. 8 KiB when 0.
	StructLimit int
	// Moving makes uptime and counters advance with Now. They do so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	kamFolder      = "kamailio/binrpc/"
	kamStructLimit = 8 << 10
)

// kamScenes says where the captures of a scene are: what the first folder lacks is in the next one, of the same server.
var kamScenes = map[string][]string{
	"unix":    {"unix"},
	"tcp":     {"tcp", "unix"},
	"limits":  {"limits", "unix"},
	"minimal": {"minimal"},
}

type kamailio struct {
	Kamailio
	captures   map[string]binrpcPacket // replies by call
	methods    map[string]bool         // that the server has
	all        binrpcPacket            // stats.fetch all, whole
	statistics []kamStatistic
	named      map[string]int // the first statistic of a name
	age        serverAge
}

// NewKamailio starts an emulated Kamailio. Its URL is an endpoint such as unix:///tmp/kamailio_ctl or tcp://127.0.0.1:2049.
// SetFault takes methods for APIs and every name in Faults; where one is of HTTP alone, it does what comes nearest:
// gzip_bomb is a string that claims more than 1 GiB, status_500 a fault 500 (and so on), html_404 an HTTP server in ctl's place,
// redirect_elsewhere the reply to another request, wrong_secret an end without a word, invalid_json half of a reply.
// Over a unix socket reset is a mere end, because there is no other.
func NewKamailio(o Kamailio) (*Server, error) {
	k := &kamailio{Kamailio: o, captures: map[string]binrpcPacket{}, methods: map[string]bool{}, named: map[string]int{}}
	if err := k.complete(); err != nil {
		return nil, err
	}
	for _, folder := range kamScenes[k.Scene] {
		if err := k.read(kamFolder + folder); err != nil {
			return nil, err
		}
	}
	if err := k.prepare(); err != nil {
		return nil, fmt.Errorf("testdata/%s%s: %w", kamFolder, k.Scene, err)
	}
	return newBINRPCServer(k.Network, k.Addr, k.answer, k.age.restart)
}

// complete fills in what the options leave open.
func (k *kamailio) complete() error {
	orElse := func(value *string, other string) {
		if *value == "" {
			*value = other
		}
	}
	orElse(&k.Scene, "unix")
	orElse(&k.Network, "unix")
	switch k.Network {
	case "unix":
		orElse(&k.Addr, filepath.Join(os.TempDir(), "kamailio_ctl-"+rand.Text()))
	case "tcp":
		orElse(&k.Addr, "127.0.0.1:0")
	default:
		return fmt.Errorf("network %q is neither unix nor tcp", k.Network)
	}
	if kamScenes[k.Scene] == nil {
		return fmt.Errorf("testdata/%s%s is no scene", kamFolder, k.Scene)
	}
	if k.Scene == "limits" && k.Statistics == 0 {
		k.Statistics = 900
	}
	if k.StructLimit == 0 {
		k.StructLimit = kamStructLimit
	}
	return nil
}

// read reads the captures of a folder: NAME.rep.bin is the reply to NAME.req.bin. The first of a call counts.
func (k *kamailio) read(folder string) error {
	const request, reply = ".req.bin", ".rep.bin"
	files, err := fs.Glob(testdata.Files, path.Join(folder, "*"+request))
	if err != nil {
		return err
	}
	for _, file := range files {
		asked, err := readBINRPCFile(file)
		if err != nil {
			return err
		}
		call, err := newBINRPCCall(asked.body)
		if err != nil {
			return fmt.Errorf("testdata/%s: %w", file, err)
		}
		answered, err := readBINRPCFile(strings.TrimSuffix(file, request) + reply)
		if err != nil {
			return err
		}
		if _, known := k.captures[call.String()]; !known {
			k.captures[call.String()] = answered
		}
		if k.all.body == nil && call.String() == "stats.fetch all" && answered.typ == binrpcReply {
			k.all = answered
		}
		if !isUnknownMethod(call[0], answered) {
			k.methods[call[0]] = true
		}
	}
	return nil
}

func readBINRPCFile(file string) (binrpcPacket, error) {
	f, err := testdata.Files.Open(file)
	if err != nil {
		return binrpcPacket{}, err
	}
	defer func() { _ = f.Close() }()
	p, err := readBINRPC(f)
	if err != nil {
		return p, fmt.Errorf("testdata/%s: %w", file, err)
	}
	return p, nil
}

// answer answers as the server does; what was captured is preferred, unless it is scaled or advances.
func (k *kamailio) answer(call binrpcCall) binrpcPacket {
	captured, known := k.captures[call.String()]
	render := kamRendered[call[0]]
	switch {
	case !k.methods[call[0]]:
		return unknownMethod(call[0])
	case render != nil && len(call) > 1 && (!known || k.Statistics > 0 || k.age.moves()):
		return render(k, call)
	case !known:
		return newBINRPCFault(http.StatusInternalServerError, "not captured: "+call.String())
	}
	return k.age.advance(captured, kamCounters[call[0]])
}

func unknownMethod(method string) binrpcPacket {
	return newBINRPCFault(http.StatusInternalServerError, "command "+method+" not found")
}

func isUnknownMethod(method string, answered binrpcPacket) bool {
	return string(answered.body) == string(unknownMethod(method).body)
}
