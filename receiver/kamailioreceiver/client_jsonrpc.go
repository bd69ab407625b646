// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-faster/jx"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// jsonRPC makes calls over HTTP, through Kamailio's module jsonrpcs.
type jsonRPC struct {
	http *httpapi.Client
}

func newJSONRPC(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*jsonRPC, error) {
	client, err := cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	t := &jsonRPC{http: httpapi.New(client, cfg.ClientConfig.Endpoint)}
	t.http.System, t.http.MaxBody = httpapi.Kamailio, cfg.MaxResponseSize
	return t, nil
}

func (t *jsonRPC) close() { t.http.CloseIdle() }

// do makes the calls one by one, because Kamailio does not support batches. If one times out, those behind it fail too.
func (t *jsonRPC) do(ctx context.Context, calls []*call) {
	for i, c := range calls {
		start := time.Now()
		c.err = t.call(ctx, c)
		c.duration = time.Since(start)
		if scrape.TypeOf(c.err) == scrape.Timeout {
			for _, lost := range calls[i+1:] {
				lost.err = binrpc.LostReplyError(c.method, c.err)
			}
			return
		}
	}
}

// request is the JSON of a call. Kamailio also answers requests without an ID.
type request struct {
	Version string `json:"jsonrpc"`
	Method  string `json:"method"`
	Params  []any  `json:"params,omitempty"` // strings and numbers
	ID      int    `json:"id"`
}

func (t *jsonRPC) call(ctx context.Context, c *call) error {
	var params []any
	for _, text := range c.args {
		params = append(params, text)
	}
	for _, n := range c.numbers {
		params = append(params, n)
	}
	body, err := json.Marshal(request{Version: "2.0", Method: c.method, Params: params, ID: 1})
	if err != nil {
		return err
	}
	return t.http.Post(ctx, "", body, func(_ http.Header, answer io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(answer, binrpc.MaxBody+1))
		switch {
		case err != nil:
			return err
		case len(text) > binrpc.MaxBody:
			return tooLarge("more than " + strconv.Itoa(binrpc.MaxBody>>20) + " MiB")
		}
		reply, err := readAnswer(text, lists[c.method])
		if err != nil {
			return err
		}
		return c.read(reply)
	})
}

// readAnswer returns the result in the form of a BINRPC reply, in which the elements of a list are values of their own.
func readAnswer(text []byte, isList bool) ([]value, error) {
	answer, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	result, fault := answer.get("result"), answer.get("error")
	switch {
	case result.kind == kindNone && fault.kind == kindStruct:
		code, _ := fault.get("code").int().Get()
		return nil, &binrpc.Fault{Code: code, Text: fault.get("message").text()}
	case result.kind == kindNone:
		return nil, &httpapi.Error{Kind: httpapi.KindDecode, Text: "this is no answer of JSON-RPC: neither result nor error in it"}
	case fault.kind != kindNone:
		return nil, unexpected("both result and error in it")
	case isList != (result.kind == kindArray):
		return nil, unexpected("an array where none belongs, or none where one belongs")
	case isList:
		return result.members, nil
	}
	return []value{*result}, nil
}

func parseJSON(text []byte) (value, error) {
	left := maxValues
	v, err := decodeJSON(jx.DecodeBytes(text), binrpc.MaxDepth, &left)
	if err == nil && !json.Valid(text) { // the decoder stops after the first value
		err = errors.New("it is not JSON")
	}
	return v, err
}

// decodeJSON decodes one value, in which objects and arrays may be nested at most depth levels deep.
func decodeJSON(d *jx.Decoder, depth int, left *int) (v value, err error) {
	if *left--; *left < 0 {
		return v, tooMany()
	}
	if depth < 0 {
		return v, tooLarge("values more than " + strconv.Itoa(binrpc.MaxDepth) + " deep")
	}
	switch d.Next() {
	case jx.Number:
		return decodeNumber(d)
	case jx.String:
		v.kind = kindText
		v.bytes, err = d.StrAppend(nil)
	case jx.Bool:
		v.kind = kindBool
		var yes bool
		yes, err = d.Bool()
		v.integer = rows.BoolToInt(yes)
	case jx.Object:
		v.kind = kindStruct
		err = d.Obj(func(d *jx.Decoder, key string) error {
			member, err := decodeJSON(d, depth-1, left)
			member.name = []byte(key)
			v.members = append(v.members, member)
			return err
		})
	case jx.Array:
		v.kind = kindArray
		err = d.Arr(func(d *jx.Decoder) error {
			element, err := decodeJSON(d, depth-1, left)
			v.members = append(v.members, element)
			return err
		})
	default: // null
		err = d.Skip()
	}
	return v, err
}

func decodeNumber(d *jx.Decoder) (v value, err error) {
	number, err := d.Num()
	if err != nil {
		return v, err
	}
	if i, err := number.Int64(); err == nil && number.IsInt() {
		return value{kind: kindInt, integer: i}, nil
	}
	if f, err := number.Float64(); err == nil {
		return value{kind: kindFloat, decimal: f}, nil
	}
	return v, nil
}
