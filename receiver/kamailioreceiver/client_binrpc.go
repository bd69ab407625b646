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

	mu   sync.Mutex
	conn *binrpc.Conn
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
			reply, err := collect(records)
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

// collect turns the records of a reply into values, which share their memory.
func collect(records binrpc.Records) ([]value, error) {
	left := maxValues
	values := members(records, &left)
	if left < 0 {
		return nil, tooMany()
	}
	return values, nil
}

// members turns records into values until none are left. Their depth is bounded by binrpc.
func members(records binrpc.Records, left *int) []value {
	n := 0
	for range records.All() {
		n++
	}
	if *left -= n; *left < 0 || n == 0 {
		return nil
	}
	values := make([]value, 0, n)
	for name, record := range records.All() {
		values = append(values, valueOf(name, record, left))
	}
	return values
}

func valueOf(name []byte, record binrpc.Value, left *int) value {
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
		v.kind, v.members = kindList, members(record.Records(), left)
	}
	return v
}
