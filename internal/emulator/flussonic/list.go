// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

var errUnknownCursor = errors.New("unknown cursor")

const (
	defaultLimit = 100 // rows of a page without the parameter limit

	// The decoded cursors of the next and previous pages.
	cursorGreater  = "%24position_gt="
	cursorLess     = "%24position_lt="
	cursorReversed = "&%24reversed=true"
)

// rowList is a list of API v3, such as streams or sessions. Rows are numbered from 0. The first ones are the captured rows
// under their own names. When streams are scaled, copies follow in turn under names such as hockey1-00005.
type rowList struct {
	api      string
	envelope []jsonMember // members of the last page; the member with the rows has no value
	rows     []listRow
	scaledTo int
	paging   string

	mu    sync.Mutex
	texts map[string][]template // of the rows, by selected fields
}

// listRow is a captured row.
type listRow struct {
	name     string
	captured []byte
	activity activity
}

// pageRequest is a request for a page of a list.
type pageRequest struct {
	limit  int
	after  int    // number of the row before the page; -1 for the first page
	cursor string // as received
	fields string // separated by commas; all if empty
}

// newPageRequest parses the query. If numbers is true, cursors are plain numbers.
func newPageRequest(query url.Values, numbers bool) (request pageRequest, err error) {
	request = pageRequest{limit: defaultLimit, after: -1, cursor: query.Get("cursor"), fields: query.Get("select")}
	if text := query.Get("limit"); text != "" {
		if request.limit, err = strconv.Atoi(text); err != nil || request.limit < 1 {
			return request, fmt.Errorf("limit %s is no positive number", text)
		}
	}
	if request.cursor == "" {
		return request, nil
	}
	position := request.cursor
	if !numbers {
		decoded, err := base64.StdEncoding.DecodeString(position)
		text, ok := strings.CutPrefix(string(decoded), cursorGreater)
		if err != nil || !ok {
			return request, errUnknownCursor
		}
		position = strings.TrimSuffix(text, "&")
	}
	if request.after, err = strconv.Atoi(position); err != nil || request.after < 0 {
		return request, errUnknownCursor
	}
	return request, nil
}

// cursorAfter returns the cursor of the page after a row. It always ends in =, so that a client that does not escape it fails.
func cursorAfter(number int) string {
	decoded := cursorGreater + strconv.Itoa(number)
	if len(decoded)%3 == 0 {
		decoded += "&"
	}
	return base64.StdEncoding.EncodeToString([]byte(decoded))
}

// cursorBefore returns the cursor of the page before a row.
func cursorBefore(number int) string {
	return base64.StdEncoding.EncodeToString([]byte(cursorLess + strconv.Itoa(number) + cursorReversed))
}

// jsonMember is a member of a JSON object. Its value has the captured form.
type jsonMember struct {
	name  string
	value json.RawMessage
}

