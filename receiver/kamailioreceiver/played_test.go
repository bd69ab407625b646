// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// binrpcReply is a captured reply as a document. Its records have the form of .rep.json files.
type binrpcReply []any

// readReply reads a .rep.json file.
func readReply(t *testing.T, file string) binrpcReply {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var reply struct {
		Records []any `json:"records"`
	}
	require.NoError(t, decoder.Decode(&reply), file)
	return reply.Records
}

// Bytes returns the reply as a packet.
func (r binrpcReply) Bytes() []byte {
	var body []byte
	for _, record := range r {
		body = appendDatum(body, record.(map[string]any))
	}
	return packet(body, false, 1)
}

// appendDatum encodes one record.
func appendDatum(b []byte, d map[string]any) []byte {
	switch {
	case d["int"] != nil:
		n, _ := d["int"].(json.Number).Int64()
		return binary.BigEndian.AppendUint32(append(b, 0x40), uint32(n))
	case d["double"] != nil:
		f, _ := json.Number(d["double"].(string)).Float64()
		return binary.BigEndian.AppendUint64(append(b, 0x82), uint64(int64(math.Round(f*1000))))
	case d["str"] != nil:
		return append(b, longRecord(1, d["str"].(string))...)
	}
	b = append(b, 0x03)
	for _, member := range d["struct"].([]any) {
		pair := member.([]any)
		if name, named := pair[0].(string); named {
			b = append(b, longRecord(5, name)...)
		}
		b = appendDatum(b, pair[1].(map[string]any))
	}
	return append(b, 0x83)
}

// longRecord encodes a string of any length.
func longRecord(kind byte, text string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0xc0 | kind}, uint32(len(text)+1))
	return append(append(b, text...), 0)
}

// EachLeaf calls f for each leaf, with the paths of binrpcLeaves.
func (r binrpcReply) EachLeaf(f func(rtctest.Leaf)) {
	for i, record := range r {
		eachDatum(record.(map[string]any), "", func(d any) rtctest.Document { return binrpcReply(replaced(r, i, d)) }, f)
	}
}

// eachDatum calls f for the leaves of one record. with returns the reply with this record replaced.
func eachDatum(d map[string]any, at string, with func(any) rtctest.Document, f func(rtctest.Leaf)) {
	members, isStruct := d["struct"].([]any)
	for j, member := range members {
		pair := member.([]any)
		name, named := pair[0].(string)
		if !named {
			name = "[]"
		}
		eachDatum(pair[1].(map[string]any), strings.TrimPrefix(at+"."+name, "."), func(d any) rtctest.Document {
			if d != rtctest.Absent {
				d = []any{pair[0], d}
			}
			return with(map[string]any{"struct": replaced(members, j, d)})
		}, f)
	}
	if isStruct {
		if len(members) == 0 {
			f(rtctest.Leaf{Path: at, With: with})
		}
		return
	}
	for kind, value := range d {
		if kind == "uint" { // in addition to int
			continue
		}
		if kind == "double" {
			value = json.Number(value.(string))
		}
		f(rtctest.Leaf{Path: at, Value: value, With: func(v any) rtctest.Document {
			if number, ok := v.(json.Number); ok && kind == "double" {
				v = string(number)
			}
			if v == rtctest.Absent {
				return with(v)
			}
			return with(map[string]any{kind: v})
		}})
	}
}

// replaced returns the list with the element at i replaced, or removed if element is rtctest.Absent.
func replaced(list []any, i int, element any) []any {
	list = slices.Clone(list)
	if element == rtctest.Absent {
		return slices.Delete(list, i, i+1)
	}
	list[i] = element
	return list
}

// captureName returns the name of the captured reply to a call.
func captureName(method string, args []string) string {
	group, isGroup := strings.CutSuffix(strings.Join(args, "_"), ":")
	switch {
	case len(args) == 0:
		return method
	case isGroup:
		return method + "_group_" + group
	case method == apiProfileSize:
		return method + "_" + args[0]
	}
	return method + "_" + group
}

// played is a transport that answers with documents, using the decoders of both real transports.
type played struct {
	answers map[string]rtctest.Document // by transport and name, such as binrpc/stats.fetch_all
	reply   collector
}

func (*played) close() {}

