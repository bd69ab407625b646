// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"sync"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
)

// ctl carries calls over BINRPC, on one connection. Kamailio answers all connections one by one: more would not be quicker.
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

// do makes calls, all sent at once. When Kamailio has restarted since the last ones, they are made on a new connection.
func (t *ctl) do(ctx context.Context, calls []call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.conn != nil && !t.conn.Broken()
	t.try(ctx, calls, func(*call) bool { return true })
	if known && t.conn.Broken() {
		t.try(ctx, calls, func(c *call) bool { return errors.Is(c.err, binrpc.ErrGone) })
	}
}

// try makes those of the calls that are wanted.
func (t *ctl) try(ctx context.Context, calls []call, wanted func(*call) bool) {
	var made []*call
	var wire []binrpc.Call
	for i := range calls {
		c := &calls[i]
		if !wanted(c) {
			continue
		}
		made = append(made, c)
		wire = append(wire, binrpc.Call{Request: binrpc.NewRequest(c.method, c.args...), Walk: func(records binrpc.Records) error {
			reply, err := t.reply.collect(records)
			if err != nil {
				return err
			}
			return c.read(reply)
		}})
	}
	if len(made) == 0 {
		return
	}
	err := t.connect(ctx)
	if err == nil {
		t.conn.Do(ctx, wire)
	}
	for i, c := range made {
		c.err = wire[i].Err
		if err != nil {
			c.err = err
		}
	}
}

// connect makes a connection, unless there is one.
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

// collector turns the records of a reply into values, for which it uses the same room again and again.
type collector struct {
	values []value // those of lists that are whole; the members of each lie side by side
	open   []value // those of lists that are being read, the outer ones first
}

// collect returns the values of a reply. They share its memory, and are valid until the next call.
func (c *collector) collect(records binrpc.Records) ([]value, error) {
	c.values, c.open = c.values[:0], c.open[:0]
	reply := c.members(records)
	if c.full() {
		return nil, tooMany()
	}
	return reply, nil
}

func (c *collector) full() bool { return len(c.values)+len(c.open) > maxValues }

// members turns records into values until there are too many. Their depth is bounded by binrpc.
func (c *collector) members(records binrpc.Records) []value {
	first := len(c.open)
	for name, record := range records.All() {
		v := c.value(name, record) // which uses open too
		c.open = append(c.open, v)
		if c.full() {
			return nil
		}
	}
	n := len(c.open) - first
	c.values = append(c.values, c.open[first:]...) // what grows leaves earlier members where they are
	c.open = c.open[:first]
	return c.values[len(c.values)-n:]
}

func (c *collector) value(name []byte, record binrpc.Value) value {
	v := value{name: name}
	switch record.Type() {
	case binrpc.Int:
		v.kind = kindInt
		v.integer, _ = record.Int()
	case binrpc.Double:
		if f, ok := record.Float(); ok {
			v.kind, v.decimal = kindFloat, f
		}
	case binrpc.String, binrpc.Bytes:
		v.kind = kindText
		v.bytes, _ = record.Text()
	case binrpc.Struct, binrpc.Array:
		v.kind, v.members = kindList, c.members(record.Records())
	}
	return v
}
