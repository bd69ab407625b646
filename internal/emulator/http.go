// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// answer is what a system says to one HTTP request.
type answer struct {
	status int
	header http.Header
	body   []byte
	closes bool // the server closes the connection after it, without a word in the header
}

func (a answer) write(w http.ResponseWriter) {
	a.begin(w, len(a.body))
	_, _ = w.Write(a.body)
	if a.closes {
		flushAndAbort(w)
	}
}

// begin writes the header of the answer with a body of another length, or of an open one when it is negative.
func (a answer) begin(w http.ResponseWriter, length int) {
	header := w.Header()
	header["Date"] = nil // not every server sends one: it comes from the capture, if at all
	maps.Copy(header, a.header)
	header.Del("Content-Length")
	if length >= 0 {
		header.Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(a.status)
}

// exchange is a request that meets a fault.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	system system
}

// well is the answer that a server without faults gives, never compressed: faults edit the text itself.
func (e exchange) well() answer {
	e.r.Header.Del("Accept-Encoding")
	return e.system.answer(e.r)
}

// conn is the connection itself, for what net/http does not let a handler say.
func (e exchange) conn() net.Conn { return e.r.Context().Value(connKey{}).(net.Conn) }

// httpFaults is how HTTP does each of Faults.
var httpFaults = map[string]func(exchange){
	refuse:               func(exchange) { abort() }, // on a connection that was accepted just before
	"reset":              resetConnection,
	"hang":               func(e exchange) { <-e.r.Context().Done(); abort() },
	"slow_header":        slowHeader,
	"slow_body":          slowBody,
	"endless_body":       endlessBody,
	"cut_body":           cutBody,
	"gzip_bomb":          gzipBomb,
	"status_500":         status(http.StatusInternalServerError),
	"status_401":         status(http.StatusUnauthorized),
	"status_403":         status(http.StatusForbidden),
	"status_429":         tooManyRequests,
	"html_404":           html404,
	"redirect_elsewhere": func(e exchange) { http.Redirect(e.w, e.r, "http://192.0.2.1/", http.StatusFound) },
	"wrong_secret":       func(e exchange) { e.system.denied().write(e.w) },
	"invalid_json":       edit(func(body []byte) []byte { return body[:len(body)/2] }),
	"wrong_types":        edit(mistype),

	"invalid_utf8":         edit(breakText),
	"numbers_out_of_range": edit(exceedNumbers),
	"deep_nesting":         edit(nestDeep),
}

const (
	dripInterval = 20 * time.Millisecond
	bodyBegin    = `{"code":0,"data":[`
	page404      = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n" +
		"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)

// abort closes the connection; net/http provides this panic for it.
func abort() { panic(http.ErrAbortHandler) }

// flushAndAbort sends what was written and closes the connection.
func flushAndAbort(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	abort()
}

func resetConnection(e exchange) {
	if tcp, ok := e.conn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing then sends a reset
	}
	abort()
}

// status answers with nothing but a status.
func status(code int) func(exchange) {
	return func(e exchange) { http.Error(e.w, strings.ToLower(http.StatusText(code)), code) }
}

func tooManyRequests(e exchange) {
	e.w.Header().Set("Retry-After", "60")
	status(http.StatusTooManyRequests)(e)
}

// edit answers with an edited body.
func edit(change func([]byte) []byte) func(exchange) {
	return func(e exchange) {
		whole := e.well()
		whole.body = change(whole.body)
		whole.write(e.w)
	}
}

func html404(e exchange) {
	answer{status: http.StatusNotFound, header: http.Header{"Content-Type": {"text/html"}}, body: []byte(page404)}.write(e.w)
}

func slowHeader(e exchange) {
	begin := []byte("HTTP/1.1 200 OK\r\nServer: ")
	drip(e, func() error {
		_, err := e.conn().Write(begin)
		begin = []byte("x")
		return err
	})
}

func slowBody(e exchange) {
	e.well().begin(e.w, -1)
	drip(e, func() error {
		if _, err := e.w.Write([]byte(" ")); err != nil {
			return err
		}
		return http.NewResponseController(e.w).Flush()
	})
}

// drip writes now and then until the client goes away or the server closes.
func drip(e exchange, write func() error) {
	tick := time.NewTicker(dripInterval)
	defer tick.Stop()
	for write() == nil {
		select {
		case <-tick.C:
		case <-e.r.Context().Done():
			abort()
		}
	}
	abort()
}

func endlessBody(e exchange) {
	e.well().begin(e.w, -1)
	_, err := io.WriteString(e.w, bodyBegin)
	for rows := bytes.Repeat([]byte("{},"), 10_000); err == nil && e.r.Context().Err() == nil; {
		_, err = e.w.Write(rows)
	}
	flushAndAbort(e.w)
}

func cutBody(e exchange) {
	whole := e.well()
	whole.begin(e.w, len(whole.body))
	_, _ = e.w.Write(whole.body[:len(whole.body)/2])
	flushAndAbort(e.w)
}

