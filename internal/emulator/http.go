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

// Answer is the response to an HTTP request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Closes makes the server close the connection afterwards without announcing it in the header.
	Closes bool
}

// Unauthorized returns a response to a wrong secret that is typical of scripts and proxies.
func Unauthorized() Answer {
	header := http.Header{"Content-Type": {"text/plain"}, "Www-Authenticate": {`Basic realm="rtc"`}}
	return Answer{Status: http.StatusUnauthorized, Header: header, Body: []byte("Unauthorized\n")}
}

func (a Answer) write(w http.ResponseWriter) {
	a.writeHeader(w, len(a.Body))
	_, _ = w.Write(a.Body)
	if a.Closes {
		flushAndAbort(w)
	}
}

// writeHeader writes the header for a body of this length. A negative length means that it is unknown.
func (a Answer) writeHeader(w http.ResponseWriter, length int) {
	header := w.Header()
	header["Date"] = nil // not every server sends one; otherwise the capture has it
	maps.Copy(header, a.Header)
	header.Del("Content-Length")
	if length >= 0 {
		header.Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(a.Status)
}

// exchange is a request and its response, to which a fault applies.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	handler Handler
}

// goodAnswer returns the response without a fault. It is not compressed, because faults edit the text.
func (e exchange) goodAnswer() Answer {
	e.r.Header.Del("Accept-Encoding")
	return e.handler.Answer(e.r)
}

// conn returns the connection, for faults below HTTP.
func (e exchange) conn() net.Conn { return e.r.Context().Value(connKey{}).(net.Conn) }

// httpFaults implements Faults for HTTP.
var httpFaults = map[string]func(exchange){
	Refuse:               func(exchange) { abort() }, // for a connection that was accepted just before
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
	"wrong_secret":       func(e exchange) { e.handler.Denied().write(e.w) },
	"invalid_json":       edit(func(body []byte) []byte { return body[:len(body)/2] }),
	"wrong_types":        edit(mistype),

	"invalid_utf8":         edit(breakText),
	"numbers_out_of_range": edit(exceedNumbers),
	"deep_nesting":         edit(nestDeep),
}

// Constants for the faults of all protocols.
const (
	// DripInterval is the interval between the bytes of a slow response.
	DripInterval = 20 * time.Millisecond
	// Page404 is the HTML page of a proxy for an unknown path.
	Page404 = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n" +
		"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
	// NotUTF8 has a byte that never occurs in UTF-8, and an incomplete sequence of two bytes.
	NotUTF8 = "\xff\xc3"
	// NestingDepth is the depth of the fault deep_nesting.
	NestingDepth = 9_000
)

// bodyBegin is the start of an endless body.
const bodyBegin = `{"code":0,"data":[`

// abort closes the connection with the panic that net/http provides for this purpose.
func abort() { panic(http.ErrAbortHandler) }

// flushAndAbort sends the bytes written so far and closes the connection.
func flushAndAbort(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	abort()
}

func resetConnection(e exchange) {
	if tcp, ok := e.conn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes closing send a reset
	}
	abort()
}

// status responds with a status and its text.
func status(code int) func(exchange) {
	return func(e exchange) { http.Error(e.w, strings.ToLower(http.StatusText(code)), code) }
}

func tooManyRequests(e exchange) {
	e.w.Header().Set("Retry-After", "60")
	status(http.StatusTooManyRequests)(e)
}

// edit responds with an edited body.
func edit(change func([]byte) []byte) func(exchange) {
	return func(e exchange) {
		whole := e.goodAnswer()
		whole.Body = change(whole.Body)
		whole.write(e.w)
	}
}

func html404(e exchange) {
	Answer{Status: http.StatusNotFound, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(Page404)}.write(e.w)
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
	e.goodAnswer().writeHeader(e.w, -1)
	drip(e, func() error {
		if _, err := e.w.Write([]byte(" ")); err != nil {
			return err
		}
		return http.NewResponseController(e.w).Flush()
	})
}

// drip calls write every DripInterval until the client disconnects or the server closes.
func drip(e exchange, write func() error) {
	tick := time.NewTicker(DripInterval)
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
	e.goodAnswer().writeHeader(e.w, -1)
	_, err := io.WriteString(e.w, bodyBegin)
	for rows := bytes.Repeat([]byte("{},"), 10_000); err == nil && e.r.Context().Err() == nil; {
		_, err = e.w.Write(rows)
	}
	flushAndAbort(e.w)
}

func cutBody(e exchange) {
	whole := e.goodAnswer()
	whole.writeHeader(e.w, len(whole.Body))
	_, _ = e.w.Write(whole.Body[:len(whole.Body)/2])
	flushAndAbort(e.w)
}

func gzipBomb(e exchange) {
	whole := e.goodAnswer()
	whole.Header = maps.Clone(whole.Header)
	whole.Header["Content-Encoding"] = []string{"gzip"}
	whole.Body = bomb()
	whole.write(e.w)
}

// bomb returns an empty JSON array with 1 GiB of spaces in it, compressed with gzip. Only 1 MiB is compressed, and the result is
// repeated.
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

// mistype changes the types of JSON values. Other text is unchanged.
func mistype(body []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		var numbers int
		body, _ = json.Marshal(mistyped(value, &numbers)) // a decoded value can be encoded
	}
	return body
}

// mistyped replaces arrays with objects, and numbers alternately with strings and objects.
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
	// jsonText matches a string, including the colon if it is a key.
	jsonText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:\s*:)?`)
	// jsonTextOrNumber matches a string or a number.
	jsonTextOrNumber = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*`)
	// pageText matches the value of a label, or a HELP line.
	pageText = regexp.MustCompile(`(?m)="(?:[^"\\]|\\.)*"|^# HELP .*$`)
	// pageNumber matches a series and its value.
	pageNumber = regexp.MustCompile(`(?m)^([a-zA-Z_:][^\s{]*(?:\{.*\})?[ \t]+)(\S+)`)
)

// outOfRange lists numbers that no counter, gauge or time can have: too large for a double, negative, or larger than 64 bits.
var outOfRange = []string{"1e400", "-1", "18446744073709551616", "-9223372036854775809", "1e300"}

// breakText appends NotUTF8 to strings, or to the labels and the help of a page.
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
			return slices.Concat(found[:len(found)-1], []byte(NotUTF8+`"`))
		}
		return slices.Concat(found, []byte(NotUTF8))
	})
}

// exceedNumbers replaces numbers with those of outOfRange in turn. In JSON it keeps 0 and 1, because they can indicate success or the
// form of the response, without which a client would stop reading.
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

// nestDeep replaces every array and object of a JSON document with deeply nested ones, or all members if there are none. Other text
// is unchanged.
func nestDeep(body []byte) []byte {
	deep := strings.Repeat(`[{"a":`, NestingDepth/2) + "0" + strings.Repeat("}]", NestingDepth/2)
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