func (p *played) do(_ context.Context, calls []*call) {
	for _, c := range calls {
		c.err = p.answer(c)
	}
}

func (p *played) answer(c *call) error {
	switch answer := p.find(c).(type) {
	case rtctest.JSON:
		reply, err := readAnswer(answer.Bytes(), lists[c.method])
		if err != nil {
			return err
		}
		return c.read(reply)
	case binrpcReply:
		records, err := binrpc.Decode(answer.Bytes())
		if err != nil {
			return err
		}
		reply, err := p.reply.collect(records)
		if err != nil {
			return err
		}
		return c.read(reply)
	}
	if c.method == apiStatistics && p.answers["binrpc/"+apiGroups] != nil { // the statistics do not fit into one reply
		return &binrpc.Fault{Code: 500, Text: "Internal error"}
	}
	return &binrpc.Fault{Code: 500, Text: "command " + c.method + " not found"}
}

func (p *played) find(c *call) rtctest.Document {
	for _, name := range []string{"binrpc/" + captureName(c.method, c.args), "binrpc/" + c.method, "jsonrpc/" + c.method} {
		if answer := p.answers[name]; answer != nil {
			return answer
		}
	}
	if c.method == apiRTPEngines {
		return p.answers["binrpc/rtpengine.show_permanent"]
	}
	return nil
}

// repliesOf reads the BINRPC replies in some directories, of which the first one takes precedence.
func repliesOf(t *testing.T, folders ...string) map[string]rtctest.Document {
	t.Helper()
	answers := map[string]rtctest.Document{}
	for _, folder := range slices.Backward(folders) {
		files, err := filepath.Glob(filepath.Join(captures, "binrpc", folder, "*.rep.json"))
		require.NoError(t, err)
		for _, file := range files {
			answers["binrpc/"+strings.TrimSuffix(filepath.Base(file), ".rep.json")] = readReply(t, file)
		}
	}
	maps.DeleteFunc(answers, func(name string, _ rtctest.Document) bool { return !isPlayed(name) })
	return answers
}

// isPlayed reports whether the receiver makes the call to which a reply belongs.
func isPlayed(name string) bool {
	for method := range shapeMetrics {
		for _, answer := range []string{method, method + "_all", method + "_ALL", method + "_inbound", method + "_caller", method + "_full"} {
			if name == "binrpc/"+answer {
				return true
			}
		}
	}
	return false
}

// answersOf reads the JSON-RPC responses in some directories, of which the first one takes precedence.
func answersOf(t *testing.T, folders ...string) map[string]rtctest.Document {
	t.Helper()
	answers := map[string]rtctest.Document{}
	for _, folder := range slices.Backward(folders) {
		for method := range shapeMetrics {
			if method == apiDNSMemory {
				continue // not called over JSON-RPC
			}
			text, err := os.ReadFile(filepath.Join(captures, "jsonrpc", folder, method+".json"))
			if err == nil {
				answers["jsonrpc/"+method] = rtctest.ReadJSON(t, text)
			}
		}
	}
	return answers
}

// readPage reads a page of metrics.
func readPage(t *testing.T, name string) rtctest.Page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(captures, "prometheus", name+".txt"))
	require.NoError(t, err)
	return text
}

// pageTransport answers HTTP requests with a page.
type pageTransport struct{ page rtctest.Document }

func (p pageTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(bytes.NewReader(p.page.Bytes())),
	}, nil
}

// play scrapes a server with these answers once, with a fixed clock.
func play(t *testing.T, answers map[string]rtctest.Document, edit func(*Config)) pmetric.Metrics {
	t.Helper()
	page := answers["rtpengine.page"]
	s, _ := startSystem(t, createDefaultConfig().ClientConfig.Endpoint, func(c *Config) {
		edit(c)
		if page != nil {
			c.RTPEngine.ClientConfig.Endpoint = "http://127.0.0.1:9901/metrics"
		}
	})
	s.SetClock(func() time.Time { return time.Unix(1_790_000_000, 0) })
	s.client.transport = &played{answers: answers}
	if page != nil {
		s.rtpengine.page.http = httpapi.New(&http.Client{Transport: pageTransport{page}}, "http://127.0.0.1:9901/metrics")
	}
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	return metrics
}
