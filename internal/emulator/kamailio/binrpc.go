// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"errors"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// BINRPC is the protocol of Kamailio's module ctl, described in src/modules/ctl/binrpc.h. This file implements the part that is
// needed to read requests, and to edit and break captured replies.
const (
	magic       = 0xA1 // includes the version
	typeRequest = 0
	typeReply   = 1
	typeFault   = 3

	maxRequest = 64 << 10
)

// The types of records.
const (
	recordInt = iota
	recordString
	recordDouble
	recordStruct
	recordArray
	recordName // name of the next record
	recordBytes
)

// The tags around a struct.
const (
	structBegin = recordStruct
	structEnd   = 8<<4 | recordStruct
)

var errNotBINRPC = errors.New("not BINRPC")

// packet is a request, a reply or a fault.
type packet struct {
	typ    byte
	cookie uint32
	body   []byte
}

// bytes returns the packet in Kamailio's encoding: every number in as few bytes as possible.
func (p packet) bytes() []byte {
	return append(packetHeader(p.typ, len(p.body), p.cookie), p.body...)
}

// packetHeader returns the header of a packet with a body of size bytes.
func packetHeader(typ byte, size int, cookie uint32) []byte {
	length, id := max(width(uint64(size)), 1), max(width(uint64(cookie)), 1)       //nolint:gosec // a size is not negative
	b := []byte{magic, typ<<4 | byte(length-1)<<2 | byte(id-1)}                    //nolint:gosec // 0 to 3
	return appendNumber(appendNumber(b, uint64(size), length), uint64(cookie), id) //nolint:gosec // a size is not negative
}

// width returns the number of bytes that a number needs.
func width(n uint64) int { return (bits.Len64(n) + 7) / 8 }

// appendNumber appends a number in big-endian order.
func appendNumber(b []byte, n uint64, bytes int) []byte {
	for shift := 8 * (bytes - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift)) //nolint:gosec // the lowest byte
	}
	return b
}

// readPacket reads one packet.
func readPacket(r io.Reader) (p packet, err error) {
	var fixed [2]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return p, err
	}
	if fixed[0] != magic {
		return p, errNotBINRPC
	}
	rest := make([]byte, int(fixed[1]>>2&3)+1+int(fixed[1]&3)+1)
	if _, err := io.ReadFull(r, rest); err != nil {
		return p, err
	}
	length := int(fixed[1]>>2&3) + 1
	size := bigEndian(rest[:length])
	if size > maxRequest {
		return p, errNotBINRPC
	}
	p = packet{typ: fixed[1] >> 4, cookie: uint32(bigEndian(rest[length:])), body: make([]byte, size)} //nolint:gosec // four bytes at most
	_, err = io.ReadFull(r, p.body)
	return p, err
}

// bigEndian decodes a number of up to 8 bytes.
func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// record is a record, or the tag that begins or ends a struct.
type record struct {
	typ   byte
	value []byte
	raw   []byte
}

// cutRecord splits the first record off a body.
func cutRecord(body []byte) (r record, rest []byte, err error) {
	if len(body) == 0 {
		return r, nil, io.ErrUnexpectedEOF
	}
	typ, size, at := body[0]&0xf, uint64(body[0]>>4), 1
	switch {
	case typ == recordStruct, typ == recordArray:
		size = 0
	case typ != recordDouble && size >= 8: // a double never needs extra bytes for its size
		at += int(size & 7)
		if at > len(body) {
			return r, nil, io.ErrUnexpectedEOF
		}
		size = bigEndian(body[1:at])
	}
	if size > uint64(len(body)-at) { //nolint:gosec // at is within the body
		return r, nil, io.ErrUnexpectedEOF
	}
	end := at + int(size)
	return record{typ: typ, value: body[at:end], raw: body[:end]}, body[end:], nil
}

// text returns the value of a string or name, or a number as text.
func (r record) text() string {
	if r.typ == recordInt {
		return strconv.FormatUint(bigEndian(r.value), 10)
	}
	return strings.TrimSuffix(string(r.value), "\x00")
}

// cutRecords splits a body into records.
func cutRecords(body []byte) (records []record, err error) {
	for len(body) > 0 {
		var r record
		if r, body, err = cutRecord(body); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// appendInt appends a 32-bit number. Its type is 0, so the record of the number 0 is a zero byte.
func appendInt(b []byte, n uint32) []byte {
	size := width(uint64(n))
	return appendNumber(append(b, byte(size)<<4), uint64(n), size) //nolint:gosec // 0 to 4
}

// appendText appends a string or name.
func appendText[T string | []byte](b []byte, typ byte, text T) []byte {
	if size := len(text) + 1; size < 8 {
		b = append(b, byte(size)<<4|typ)
	} else {
		bytes := width(uint64(size))
		b = appendNumber(append(b, byte(8+bytes)<<4|typ), uint64(size), bytes) //nolint:gosec // 1 to 4
	}
	return append(append(b, text...), 0)
}

// newFault returns a fault in Kamailio's encoding.
func newFault(code uint32, text string) packet {
	return packet{typ: typeFault, body: appendText(appendInt(nil, code), recordString, text)}
}

// rpcCall is a method and its arguments.
type rpcCall []string

// newRPCCall reads the body of a request.
func newRPCCall(body []byte) (rpcCall, error) {
	records, err := cutRecords(body)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || records[0].typ != recordString {
		return nil, errNotBINRPC
	}
	call := make(rpcCall, len(records))
	for i, r := range records {
		call[i] = r.text()
	}
	return call, nil
}

func (c rpcCall) String() string { return strings.Join(c, " ") }
