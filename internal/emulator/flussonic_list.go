// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

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
)

var errFlussonicCursor = errors.New("unknown cursor")

const (
	flussonicLimit = 100 // rows of a page when nothing is asked for

	// The text that a cursor hides, and the one of a cursor back.
	flussonicAfter  = "%24position_gt="
	flussonicBefore = "%24position_lt="
	flussonicBack   = "&%24reversed=true"
)

// flussonicList is a list of API v3: streams, sessions and the like. Rows are numbered from 0. The first ones are as
// captured, under their own names; when streams are scaled, copies follow in turn, as hockey1-00005.
type flussonicList struct {
	api      string
	envelope []jsonMember // of the last page; the rows have no value
	rows     []flussonicRow
	scaledTo int
	paging   string

	mu    sync.Mutex
	texts map[string][]flussonicText // of the rows, by the fields that were selected
}

// flussonicRow is a captured row.
type flussonicRow struct {
	name     string
	captured []byte
	pace     flussonicPace
}

// flussonicRequest is what is wanted of a list.
type flussonicRequest struct {
	limit  int
	after  int    // number of the row before the page; -1: from the beginning
	cursor string // as it came
	fields string // separated by commas; all when empty
}

// newFlussonicRequest reads the query.
func newFlussonicRequest(query url.Values, numbers bool) (request flussonicRequest, err error) {
	request = flussonicRequest{limit: flussonicLimit, after: -1, cursor: query.Get("cursor"), fields: query.Get("select")}
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
		hidden, err := base64.StdEncoding.DecodeString(position)
		text, ok := strings.CutPrefix(string(hidden), flussonicAfter)
		if err != nil || !ok {
			return request, errFlussonicCursor
		}
		position = strings.TrimSuffix(text, "&")
	}
	if request.after, err = strconv.Atoi(position); err != nil || request.after < 0 {
		return request, errFlussonicCursor
	}
	return request, nil
}

// cursorAfter is the cursor of the page after a row. It always ends in =, so that one that is not escaped is noticed.
func cursorAfter(number int) string {
	hidden := flussonicAfter + strconv.Itoa(number)
	if len(hidden)%3 == 0 {
		hidden += "&"
	}
	return base64.StdEncoding.EncodeToString([]byte(hidden))
}

// cursorBefore is the cursor of the page before a row.
func cursorBefore(number int) string {
	return base64.StdEncoding.EncodeToString([]byte(flussonicBefore + strconv.Itoa(number) + flussonicBack))
}

// jsonMember is a member of a JSON object; the value keeps its captured form.
type jsonMember struct {
	name  string
	value json.RawMessage
}

// jsonMembers takes an object apart.
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

// newFlussonicList takes the captured pages of a list apart.
func newFlussonicList(api string, pages [][]byte, made int64) (*flussonicList, error) {
	list := &flussonicList{api: api, texts: map[string][]flussonicText{}}
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
				list.rows = append(list.rows, flussonicRow{named.Name, row, newFlussonicPace(row, made)})
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

// total is how many rows there can be.
func (l *flussonicList) total() int {
	if l.scaledTo > 0 {
		return l.scaledTo
	}
	return len(l.rows)
}

// isPresent tells whether a row is there now: of the copies that move, about one in a hundred is not.
func (l *flussonicList) isPresent(number int, m *flussonicMoment) bool {
	return !m.moving || number < len(l.rows) || (int64(number)+m.elapsed/60_000)%97 != 0
}

// count counts the rows that are there now, and those that run.
func (l *flussonicList) count(m flussonicMoment) (present, running int) {
	for number := range l.total() {
		if l.isPresent(number, &m) {
			present++
			if l.rows[number%len(l.rows)].pace.running {
				running++
			}
		}
	}
	return present, running
}

// page is the body of an answer.
func (l *flussonicList) page(request flussonicRequest, m flussonicMoment) []byte {
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
	if next != "null" && !l.tells("next") { // there is none on the last page
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

// tells tells whether the last page has a member of this name.
func (l *flussonicList) tells(name string) bool {
	return slices.ContainsFunc(l.envelope, func(m jsonMember) bool { return m.name == name })
}

// numbers are the rows of a page, and whether another page follows.
func (l *flussonicList) numbers(request flussonicRequest, m *flussonicMoment) (numbers []int, more bool) {
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

// next is the cursor of the page after a row, as JSON.
func (l *flussonicList) next(request flussonicRequest, number int) string {
	switch {
	case l.paging == "number":
		return strconv.Itoa(number)
	case l.paging == "repeat" && request.cursor != "":
		return strconv.Quote(request.cursor)
	}
	return strconv.Quote(cursorAfter(number))
}

// appendRows appends the rows of a page.
func (l *flussonicList) appendRows(body []byte, fields string, numbers []int, m flussonicMoment) []byte {
	if len(numbers) == 0 {
		return append(body, "[]"...)
	}
	texts := l.selected(fields)
	separator := "[\n    "
	for _, number := range numbers {
		m.number = number % l.total()
		m.original = m.number % len(l.rows)
		body = append(body, separator...)
		body = texts[m.original].appendTo(body, &m)
		separator = ",\n    "
	}
	return append(body, "\n  ]"...)
}

// flussonicSelections is how many sets of fields are remembered.
const flussonicSelections = 16

// selected are the rows with these fields.
func (l *flussonicList) selected(fields string) []flussonicText {
	l.mu.Lock()
	defer l.mu.Unlock()
	if texts := l.texts[fields]; texts != nil {
		return texts
	}
	texts := make([]flussonicText, len(l.rows))
	for i, row := range l.rows {
		content := row.captured
		if fields != "" {
			content = selectFields(content, newFieldTree("name,"+fields))
		}
		texts[i] = newFlussonicJSON(l.api, content, row.pace)
	}
	if len(l.texts) == flussonicSelections {
		clear(l.texts)
	}
	l.texts[fields] = texts
	return texts
}

// fieldTree are selected fields by name, each with what is selected of it; all of it when that is nil.
type fieldTree map[string]fieldTree

// newFieldTree reads a,b.c.
func newFieldTree(fields string) fieldTree {
	root := fieldTree{}
	for field := range strings.SplitSeq(fields, ",") {
		root.add(strings.Split(strings.TrimSpace(field), "."))
	}
	return root
}

// add selects one more field; what is selected as a whole stays so.
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

// selectFields leaves the selected fields of an object, or of the objects of a list.
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
