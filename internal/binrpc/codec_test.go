// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package binrpc

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

const captures = "../../testdata/kamailio/binrpc"

func capture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(captures, name))
	require.NoError(t, err)
	return b
}

// TestCaptures compares every captured reply with the output of another decoder.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob(captures + "/*/*.rep.bin")
	require.NoError(t, err)
	require.Greater(t, len(files), 100)
	for _, file := range files {
		name, _ := filepath.Rel(captures, file)
		t.Run(name, func(t *testing.T) {
			var want struct {
				Type    string
				Length  uint32
				Cookie  uint32
				Records []any
			}
			require.NoError(t, json.Unmarshal(capture(t, strings.TrimSuffix(name, "bin")+"json"), &want))
			packet := capture(t, name)
			n, err := headerSize(packet)
			require.NoError(t, err)
			h := parseHeader(packet[:n])
			assert.Equal(t, want.Length, h.size)
			assert.Equal(t, want.Cookie, h.cookie)

			records, err := Decode(packet)
			if want.Type == "fault" {
				f, ok := err.(*Fault) //nolint:errorlint // nothing is wrapped here
				require.True(t, ok)
				got := []any{map[string]any{"int": float64(f.Code)}, map[string]any{"str": f.Text}}
				assert.Equal(t, want.Records, got)
				return
			}
			require.NoError(t, err)
			assert.EqualValues(t, want.Length, records.Size())
			assert.Equal(t, want.Records, plainAll(records))
			assert.Equal(t, packet[n:], encode(nil, records), "encoded again")
		})
	}
}

// plainAll returns the records in the JSON form of the captures.
func plainAll(r Records) []any {
	all := []any{}
	for _, v := range r.All() {
		all = append(all, plainValue(v))
	}
	return all
}

func plainValue(v Value) any {
	switch v.Type() {
	case Int:
		i, _ := v.Int()
		u, _ := v.Uint()
		if i < 0 {
			return map[string]any{"int": float64(i), "uint": float64(u)}
		}
		return map[string]any{"int": float64(i)}
	case Double:
		thousandths := int64(number(v.record.value))
		text := fmt.Sprintf("%d.%03d", thousandths/1000, uint64(max(thousandths%1000, -(thousandths%1000))))
		if f, ok := v.Float(); ok {
			text = strconv.FormatFloat(f, 'f', 3, 64)
		}
		return map[string]any{"double": text}
	case Struct:
		members := []any{}
		for name, member := range v.Records().All() {
			var key any
			if name != nil {
				key = string(name)
			}
			members = append(members, []any{key, plainValue(member)})
		}
		return map[string]any{"struct": members}
	}
	text, _ := v.Text()
	return map[string]any{"str": string(text)}
}

// encode appends the records in Kamailio's encoding.
func encode(b []byte, r Records) []byte {
	for name, v := range r.All() {
		if name != nil {
			b = appendText(b, avp, string(name))
		}
		switch typ := v.Type(); typ {
		case Struct, Array:
			b = append(encode(append(b, byte(typ)), v.Records()), 0x80|byte(typ))
		case Int:
			i, _ := v.Uint()
			if i>>56 != 0 { // the size of an Int has one bit less than that of a Double; Kamailio sends no Int this large
				b = binary.BigEndian.AppendUint64(append(b, 0x90|byte(Int), 8), i)
			} else {
				b = appendNumber(b, typ, i)
			}
		case Double:
			b = appendNumber(b, typ, number(v.record.value))
		default:
			text, _ := v.Text()
			b = appendText(b, typ, string(text))
		}
	}
	return b
}