func gzipBomb(e exchange) {
	whole := e.well()
	whole.header = maps.Clone(whole.header)
	whole.header["Content-Encoding"] = []string{"gzip"}
	whole.body = bomb()
	whole.write(e.w)
}

// bomb is 1 GiB of spaces in an empty list, packed: 1 MiB of them is compressed once and repeated.
var bomb = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // the level exists
	sum := crc32.NewIEEE()
	pack := func(content []byte) []byte {
		_, _ = w.Write(content) // a bytes.Buffer takes everything
		_ = w.Flush()
		return bytes.Clone(packed.Next(packed.Len()))
	}
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	begin, first, part := pack([]byte(bodyBegin)), pack(spaces), pack(spaces)
	_, _ = w.Write([]byte("]}"))
	_ = w.Close()
	_, _ = sum.Write([]byte(bodyBegin))
	for range 1 << 10 {
		_, _ = sum.Write(spaces)
	}
	_, _ = sum.Write([]byte("]}"))
	body := slices.Concat([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"), begin, first, bytes.Repeat(part, 1<<10-1), packed.Bytes())
	body = binary.LittleEndian.AppendUint32(body, sum.Sum32())
	return binary.LittleEndian.AppendUint32(body, 1<<30+uint32(len(bodyBegin+"]}")))
})

// mistype is of JSON alone: text has no types.
func mistype(body []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		var numbers int
		body, _ = json.Marshal(mistyped(value, &numbers)) // what was decoded can be encoded
	}
	return body
}

// mistyped turns lists into objects, and numbers into strings and objects by turns.
func mistyped(value any, numbers *int) any {
	switch v := value.(type) {
	case json.Number:
		*numbers++
		if *numbers%2 == 0 {
			return map[string]any{"value": v}
		}
		return v.String()
	case []any:
		object := make(map[string]any, len(v))
		for i, item := range v {
			object[strconv.Itoa(i)] = mistyped(item, numbers)
		}
		return object
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			v[name] = mistyped(v[name], numbers)
		}
		return v
	default:
		return v
	}
}

var (
	// jsonText is a string, with the colon behind it when it is a name.
	jsonText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:\s*:)?`)
	// jsonTextOrNumber is a string or a number.
	jsonTextOrNumber = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*`)
	// pageText is the value of a label, or a line of help.
	pageText = regexp.MustCompile(`(?m)="(?:[^"\\]|\\.)*"|^# HELP .*$`)
	// pageNumber is a series and its value.
	pageNumber = regexp.MustCompile(`(?m)^([a-zA-Z_:][^\s{]*(?:\{.*\})?[ \t]+)(\S+)`)
)

// noUTF8 is a byte that occurs nowhere in UTF-8, and the first of two.
const noUTF8 = "\xff\xc3"

// outOfRange are numbers that no counter, gauge or time can have: over a double, negative, over 64 bits.
var outOfRange = []string{"1e400", "-1", "18446744073709551616", "-9223372036854775809", "1e300"}

// breakText puts bytes that are no UTF-8 at the end of strings, or of the labels and the help of a page.
func breakText(body []byte) []byte {
	text := pageText
	if json.Valid(body) {
		text = jsonText
	}
	return text.ReplaceAllFunc(body, func(found []byte) []byte {
		switch found[len(found)-1] {
		case ':': // a name
			return found
		case '"':
			return slices.Concat(found[:len(found)-1], []byte(noUTF8+`"`))
		}
		return slices.Concat(found, []byte(noUTF8))
	})
}

// exceedNumbers puts outOfRange by turns in the place of numbers, but for the 0 and 1 of JSON: they say that a call succeeded,
// or which form an answer has, and nobody would read on.
func exceedNumbers(body []byte) []byte {
	turn := 0
	next := func() []byte {
		turn++
		return []byte(outOfRange[(turn-1)%len(outOfRange)])
	}
	if !json.Valid(body) {
		return pageNumber.ReplaceAllFunc(body, func(found []byte) []byte {
			series := pageNumber.FindSubmatch(found)[1]
			return slices.Concat(series, next())
		})
	}
	return jsonTextOrNumber.ReplaceAllFunc(body, func(found []byte) []byte {
		if text := string(found); text[0] == '"' || text == "0" || text == "1" {
			return found
		}
		return next()
	})
}

const nested = 9_000

// nestDeep puts nested lists and objects in the place of every list and object of an answer, or of all its members when it has
// none. It is of JSON alone.
func nestDeep(body []byte) []byte {
	deep := strings.Repeat(`[{"a":`, nested/2) + "0" + strings.Repeat("}]", nested/2)
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		if json.Valid(body) {
			return []byte(deep)
		}
		return body
	}
	holds := func(value json.RawMessage) bool { return value[0] == '[' || value[0] == '{' }
	all := !slices.ContainsFunc(slices.Collect(maps.Values(members)), holds)
	var edited []byte
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := string(members[name])
		if all || holds(members[name]) {
			value = deep
		}
		edited = fmt.Appendf(edited, ",%q:%s", name, value)
	}
	return append(append([]byte("{"), bytes.TrimPrefix(edited, []byte(","))...), '}')
}
