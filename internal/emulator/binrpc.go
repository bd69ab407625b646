// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// BINRPC, the protocol of Kamailio's module ctl, as its src/modules/ctl/binrpc.h describes it: as much as is needed to
// read requests, to edit captured replies and to break them.
const (
	binrpcMagic   = 0xA1 // with the version
	binrpcRequest = 0
	binrpcReply   = 1
	binrpcFault   = 3

	binrpcMaxRequest = 64 << 10
)

// The types of records.
const (
	binrpcInt = iota
	binrpcString
	binrpcDouble
	binrpcStruct
	binrpcArray
	binrpcName // of the record that follows
	binrpcBytes
)

// The tags around a struct.
const (
	binrpcStructBegin = binrpcStruct
	binrpcStructEnd   = 8<<4 | binrpcStruct
)

var errBINRPC = errors.New("not BINRPC")

// binrpcPacket is a request, reply or fault.
type binrpcPacket struct {
	typ    byte
	cookie uint32
	body   []byte
}

// bytes is the packet as Kamailio writes it: every number in as few bytes as it needs.
func (p binrpcPacket) bytes() []byte {
	return append(binrpcHeader(p.typ, len(p.body), p.cookie), p.body...)
}

// binrpcHeader announces a body of size bytes.
func binrpcHeader(typ byte, size int, cookie uint32) []byte {
	length, id := max(width(uint64(size)), 1), max(width(uint64(cookie)), 1)       //nolint:gosec // a size is not negative
	b := []byte{binrpcMagic, typ<<4 | byte(length-1)<<2 | byte(id-1)}              //nolint:gosec // 0 to 3
	return appendNumber(appendNumber(b, uint64(size), length), uint64(cookie), id) //nolint:gosec // a size is not negative
}

// width is how many bytes a number needs.
func width(n uint64) int { return (bits.Len64(n) + 7) / 8 }

// appendNumber appends a number in so many bytes.
func appendNumber(b []byte, n uint64, bytes int) []byte {
	for shift := 8 * (bytes - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift)) //nolint:gosec // one byte after the other
	}
	return b
}

// readBINRPC reads one packet.
func readBINRPC(r io.Reader) (p binrpcPacket, err error) {
	var fixed [2]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return p, err
	}
	if fixed[0] != binrpcMagic {
		return p, errBINRPC
	}
	rest := make([]byte, int(fixed[1]>>2&3)+1+int(fixed[1]&3)+1)
	if _, err := io.ReadFull(r, rest); err != nil {
		return p, err
	}
	length := int(fixed[1]>>2&3) + 1
	size := bigEndian(rest[:length])
	if size > binrpcMaxRequest {
		return p, errBINRPC
	}
	p = binrpcPacket{typ: fixed[1] >> 4, cookie: uint32(bigEndian(rest[length:])), body: make([]byte, size)} //nolint:gosec // four bytes at most
	_, err = io.ReadFull(r, p.body)
	return p, err
}

// bigEndian reads a number of up to 8 bytes.
func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// binrpcRecord is one record, or the tag that begins or ends a struct.
type binrpcRecord struct {
	typ   byte
	value []byte
	raw   []byte
}

// cutBINRPC takes the first record off a body.
func cutBINRPC(body []byte) (r binrpcRecord, rest []byte, err error) {
	if len(body) == 0 {
		return r, nil, io.ErrUnexpectedEOF
	}
	typ, size, at := body[0]&0xf, uint64(body[0]>>4), 1
	switch {
	case typ == binrpcStruct, typ == binrpcArray:
		size = 0
	case typ != binrpcDouble && size >= 8: // a double is never so long that its size needs bytes of its own
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
	return binrpcRecord{typ: typ, value: body[at:end], raw: body[:end]}, body[end:], nil
}

// text is the value of a string or name, or a number as text.
func (r binrpcRecord) text() string {
	if r.typ == binrpcInt {
		return strconv.FormatUint(bigEndian(r.value), 10)
	}
	return strings.TrimSuffix(string(r.value), "\x00")
}

// cutBINRPCAll takes a body apart.
func cutBINRPCAll(body []byte) (records []binrpcRecord, err error) {
	for len(body) > 0 {
		var r binrpcRecord
		if r, body, err = cutBINRPC(body); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// appendBINRPCInt appends a number of 32 bits; its type is 0, and so is the whole record of the number 0.
func appendBINRPCInt(b []byte, n uint32) []byte {
	size := width(uint64(n))
	return appendNumber(append(b, byte(size)<<4), uint64(n), size) //nolint:gosec // 0 to 4
}

// appendBINRPCText appends a string or name.
func appendBINRPCText[T string | []byte](b []byte, typ byte, text T) []byte {
	if size := len(text) + 1; size < 8 {
		b = append(b, byte(size)<<4|typ)
	} else {
		bytes := width(uint64(size))
		b = appendNumber(append(b, byte(8+bytes)<<4|typ), uint64(size), bytes) //nolint:gosec // 1 to 4
	}
	return append(append(b, text...), 0)
}

// newBINRPCFault is a fault as Kamailio sends it.
func newBINRPCFault(code uint32, text string) binrpcPacket {
	return binrpcPacket{typ: binrpcFault, body: appendBINRPCText(appendBINRPCInt(nil, code), binrpcString, text)}
}

// binrpcCall is what a request asks for: a method and its arguments.
type binrpcCall []string

// newBINRPCCall reads the body of a request.
func newBINRPCCall(body []byte) (binrpcCall, error) {
	records, err := cutBINRPCAll(body)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || records[0].typ != binrpcString {
		return nil, errBINRPC
	}
	call := make(binrpcCall, len(records))
	for i, r := range records {
		call[i] = r.text()
	}
	return call, nil
}

func (c binrpcCall) String() string { return strings.Join(c, " ") }