// packet returns a complete packet.
func packet(typ byte, cookie uint32, body []byte) []byte {
	return append(appendHeader(nil, typ, len(body), cookie), body...)
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

// TestValues decodes every type of scalar record, including the examples in Kamailio's binrpc.h.
func TestValues(t *testing.T) {
	for _, tc := range []struct {
		wire string
		want any
	}{
		{"20 12 34", int64(0x1234)},
		{"90 02 12 34", int64(0x1234)},
		{"a0 00 02 12 34", int64(0x1234)},
		{"f0 00 00 00 00 00 00 02 12 34", int64(0x1234)},
		{"00", int64(0)},
		{"10 00", int64(0)},
		{"40 ff ff ff ff", int64(-1)},
		{"40 80 00 00 00", int64(math.MinInt32)},
		{"30 ff ff ff", int64(0xffffff)},
		{"80 08 ff ff ff ff ff ff ff fe", nil}, // S = 1, size 0
		{"90 08 ff ff ff ff ff ff ff fe", int64(-2)},
		{"71 61 62 63 64 65 66 00", "abcdef"},
		{"91 0a 61 62 63 64 65 66 68 69 6a 00", "abcdefhij"},
		{"11 00", ""},
		{"01", ""},
		{"21 61 62", "ab"}, // no NUL
		{"66 61 62 63 64 65 00", "abcde\x00"},
		{"02", 0.0},
		{"22 05 77", 1.399},
		{"42 ff ff ff ff", 4294967.295},
		{"82 ff ff ff ff ff ff fc 18", -1.0},
		{"82 80 00 00 00 00 00 00 00", false}, // exceeds the range of the encoding
	} {
		records, err := Decode(packet(typeReply, 1, unhex(t, tc.wire)))
		if tc.want == nil {
			require.Error(t, err, tc.wire)
			continue
		}
		require.NoError(t, err, tc.wire)
		for name, v := range records.All() {
			assert.Nil(t, name)
			i, isInt := v.Int()
			f, isFloat := v.Float()
			text, isText := v.Text()
			switch want := tc.want.(type) {
			case int64:
				assert.Equal(t, want, i, tc.wire)
				assert.InDelta(t, want, f, 0, tc.wire)
				assert.True(t, isInt && isFloat && !isText, tc.wire)
			case float64:
				assert.InDelta(t, want, f, 0, tc.wire)
				assert.True(t, isFloat && !isInt && !isText, tc.wire)
			case string:
				assert.Equal(t, want, string(text), tc.wire)
				assert.True(t, isText && !isInt && !isFloat, tc.wire)
			case bool:
				assert.False(t, isFloat, tc.wire)
			}
			assert.Empty(t, plainAll(v.Records()))
		}
	}
}

// TestStructs iterates over unnamed members, repeated names, arrays and several top-level records, and stops early.
func TestStructs(t *testing.T) {
	body := unhex(t, `03 25 61 00 10 01 25 61 00 10 02 21 78 00 15 00 03 83 25 62 00 04 10 07 04 84 84 83 10 09`)
	records, err := Decode(packet(typeReply, 1, body))
	require.NoError(t, err)
	var tops, names []string
	for _, top := range records.All() {
		tops = append(tops, fmt.Sprint(top.Type()))
		for name, v := range top.Records().All() {
			names = append(names, fmt.Sprintf("%q %v %d", name, name == nil, v.Type()))
		}
	}
	assert.Equal(t, []string{"3", "0"}, tops)
	assert.Equal(t, []string{`"a" false 0`, `"a" false 0`, `"" true 1`, `"" false 3`, `"b" false 4`}, names)
	for range records.All() {
		break
	}
	assert.Equal(t, body, encode(nil, records))

	empty, err := Decode(unhex(t, "a1 13 00 2a 00 00 1b"))
	require.NoError(t, err)
	assert.Empty(t, plainAll(empty), "a reply without records")
}

// malformedReplies returns complete packets with one defect each.
func malformedReplies(t testing.TB) map[string]struct {
	packet []byte
	want   scrape.ErrorType
	text   string
} {
	t.Helper()
	type row = struct {
		packet []byte
		want   scrape.ErrorType
		text   string
	}
	body := func(wire string) []byte { return packet(typeReply, 1, unhex(t, wire)) }
	repeat := func(b byte, n int) []byte { return packet(typeReply, 1, []byte(strings.Repeat(string(b), n))) }
	return map[string]row{
		"magic":             {unhex(t, "b1 10 00 01"), scrape.Format, "not BINRPC"},
		"text":              {[]byte("HTTP/1.1 400 Bad Request\r\n"), scrape.Format, "HTTP/1.1"},
		"version":           {unhex(t, "a2 10 00 01"), scrape.Format, "version 2"},
		"type request":      {unhex(t, "a1 00 00 01"), scrape.Format, "type 0"},
		"type 2":            {unhex(t, "a1 20 00 01"), scrape.Format, "type 2"},
		"type 15":           {unhex(t, "a1 f0 00 01"), scrape.Format, "type 15"},
		"record type":       {body("17 00"), scrape.Format, "unknown type 7"},
		"string too long":   {body("71 61"), scrape.Format, "record of 7 bytes, but only 1 bytes are left"},
		"string of 4 GiB":   {body("c1 ff ff ff ff 61"), scrape.Format, "record of 4294967295 bytes"},
		"string of 2^56":    {body("f1 ff ff ff ff ff ff ff 61"), scrape.Format, "record of 72057594037927935 bytes"},
		"length truncated":  {body("b1 01"), scrape.Format, "truncated within its length"},
		"number too long":   {body("90 09 01 02 03 04 05 06 07 08 09"), scrape.Format, "number of 9 bytes"},
		"double too long":   {body("92 01 02 03 04 05 06 07 08 09"), scrape.Format, "number of 9 bytes"},
		"end of int":        {body("80"), scrape.Format, "end tag of type 0"},
		"end of nothing":    {body("83"), scrape.Format, "byte 0 of the reply"},
		"end of other":      {body("03 84"), scrape.Format, "byte 1 of the reply"},
		"end after name":    {body("03 25 61 00 83"), scrape.Format, "unexpected name or end tag"},
		"name outside":      {body("25 61 00 10 01"), scrape.Format, "unexpected name or end tag"},
		"name in array":     {body("04 25 61 00 10 01 84"), scrape.Format, "unexpected name or end tag"},
		"two names":         {body("03 25 61 00 25 61 00 10 01 83"), scrape.Format, "unexpected name or end tag"},
		"struct with size":  {body("13 01 83"), scrape.Format, "start of a struct or array has a size"},
		"struct open":       {body("03 25 61 00 10 01"), scrape.Format, "ends within"},
		"10^6 names":        {packet(typeReply, 1, []byte("\x03"+strings.Repeat("\x05", 1_000_000))), scrape.Format, "unexpected name or end tag"},
		"empty fault":       {packet(typeFault, 1, nil), scrape.Format, "fault without"},
		"fault, code only":  {packet(typeFault, 1, unhex(t, "10 01")), scrape.Format, "fault without"},
		"depth bomb":        {repeat(0x03, 100_000), scrape.Size, "32 deep"},
		"array bomb":        {repeat(0x04, 100_000), scrape.Size, "32 deep"},
		"too many records":  {repeat(0x00, MaxRecords+1), scrape.Size, "1000000 records"},
		"fault, depth bomb": {packet(typeFault, 1, []byte(strings.Repeat("\x03", 40))), scrape.Size, "32 deep"},
	}
}

func TestMalformed(t *testing.T) {
	for name, tc := range malformedReplies(t) {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(tc.packet)
			require.ErrorContains(t, err, tc.text)
			assert.Equal(t, tc.want, scrape.TypeOf(err))
			assert.ErrorContains(t, err, "check that the setting endpoint")
		})
	}
	_, err := Decode(append(packet(typeReply, 1, nil), 0))
	require.ErrorContains(t, err, "body of 1 bytes, but the header announces 0")
	_, err = Decode(packet(typeReply, 1, make([]byte, MaxBody+1)))
	require.ErrorContains(t, err, "reply too large: 16777217 bytes")
}