// jsonMembers splits an object into its members.
func jsonMembers(object []byte) (members []jsonMember, err error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		m := jsonMember{name: fmt.Sprint(name)}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

// newRowList parses the captured pages of a list.
func newRowList(api string, pages [][]byte, capturedAt int64) (*rowList, error) {
	list := &rowList{api: api, texts: map[string][]template{}}
	for _, page := range pages {
		members, err := jsonMembers(page)
		if err != nil {
			return nil, err
		}
		for i, m := range members {
			var rows []json.RawMessage
			if !bytes.HasPrefix(m.value, []byte("[")) {
				continue
			}
			if err := json.Unmarshal(m.value, &rows); err != nil {
				return nil, err
			}
			for _, row := range rows {
				var named struct{ Name string }
				_ = json.Unmarshal(row, &named) // peers have no name
				list.rows = append(list.rows, listRow{named.Name, row, newActivity(row, capturedAt)})
			}
			members[i].value = nil
		}
		list.envelope = members
	}
	if len(list.rows) == 0 {
		return nil, errors.New("there are no rows")
	}
	return list, nil
}

// total returns the number of rows, including absent ones.
func (l *rowList) total() int {
	if l.scaledTo > 0 {
		return l.scaledTo
	}
	return len(l.rows)
}

// stream returns the state of a stream. The captured ones always send media.
func (l *rowList) stream(number int, m *moment) emulator.Stream {
	if number < len(l.rows) {
		return emulator.Life(0).Stream(number, m.at())
	}
	return m.life.Stream(number, m.at())
}

// momentOf returns the moment of a row. A stream that left and returned began at its return.
func (l *rowList) momentOf(number int, m moment) moment {
	stream := l.stream(number, &m)
	began := stream.Began.Milliseconds()
	m.number, m.original = number, number%len(l.rows)
	m.begin, m.elapsed, m.restarted = m.begin+began, m.elapsed-began, m.restarted || began > 0
	m.flowing, m.frozen, m.silence = stream.Flowing.Milliseconds(), stream.Frozen, stream.Silence.Milliseconds()
	return m
}

// isPresent reports whether a row is in the list now. Without life, about 1 % of moving copies are absent.
func (l *rowList) isPresent(number int, m *moment) bool {
	if m.life != 0 {
		return l.stream(number, m).Present
	}
	return !m.moving || number < len(l.rows) || (int64(number)+m.elapsed/60_000)%97 != 0
}

// count returns the number of rows in the list and the number of running streams among them.
func (l *rowList) count(m moment) (present, running int) {
	for number := range l.total() {
		if l.isPresent(number, &m) {
			present++
			if l.rows[number%len(l.rows)].activity.running {
				running++
			}
		}
	}
	return present, running
}

// page returns the body of a response.
func (l *rowList) page(request pageRequest, m moment) []byte {
	numbers, more := l.numbers(request, &m)
	next, prev := "null", "null"
	if more {
		next = l.next(request, numbers[len(numbers)-1])
	}
	if request.after >= 0 && len(numbers) > 0 {
		prev = strconv.Quote(cursorBefore(numbers[0]))
	}
	count, _ := l.count(m)
	var body []byte
	begin := func(name string) {
		separator := ",\n  "
		if body == nil {
			separator = "{\n  "
		}
		body = append(append(body, separator...), strconv.Quote(name)+": "...)
	}
	known := map[string]string{"estimated_count": strconv.Itoa(count), "next": next, "prev": prev}
	if next != "null" && !l.hasMember("next") { // the last page has no next page
		begin("next")
		body = append(body, next...)
	}
	for _, member := range l.envelope {
		begin(member.name)
		switch value, ok := known[member.name]; {
		case ok:
			body = append(body, value...)
		case member.value == nil:
			body = l.appendRows(body, request.fields, numbers, m)
		default:
			body = append(body, member.value...)
		}
	}
	return append(body, "\n}\n"...)
}

// hasMember reports whether the last captured page has a member of this name.
func (l *rowList) hasMember(name string) bool {
	return slices.ContainsFunc(l.envelope, func(m jsonMember) bool { return m.name == name })
}

// numbers returns the numbers of the rows of a page, and whether another page follows.
func (l *rowList) numbers(request pageRequest, m *moment) (numbers []int, more bool) {
	total := l.total()
	for number := request.after + 1; number < total || l.paging == "endless"; number++ {
		if len(numbers) == request.limit || len(numbers) == total {
			return numbers, true
		}
		if l.isPresent(number%total, m) {
			numbers = append(numbers, number)
		}
	}
	return numbers, false
}

// next returns the cursor of the page after a row, as JSON.
func (l *rowList) next(request pageRequest, number int) string {
	switch {
	case l.paging == "number":
		return strconv.Itoa(number)
	case l.paging == "repeat" && request.cursor != "":
		return strconv.Quote(request.cursor)
	}
	return strconv.Quote(cursorAfter(number))
}

// appendRows appends the rows of a page.
func (l *rowList) appendRows(body []byte, fields string, numbers []int, m moment) []byte {
	if len(numbers) == 0 {
		return append(body, "[]"...)
	}
	texts := l.selected(fields)
	separator := "[\n    "
	for _, number := range numbers {
		of := l.momentOf(number%l.total(), m)
		body = append(body, separator...)
		body = texts[of.original].appendTo(body, &of)
		separator = ",\n    "
	}
	return append(body, "\n  ]"...)
}

// maxSelections is the number of cached sets of fields.
const maxSelections = 16

// selected returns the rows with these fields.
func (l *rowList) selected(fields string) []template {
	l.mu.Lock()
	defer l.mu.Unlock()
	if texts := l.texts[fields]; texts != nil {
		return texts
	}
	texts := make([]template, len(l.rows))
	for i, row := range l.rows {
		content := row.captured
		if fields != "" {
			content = selectFields(content, newFieldTree("name,"+fields))
		}
		texts[i] = newJSONTemplate(l.api, content, row.activity)
	}
	if len(l.texts) == maxSelections {
		clear(l.texts)
	}
	l.texts[fields] = texts
	return texts
}

// fieldTree maps selected fields to the selected fields below them. A nil fieldTree selects all fields.
type fieldTree map[string]fieldTree

// newFieldTree parses a list of fields such as a,b.c.
func newFieldTree(fields string) fieldTree {
	root := fieldTree{}
	for field := range strings.SplitSeq(fields, ",") {
		root.add(strings.Split(strings.TrimSpace(field), "."))
	}
	return root
}

// add selects one more field. A field that is selected completely stays so.
func (t fieldTree) add(names []string) {
	below, known := t[names[0]]
	switch {
	case len(names) == 1, known && below == nil:
		t[names[0]] = nil
		return
	case !known:
		below = fieldTree{}
		t[names[0]] = below
	}
	below.add(names[1:])
}

// selectFields returns an object, or an array of objects, with only the selected fields.
func selectFields(value []byte, tree fieldTree) []byte {
	if tree == nil {
		var compact bytes.Buffer
		_ = json.Compact(&compact, value) // it was decoded before
		return compact.Bytes()
	}
	var selected []byte
	switch value[0] {
	case '{':
		members, _ := jsonMembers(value) // it was decoded before
		separator := "{"
		for _, m := range members {
			if below, ok := tree[m.name]; ok {
				selected = append(append(selected, separator...), strconv.Quote(m.name)+":"...)
				selected = append(selected, selectFields(m.value, below)...)
				separator = ","
			}
		}
		if selected == nil {
			return []byte("{}")
		}
		return append(selected, '}')
	case '[':
		var items []json.RawMessage
		_ = json.Unmarshal(value, &items) // it was decoded before
		for i, item := range items {
			if i > 0 {
				selected = append(selected, ',')
			}
			selected = append(selected, selectFields(item, tree)...)
		}
		return append(append([]byte("["), selected...), ']')
	}
	return value
}
