// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
)

// ctl makes calls over BINRPC on one connection. Kamailio serves its connections one at a time, so more would not be faster.
type ctl struct {
	endpoint string

	mu    sync.Mutex
	conn  *binrpc.Conn
	reply collector
}

func (t *ctl) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		_ = t.conn.Close()
	}
}

// do sends all calls at once. If Kamailio has restarted since the previous calls, do repeats the failed ones on a new connection.
func (t *ctl) do(ctx context.Context, calls []*call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.conn != nil && !t.conn.Broken()
	t.try(ctx, calls)
	if !known || !t.conn.Broken() {
		return
	}
	var gone []*call
	for _, c := range calls {
		if errors.Is(c.err, binrpc.ErrClosed) {
			gone = append(gone, c)
		}
	}
	if len(gone) > 0 {
		t.try(ctx, gone)
	}
}

// try makes the calls once.
func (t *ctl) try(ctx context.Context, calls []*call) {
	start := time.Now()
	if err := t.connect(ctx); err != nil {
		calls[0].duration += time.Since(start)
		for _, c := range calls {
			c.err = err
		}
		return
	}
	wire := make([]binrpc.Call, len(calls))
	for i, c := range calls {
		request := binrpc.NewRequest(c.method, c.args...)
		for _, n := range c.numbers {
			request = request.WithInt(n)
		}
		wire[i] = binrpc.Call{Request: request, Handle: func(records binrpc.Records) error {
			reply, err := t.reply.collect(records)
			if err != nil {
				return err
			}
			return c.read(reply)
		}}
	}
	t.conn.Do(ctx, wire)
	for i, c := range calls {
		c.err = wire[i].Err
		c.duration += wire[i].Duration
	}
	t.reply.shrink()
}

// connect opens a connection unless there is a working one.
func (t *ctl) connect(ctx context.Context) (err error) {
	if t.conn != nil && !t.conn.Broken() {
		return nil
	}
	conn, err := binrpc.Dial(ctx, t.endpoint)
	if err == nil {
		t.conn = conn
	}
	return err
}

// collector converts the records of a reply into values. It reuses the memory of the previous reply.
type collector struct {
	values []value // the members of each list are contiguous
}

// keptValues bounds the memory that is kept for the next reply, in values.
const keptValues = 20_000

// shrink frees the memory of a large reply.
func (c *collector) shrink() {
	if cap(c.values) > keptValues {
		c.values = nil
	}
}

// collect returns the values of a reply. They share the reply's memory and are valid until the next call.
func (c *collector) collect(records binrpc.Records) ([]value, error) {
	n := records.Count()
	if n > maxValues {
		return nil, tooMany()
	}
	if cap(c.values) < n {
		c.values = make([]value, 0, n)
	}
	c.values = c.values[:0]
	return c.members(records), nil
}

// members converts records into values. collect has reserved room for all of them, and binrpc bounds their depth.
func (c *collector) members(records binrpc.Records) []value {
	first := len(c.values)
	end := first + records.Len()
	c.values = c.values[:end]
	members := c.values[first:end:end]
	i := 0
	for name, record := range records.All() {
		members[i] = c.value(name, record)
		i++
	}
	return members
}

func (c *collector) value(name []byte, record binrpc.Value) value {
	v := value{name: name}
	switch record.Type() {
	case binrpc.Int:
		v.kind = kindWord
		v.integer, _ = record.Int()
	case binrpc.Double:
		if f, ok := record.Float(); ok {
			v.kind, v.decimal = kindFloat, f
		}
	case binrpc.String, binrpc.Bytes:
		v.kind = kindText
		v.bytes, _ = record.Text()
	case binrpc.Struct:
		v.kind, v.members = kindStruct, c.members(record.Records())
	case binrpc.Array:
		v.kind, v.members = kindArray, c.members(record.Records())
	}
	return v
}