func TestBounds(t *testing.T) {
	_, err := Decode(packet(typeReply, 1, make([]byte, MaxRecords)))
	require.NoError(t, err)
	_, err = Decode(packet(typeReply, 1, []byte(strings.Repeat("\x03", MaxDepth)+strings.Repeat("\x83", MaxDepth))))
	require.NoError(t, err)
}

// TestTruncated truncates a reply with every kind of nesting at every byte, with the original header and with one of the
// right size.
func TestTruncated(t *testing.T) {
	whole := capture(t, "unix/ul.dump.rep.bin")
	n, err := headerSize(whole)
	require.NoError(t, err)
	for i := range whole {
		_, err := Decode(whole[:i])
		require.Equal(t, scrape.Format, scrape.TypeOf(err), "%d bytes", i)
		if i > n {
			_, err = Decode(packet(typeReply, 1, whole[n:i]))
			require.Equal(t, scrape.Format, scrape.TypeOf(err), "%d bytes", i)
		}
	}
}

// TestRequests compares encoded requests with the captured ones.
func TestRequests(t *testing.T) {
	compared := 0
	for _, dir := range []string{"unix", "tcp", "minimal"} {
		var index []struct {
			Name   string
			Args   []string
			Cookie uint32
		}
		require.NoError(t, json.Unmarshal(capture(t, dir+"/index.json"), &index))
		for _, sent := range index {
			r := NewRequest(sent.Args[0])
			for _, arg := range sent.Args[1:] {
				if digits, isInt := strings.CutPrefix(arg, "i:"); isInt {
					i, err := strconv.ParseInt(digits, 10, 32)
					require.NoError(t, err)
					r = r.WithInt(int32(i))
					continue
				}
				r.body = appendText(r.body, String, arg)
			}
			assert.Equal(t, capture(t, dir+"/"+sent.Name+".req.bin"), packet(typeRequest, sent.Cookie, r.body), sent.Name)
			compared++
		}
	}
	assert.Equal(t, 100, compared)

	assert.Equal(t, NewRequest("a", "b", strings.Repeat("c", 300)).body, unhex(t, "21 61 00 21 62 00 a1 01 2d"+strings.Repeat("63", 300)+"00"))
	assert.Equal(t, NewRequest("a").WithInt(-1).WithInt(0).body, unhex(t, "21 61 00 40 ff ff ff ff 00"))
}

func TestFault(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tc := range []struct{ text, want string }{
		{"command x not found", `fault 500 "command x not found"`},
		{"a\xffb", `fault 500 "a?b"`},
		{long, `fault 500 "` + long[:256] + `"`},
	} {
		_, err := Decode(packet(typeFault, 1, appendText(appendNumber(nil, Int, 500), String, tc.text)))
		require.EqualError(t, err, tc.want)
		assert.Equal(t, scrape.Response, scrape.TypeOf(err))
	}
}

// TestNoAllocations decodes and iterates without allocating.
func TestNoAllocations(t *testing.T) {
	for _, name := range []string{"unix/stats.fetch_all.rep.bin", "unix/ul.dump.rep.bin", "unix/pkg.stats.rep.bin"} {
		whole := capture(t, name)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			records, err := Decode(whole)
			if err != nil || walkAll(records) == 0 {
				t.Fail()
			}
		}), name)
	}
}

// walkAll reads every value and returns their number.
func walkAll(r Records) (n int) {
	for name, v := range r.All() {
		_, _ = v.Int()
		_, _ = v.Float()
		text, _ := v.Text()
		_, _ = name, text
		n += 1 + walkAll(v.Records())
	}
	return n
}

// large returns a reply of about 400 KB, made of repetitions of a captured ul.dump in a list.
func large(t testing.TB) []byte {
	t.Helper()
	whole := capture(t, "unix/ul.dump.rep.bin")
	n, err := headerSize(whole)
	require.NoError(t, err)
	body := []byte{byte(Struct)}
	for len(body) < 400_000 {
		body = append(body, whole[n:]...)
	}
	return packet(typeReply, 1, append(body, 0x80|byte(Struct)))
}

func benchmarkDecode(b *testing.B, whole []byte) {
	b.Helper()
	b.SetBytes(int64(len(whole)))
	b.ReportAllocs()
	var n int
	for b.Loop() {
		records, err := Decode(whole)
		require.NoError(b, err)
		n = walkAll(records)
	}
	b.ReportMetric(float64(n), "records")
}

func BenchmarkDecodeStats(b *testing.B) {
	benchmarkDecode(b, capture(b, "unix/stats.fetch_all.rep.bin"))
}

func BenchmarkDecode400KB(b *testing.B) { benchmarkDecode(b, large(b)) }

// FuzzDecode checks that accepted packets survive a round trip, and that errors are classified and short.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(captures + "/*/*.rep.bin")
	require.NoError(f, err)
	for _, file := range files {
		name, _ := filepath.Rel(captures, file)
		if whole := capture(f, name); len(whole) < 4096 {
			f.Add(whole)
		}
	}
	for _, tc := range malformedReplies(f) {
		if len(tc.packet) < 4096 {
			f.Add(tc.packet)
		}
	}
	f.Fuzz(func(t *testing.T, whole []byte) {
		// A matching header lets the fuzzer reach the records.
		replies := [][]byte{whole, packet(typeReply, 1, whole), packet(typeFault, 1, whole)}
		for _, reply := range replies {
			records, err := Decode(reply)
			if err != nil {
				require.NotEqual(t, scrape.Other, scrape.TypeOf(err))
				require.Less(t, len(err.Error()), 2048)
				continue
			}
			encoded := encode(nil, records)
			again, err := Decode(packet(typeReply, 1, encoded))
			require.NoError(t, err)
			require.Equal(t, plainAll(records), plainAll(again))
			require.Equal(t, encoded, encode(nil, again))
		}
	})
}

func TestCounts(t *testing.T) {
	for name, want := range map[string][2]int{ // excluding and including nested records
		"unix/stats.fetch_all.rep.bin":          {1, 167},
		"unix/pkg.stats.rep.bin":                {16, 16 + 16*9},
		"unix/system.listMethods.rep.bin":       {180, 180},
		"unix/rtpengine.get_hash_total.rep.bin": {1, 1},
	} {
		r, err := Decode(capture(t, name))
		require.NoError(t, err)
		assert.Equal(t, want, [2]int{r.Len(), r.Count()}, name)
	}
}
