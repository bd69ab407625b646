// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jsonwalk

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// answer holds what the tests read: every type of value, outside and inside arrays.
type answer struct {
	Code  optional.Value[int64]
	Load  optional.Value[float64]
	Ready optional.Value[bool]
	Msg   string
	Data  []source
}

type source struct {
	App     string
	Readers optional.Value[int64]
	FPS     optional.Value[float64]
	Record  optional.Value[bool]
	Tracks  []source
	Sock    []source // at most one
}

func (a *answer) read(r *Reader) error {
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "code":
			a.Code = optional.Value[int64]{}
			err = r.Int(&a.Code)
		case "load":
			a.Load = optional.Value[float64]{}
			err = r.Float(&a.Load)
		case "ready":
			a.Ready = optional.Value[bool]{}
			err = r.Bool(&a.Ready)
		case "msg":
			a.Msg, err = str(r)
		case "data":
			a.Data, err = sources(r)
		default:
			err = r.Skip()
		}
		return err
	})
}

func sources(r *Reader) (all []source, err error) {
	err = r.Objects(func() error {
		var s source
		defer func() { all = append(all, s) }()
		return s.read(r)
	})
	return all, err
}

func (s *source) read(r *Reader) error {
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "app":
			s.App, err = str(r)
		case "readerCount":
			s.Readers = optional.Value[int64]{}
			err = r.Int(&s.Readers)
		case "fps":
			s.FPS = optional.Value[float64]{}
			err = r.Float(&s.FPS)
		case "isRecordingMP4":
			s.Record = optional.Value[bool]{}
			err = r.Bool(&s.Record)
		case "tracks":
			s.Tracks, err = sources(r)
		case "originSock":
			s.Sock = make([]source, 1)
			err = s.Sock[0].read(r)
		default:
			err = r.Skip()
		}
		return err
	})
}

func str(r *Reader) (string, error) {
	b, err := r.Str(nil)
	return string(b), err
}

// narrow returns a Reader with a window that must grow to hold a value.
func narrow(window int) *Reader { return &Reader{buffer: make([]byte, window)} }

func reading(r *Reader, text string) *Reader {
	r.Reset(strings.NewReader(text))
	return r
}

const sample = ` { "code" : 25 , "load":0.5e1,"ready" :true, "msg":"a\"\\\u00e9\ud83d\ude00}]" , "skipped":[{"a":[1,{"b":"]"}]},null],
	"data":[
		{"app":"live", "readerCount":-12, "fps":25.00 ,"isRecordingMP4":false,"other":{"app":[{}]},
		 "tracks":[{"fps":1},{"app":"\t"}],"originSock":{"app":"127.0.0.1","tracks":[]}},
		{},
		{"readerCount":"7"}
	], "nothing":null, "empty":{}, "list":[] , "last":1 } `

func sampleAnswer() answer {
	return answer{
		Code: optional.Of[int64](25), Load: optional.Of(5.0), Ready: optional.Of(true), Msg: "a\"\\é😀}]",
		Data: []source{
			{
				App: "live", Readers: optional.Of[int64](-12), FPS: optional.Of(25.0), Record: optional.Of(false),
				Tracks: []source{{FPS: optional.Of(1.0)}, {App: "\t"}}, Sock: []source{{App: "127.0.0.1"}},
			},
			{},
			{Readers: optional.Of[int64](7)},
		},
	}
}

// TestWindowEdges checks that the result depends neither on the window size nor on the sizes of reads.
func TestWindowEdges(t *testing.T) {
	for name, pieces := range map[string]func(io.Reader) io.Reader{
		"plain":         func(r io.Reader) io.Reader { return r },
		"single bytes":  iotest.OneByteReader,
		"half reads":    iotest.HalfReader,
		"EOF with data": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			for window := 1; window <= len(sample)+1; window++ {
				r := narrow(window)
				r.Reset(pieces(strings.NewReader(sample)))
				var got answer
				require.NoError(t, got.read(r), "window of %d", window)
				require.Equal(t, sampleAnswer(), got, "window of %d", window)
				require.NoError(t, r.Err())
			}
		})
	}
}

// TestDefaultWindowEdge does the same for the default window, which white space before the sample fills.
func TestDefaultWindowEdge(t *testing.T) {
	r := NewReader()
	for before := 0; before < len(sample); before += 5 {
		blank := strings.Repeat(" ", windowSize-before)
		var got answer
		require.NoError(t, got.read(reading(r, blank+sample)))
		require.Equal(t, sampleAnswer(), got, "%d bytes before the edge", before)
	}
}

func TestNumbers(t *testing.T) {
	type number struct {
		i any
		f any
	}
	for text, want := range map[string]number{
		`0`:                       {int64(0), 0.0},
		`25`:                      {int64(25), 25.0},
		`"25"`:                    {int64(25), 25.0},
		`25.0`:                    {int64(25), 25.0},
		`"25.000"`:                {int64(25), 25.0},
		`-1`:                      {int64(-1), -1.0},
		`"-1"`:                    {int64(-1), -1.0},
		`25.5`:                    {nil, 25.5},
		`"0.25"`:                  {nil, 0.25},
		`1e3`:                     {int64(1000), 1000.0},
		`"1.25E2"`:                {int64(125), 125.0},
		`9007199254740992E0`:      {int64(9007199254740992), 9007199254740992.0},
		`9007199254740994E0`:      {nil, 9007199254740994.0},
		`-9e15`:                   {int64(-9e15), -9e15},
		`1.5E-3`:                  {nil, 0.0015},
		`0.000000000000001`:       {nil, 1e-15},
		`9007199254740993`:        {int64(9007199254740993), 9007199254740992.0},
		`90071992547409.93`:       {nil, 90071992547409.93},
		`900719925474099.3`:       {nil, 900719925474099.3},
		`0.30000000000000004`:     {nil, 0.30000000000000004},
		`999999999999999999`:      {int64(999999999999999999), 999999999999999999.0},
		`9223372036854775807`:     {int64(9223372036854775807), 9223372036854775807.0},
		`-9223372036854775808`:    {int64(-9223372036854775808), -9223372036854775808.0},
		`9223372036854775808`:     {nil, 9223372036854775808.0},
		`18446744073709551615`:    {nil, 18446744073709551615.0}, // 2^64-1, an unsigned counter of -1
		`18446744073709551617`:    {nil, 18446744073709551617.0}, // 2^64+1
		`1` + zeroes(30):          {nil, 1e30},
		`0.1` + zeroes(30):        {nil, 0.1},
		`12345678901234.12345678`: {nil, 12345678901234.12345678},
		`40000000000000.000000`:   {int64(40000000000000), 4e13},
		`1e999`:                   {nil, nil},
		`""`:                      {nil, nil},
		`"-"`:                     {nil, nil},
		`"abc"`:                   {nil, nil},
		`"12abc"`:                 {nil, nil},
		`"25 apples"`:             {nil, nil},
		`"25,7"`:                  {nil, nil},
		`"25]"`:                   {nil, nil},
		`"2 5"`:                   {nil, nil},
		`"0x10"`:                  {nil, nil},
		`".5"`:                    {nil, nil},
		`"5."`:                    {nil, nil},
		`"05"`:                    {nil, nil},
		`"1\u0030"`:               {nil, nil},
		`null`:                    {nil, nil},
		`true`:                    {nil, nil},
		`{"a":1}`:                 {nil, nil},
		`[1]`:                     {nil, nil},
	} {
		for place, document := range map[string]string{"outside": `{"code":%s,"load":%[1]s}`, "inside": `[{"readerCount":%s,"fps":%[1]s}]`} {
			t.Run(text+" "+place, func(t *testing.T) {
				var (
					got number
					r   = reading(NewReader(), fmt.Sprintf(document, text))
				)
				if place == "outside" {
					var a answer
					require.NoError(t, a.read(r))
					got = number{pointer(a.Code), pointer(a.Load)}
				} else {
					all, err := sources(r)
					require.NoError(t, err)
					got = number{pointer(all[0].Readers), pointer(all[0].FPS)}
				}
				assert.Equal(t, want, got)
				noted := 0
				if wrong := new(TypeError); errors.As(r.Err(), &wrong) {
					noted = len(wrong.Members)
				}
				assert.Equal(t, text != "null" && want.i == nil, noted > 0, "skipped values except null are noted")
				assert.Equal(t, text != "null" && want.f == nil, noted > 1)
			})
		}
	}
}

func zeroes(n int) string { return strings.Repeat("0", n) }

// pointer returns the value, or nil if it is absent.
func pointer[T any](v optional.Value[T]) any {
	if got, present := v.Get(); present {
		return got
	}
	return nil
}

func TestStrings(t *testing.T) {
	for text, want := range map[string]string{
		`""`:                        "",
		`"plain"`:                   "plain",
		`"é 中 😀"`:                   "é 中 😀",
		`"\"\\\/\b\f\n\r\t"`:        "\"\\/\b\f\n\r\t",
		`"\u00e9\u4e2D"`:            "é中",
		`"\ud83d\ude00"`:            "😀",
		`"\ud83d"`:                  "\uFFFD",
		`"\ude00x"`:                 "\uFFFDx",
		`"\ud83d\u0041"`:            "\uFFFDA",
		`"\ud83d\n"`:                "\uFFFD\n",
		"\"\xff\"":                  "\xff", // selection.Name makes it valid
		`"` + zeroes(10_000) + `"`:  zeroes(10_000),
		`"` + zeroes(9) + `\u0030"`: zeroes(10),
	} {
		for name, r := range map[string]*Reader{"wide": NewReader(), "narrow": narrow(3)} {
			var inside, outside, key string
			require.NoError(t, reading(r, `[`+text+`]`).Array(func() (err error) {
				inside, err = str(r)
				return err
			}))
			require.NoError(t, reading(r, `{`+text+`:`+text+`}`).Object(func(k []byte) (err error) {
				key = string(k)
				outside, err = str(r)
				return err
			}))
			assert.Equal(t, []string{want, want, want}, []string{inside, outside, key}, "%s %s", name, text)
		}
	}
}

// TestStrReusesItsBuffer checks that Str writes into the buffer passed to it.
func TestStrReusesItsBuffer(t *testing.T) {
	r := reading(NewReader(), `["abc","d",5]`)
	buf := make([]byte, 0, 8)
	var got []string
	require.NoError(t, r.Array(func() (err error) {
		buf, err = r.Str(buf)
		got = append(got, string(buf))
		return err
	}))
	assert.Equal(t, []string{"abc", "d", ""}, got)
	assert.Equal(t, 8, cap(buf))
}

// TestWrongTypes checks that the error lists members of a wrong type, and that null counts as absent.
func TestWrongTypes(t *testing.T) {
	for text, want := range map[string][]string{
		`{}`: nil,
		`{"code":null,"load":null,"ready":null,"msg":null,"data":null}`:                                         nil,
		`{"data":[null,{"app":null,"readerCount":null,"isRecordingMP4":null,"tracks":null,"originSock":null}]}`: nil,
		`{"code":{},"load":[],"ready":1,"msg":2,"data":3}`:                                                      {"code", "load", "ready", "msg", "data"},
		`{"data":{"app":1}}`: {"data"},
		`{"data":[{"app":1,"readerCount":{},"fps":true,"isRecordingMP4":"true","tracks":{},"originSock":[{}]}]}`: {"app", "readerCount", "fps", "isRecordingMP4", "tracks", "originSock"},
		`{"data":[1,"x",[],true]}`:                                     {"data[]"},
		`{"data":[{"app":"a"},5]}`:                                     {"data[]"},
		`{"data":[{"originSock":{"app":"a"},"tracks":[{"fps":1},5]}]}`: {"tracks[]"},
		`{"data":[{"app":1},{"app":2}],"msg":3}`:                       {"app", "msg"},
		`{"data":[{"originSock":{"app":1}}]}`:                          {"app"},
		`[]`:                                                           {""},
		`"text"`:                                                       {""},
	} {
		t.Run(text, func(t *testing.T) {
			var a answer
			r := reading(NewReader(), text)
			require.NoError(t, a.read(r))
			if want == nil {
				require.NoError(t, r.Err())
				return
			}
			err := r.Err()
			require.EqualError(t, err, "skipped values of a wrong type or range: "+strings.Join(want, ", "))
			assert.True(t, scrape.IsPartial(err))
			assert.Equal(t, scrape.Format, scrape.TypeOf(err))
		})
	}
}

func TestWrongTypesDoNotAffectOtherMembers(t *testing.T) {
	r := reading(NewReader(), `{"code":"x","msg":"ok","data":[7,{"app":{"app":[1]},"readerCount":1},null,{"tracks":5,"fps":2}],"load":1}`)
	var got answer
	require.NoError(t, got.read(r))
	assert.Equal(t, answer{
		Msg: "ok", Load: optional.Of(1.0),
		Data: []source{{Readers: optional.Of[int64](1)}, {FPS: optional.Of(2.0)}},
	}, got)
}

func TestWrongTypesAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, `,"key%d":[]`, i)
	}
	r := reading(NewReader(), "{"+text.String()[1:]+"}")
	var v optional.Value[int64]
	require.NoError(t, r.Object(func([]byte) error { return r.Int(&v) }))
	var wrong *TypeError
	require.ErrorAs(t, r.Err(), &wrong)
	assert.Equal(t, []string{"key0", "key1", "key2", "key3", "key4", "key5", "key6", "key7"}, wrong.Members)
	require.NoError(t, reading(r, "{}").Object(nil))
	require.NoError(t, r.Err(), "a new document starts without wrong types")
	assert.Len(t, wrong.Members, maxWrong, "and does not change the previous error")
}

func TestRawAndReread(t *testing.T) {
	const text = `[{"tracks": [{"app":"a"}, 5, {"fps":"x"}] ,"app":"first"}, {"app":"second"}, {"tracks":[]}]`
	for _, window := range []int{1, 10, 100, 1000} {
		var (
			r      = reading(narrow(window), text)
			apps   []string
			tracks [][]source
		)
		require.NoError(t, r.Objects(func() error {
			var raw []byte
			err := r.Object(func(key []byte) (err error) {
				switch string(key) {
				case "tracks":
					raw, err = r.Raw()
				default:
					var app string
					app, err = str(r)
					apps = append(apps, app)
				}
				return err
			})
			if err != nil || raw == nil {
				return err
			}
			r.Reread(raw)
			again, err := sources(r)
			tracks = append(tracks, again)
			return err
		}))
		assert.Equal(t, []string{"first", "second"}, apps)
		assert.Equal(t, [][]source{{{App: "a"}, {}}, nil}, tracks)
		assert.Error(t, r.Err(), "wrong types are also noted by a second reading")
	}
}

// TestKeysAndRawValuesRemainValid checks that a key and a raw value stay valid while their element is read, even if the window
// moves.
func TestKeysAndRawValuesRemainValid(t *testing.T) {
	element := `{"first":[1,2],"app":{"readerCount":"` + strings.Repeat("x", 40) + `","second":"` + strings.Repeat("y", 90) + `"}}`
	for window := 1; window < 4*len(element); window++ {
		r := narrow(window)
		r.Reset(iotest.HalfReader(strings.NewReader("[" + strings.Repeat(element+",", 5) + element + "]")))
		require.NoError(t, r.Objects(func() error {
			var raw []byte
			err := r.Object(func(key []byte) (err error) {
				name := string(key)
				if name == "first" {
					raw, err = r.Raw()
				} else {
					err = r.Object(func([]byte) error { return r.Int(new(optional.Value[int64])) })
				}
				require.Equal(t, name, string(key), "window of %d", window)
				return err
			})
			require.Equal(t, "[1,2]", string(raw), "window of %d", window)
			return err
		}))
		require.Equal(t, []string{"readerCount", "second"}, wrongOf(r), "window of %d", window)
	}
}

// TestRawOutsideArrays checks that Raw returns the unchanged text of a value.
func TestRawOutsideArrays(t *testing.T) {
	r := reading(narrow(4), `{"a" : [1, {"b":2}] , "c":12}`)
	var got []string
	require.NoError(t, r.Object(func(key []byte) error {
		raw, err := r.Raw()
		got = append(got, string(key), string(raw))
		return err
	}))
	assert.Equal(t, []string{"a", `[1, {"b":2}]`, "c", "12"}, got)
}

func TestSizes(t *testing.T) {
	value := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	for name, tc := range map[string]struct {
		text  io.Reader
		large bool
	}{
		"values larger than the window": {strings.NewReader(`[` + value(windowSize+1) + `,` + value(3*windowSize) + `]`), false},
		"a value up to the limit":       {strings.NewReader(`[` + value(maxValue-1) + `]`), false},
		"values up to the limit":        {strings.NewReader(`[` + value(maxValue-1) + `,` + value(maxValue-1) + `]`), false},
		"a value over the limit":        {strings.NewReader(`[` + value(maxValue+1) + `]`), true},
		"an endless value":              {endless(`[{"a":"`, 'x'), true},
		"an endless number":             {endless(`[`, '1'), true},
		"an endless key":                {endless(`[{"`, 'x'), true},
		"endless nesting":               {endless(`[`, '['), true},
		"endless white space":           {endless("", ' '), true},
		"endless white space in a list": {endless("[1", '\n'), true},
		"endless white space in values": {endless(`[{"a":`, '\t'), true},
		"white space over the window":   {strings.NewReader(`[1,` + strings.Repeat(" ", 3*windowSize) + `2]`), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader()
			r.Reset(tc.text)
			err := r.Array(r.Skip)
			if !tc.large {
				require.NoError(t, err)
				return
			}
			var size *SizeError
			require.ErrorAs(t, err, &size)
			assert.Equal(t, scrape.Size, scrape.TypeOf(err))
			assert.False(t, scrape.IsPartial(err))
			assert.Less(t, cap(r.buffer), 2*maxValue, "memory is bounded")
		})
	}
}

// TestDepth checks that a value that fits into the window is rejected if it is nested too deeply.
func TestDepth(t *testing.T) {
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	r := reading(NewReader(), "["+deep+"]")
	require.ErrorContains(t, r.Array(r.Skip), "depth")
}

// TestLimitIsConstant checks that the size limit does not depend on earlier documents.
func TestLimitIsConstant(t *testing.T) {
	r := NewReader()
	for range 3 {
		require.NoError(t, reading(r, `["`+strings.Repeat("x", maxValue-3)+`"]`).Array(r.Skip))
		require.Error(t, reading(r, `["`+strings.Repeat("x", maxValue)+`"]`).Array(r.Skip))
		assert.LessOrEqual(t, cap(r.buffer), maxValue)
	}
}

// endless returns text followed by an infinite number of bytes b.
func endless(text string, b byte) io.Reader {
	return io.MultiReader(strings.NewReader(text), repeated(b))
}

type repeated byte

func (b repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// TestMemoryDoesNotGrow checks that the window does not grow with the number of values.
func TestMemoryDoesNotGrow(t *testing.T) {
	const element = `{"app":"live","tracks":[{"fps":25}]}`
	r := NewReader()
	text := strings.Repeat(element+",", 100_000) + element
	n := 0
	require.NoError(t, reading(r, "["+text+"]").Objects(func() error {
		n++
		return r.Skip()
	}))
	assert.Equal(t, 100_001, n)
	assert.Equal(t, windowSize, cap(r.buffer))
}

func TestNesting(t *testing.T) {
	nested := func(depth int) string {
		return `{"data":` + strings.Repeat(`[`, depth) + strings.Repeat(`]`, depth) + `}`
	}
	var a answer
	require.NoError(t, a.read(reading(NewReader(), nested(5000))))
	require.ErrorContains(t, a.read(reading(NewReader(), nested(50_000))), "depth")
}

func TestBrokenSyntax(t *testing.T) {
	for _, text := range []string{
		``, ` `, `}`, `]`, `:`, `x`, `nul`, `tru`, `{]`, `{,}`, `{"code"}`, `{"code" 1}`, `{"code":}`, `{"code":,"load":1}`, `{"code":1 "load":1}`,
		`{"code":1,}`, `{"code":1]`, `{"code"::1}`, `{code:1}`, `{1:1}`, `{null:1}`, `{"code":01}`, `{"code":1.}`, `{"code":+1}`, `{"code":.5}`,
		`{"code":1e}`, `{"code":-}`, `{"data":[{"readerCount":01}]}`, `{"data":[{"fps":1.}]}`, `{"data":[{"other":00}]}`, `{"data":[{"other":1x}]}`,
		`{"data":[{"other":1.}]}`, `{"data":[{"other":nulL}]}`, `{"data":[{"other":nullx}]}`, `{"data":[{"isRecordingMP4":truefalse}]}`, `{"data":[{"other":"` + "\x1f" + `"}]}`,
		`{"code":NaN}`, `{"ready":truE}`, `{"ready":nul}`, `{"msg":"a` + "\n" + `"}`, `{"msg":"\x"}`, `{"msg":"\u12g4"}`,
		`{"data":[}`, `{"data":[,]}`, `{"data":[{},]}`, `{"data":[{}{}]}`, `{"data":[{}}`, `{"data":[1 2]}`, `{"data":[{"app"}]}`, `{"data":[{"app":"a",}]}`,
		`{"data":[{"tracks":[1,]}]}`, `{"data":[{"originSock":{"app" 1}}]}`, `{"data":[{"app":tru}]}`, `{"data":[{"other":{x}}]}`, `{"skipped":[1,,2]}`,
	} {
		for _, window := range []int{1, 1000} {
			var a answer
			require.Error(t, a.read(reading(narrow(window), text)), "%s", text)
		}
	}
}

// TestTruncation checks that a document truncated at any byte is an error.
func TestTruncation(t *testing.T) {
	document := strings.TrimSpace(sample)
	for cut := range document {
		text := document[:cut]
		for name, read := range map[string]func(*Reader) error{
			"read":         func(r *Reader) error { return new(answer).read(r) },
			"skip":         (*Reader).Skip,
			"skip members": func(r *Reader) error { return r.Object(func([]byte) error { return r.Skip() }) },
		} {
			for _, window := range []int{7, 1000} {
				require.Error(t, read(reading(narrow(window), text)), "%s: %s", name, text)
			}
		}
	}
}

// TestErrorsOfTheBody checks that errors of the body are returned.
func TestErrorsOfTheBody(t *testing.T) {
	reset := errors.New("connection reset")
	document := strings.TrimSpace(sample)
	for cut := range document {
		body := io.MultiReader(strings.NewReader(document[:cut]), iotest.ErrReader(reset))
		for _, r := range []*Reader{narrow(7), NewReader()} {
			r.Reset(body)
			require.ErrorIs(t, new(answer).read(r), reset, document[:cut])
		}
	}
}

// TestErrorsOfTheCaller checks that errors of callbacks are returned at once.
func TestErrorsOfTheCaller(t *testing.T) {
	stop := errors.New("stop")
	for name, read := range map[string]func(*Reader) error{
		"outer member": func(r *Reader) error { return r.Object(func([]byte) error { return stop }) },
		"outer element": func(r *Reader) error {
			return r.Object(func([]byte) error { return r.Array(func() error { return stop }) })
		},
		"inner member": func(r *Reader) error {
			return r.Object(func([]byte) error {
				return r.Objects(func() error { return r.Object(func([]byte) error { return stop }) })
			})
		},
		"inner element": func(r *Reader) error {
			return r.Object(func([]byte) error {
				return r.Objects(func() error {
					return r.Object(func([]byte) error { return r.Array(func() error { return stop }) })
				})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := reading(NewReader(), `{"data":[{"tracks":[1]}]}`)
			require.ErrorIs(t, read(r), stop)
			// The Reader can read the next document.
			var got answer
			require.NoError(t, got.read(reading(r, sample)))
			assert.Equal(t, sampleAnswer(), got)
		})
	}
}

// TestReset checks that earlier growth, errors and wrong types do not affect the next document.
func TestReset(t *testing.T) {
	r := NewReader()
	for _, text := range []string{
		`{"data":[{"app":"` + zeroes(2*windowSize) + `"}]}`, `{"data":[{"app":5}]}`, `{"data":[{"app":"x`, `[[[`, `{"code":1`, `{"code":true}`, ``,
	} {
		_ = new(answer).read(reading(r, text))
		var got answer
		require.NoError(t, got.read(reading(r, sample)))
		require.Equal(t, sampleAnswer(), got)
		require.NoError(t, r.Err())
	}
}

func TestKeys(t *testing.T) {
	r := reading(narrow(2), `{"":1,"a":{"b":2},"a":3,"\u0061\n":4}`)
	var keys []string
	require.NoError(t, r.Object(func(key []byte) error {
		keys = append(keys, string(slices.Clone(key)))
		return r.Skip()
	}))
	assert.Equal(t, []string{"", "a", "a", "a\n"}, keys)
}

// TestAllocations checks that keys outside of arrays are not allocated.
func TestAllocations(t *testing.T) {
	in, r := strings.NewReader(""), NewReader()
	text := `{` + strings.Repeat(`"key":{"\u006bey":1},`, 1000) + `"key":1}`
	var skip func([]byte) error
	skip = func([]byte) error {
		if r.IsObject() {
			return r.Object(skip)
		}
		return r.Skip()
	}
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		in.Reset(text)
		r.Reset(in)
		require.NoError(t, r.Object(skip))
	}))
}

// TestNonFinite checks that NaN and infinities, which some servers send as strings, count as absent.
func TestNonFinite(t *testing.T) {
	for text, named := range map[string][]string{
		`"NaN"`: nil, `"Infinity"`: nil, `"-Infinity"`: nil, `null`: nil, `"nan"`: {"a"}, `"+Infinity"`: {"a"}, `" NaN"`: {"a"},
	} {
		r := NewReader()
		r.Reset(strings.NewReader(`{"a":` + text + `}`))
		var i optional.Value[int64]
		var f optional.Value[float64]
		require.NoError(t, r.Object(func([]byte) error { return r.Int(&i) }))
		assert.Equal(t, named, wrongOf(r), text)
		r.Reset(strings.NewReader(`{"a":` + text + `}`))
		require.NoError(t, r.Object(func([]byte) error { return r.Float(&f) }))
		assert.Equal(t, named, wrongOf(r), text)
		assert.Equal(t, optional.Value[int64]{}, i, text)
		assert.Equal(t, optional.Value[float64]{}, f, text)
	}
}

func wrongOf(r *Reader) []string {
	if e, ok := errors.AsType[*TypeError](r.Err()); ok {
		return e.Members
	}
	return nil
}

// TestTypeQueries checks that IsObject, IsText and IsNull consume nothing at any level.
func TestTypeQueries(t *testing.T) {
	for text, want := range map[string]struct{ object, text, null bool }{
		`{}`: {object: true}, `"{}"`: {text: true}, `[]`: {}, `1`: {}, `null`: {null: true}, `true`: {}, ``: {},
	} {
		r := NewReader()
		r.Reset(strings.NewReader(" " + text))
		assert.Equal(t, want.object, r.IsObject(), text)
		assert.Equal(t, want.text, r.IsText(), text)
		assert.Equal(t, want.null, r.IsNull(), text)
		if text == "" {
			continue
		}
		r.Reset(strings.NewReader(`[[` + text + `]]`))
		require.NoError(t, r.Array(func() error {
			return r.Array(func() error {
				assert.Equal(t, want.object, r.IsObject(), text)
				assert.Equal(t, want.text, r.IsText(), text)
				assert.Equal(t, want.null, r.IsNull(), text)
				return r.Skip()
			})
		}))
	}
}

func TestWrong(t *testing.T) {
	r := NewReader()
	r.Reset(strings.NewReader(`{"a":"x","b":1}`))
	require.NoError(t, r.Object(func(key []byte) error {
		if string(key) == "a" {
			r.NoteWrong()
		}
		return r.Skip()
	}))
	assert.Equal(t, []string{"a"}, wrongOf(r))
}

// TestEnd checks that only white space may follow a document.
func TestEnd(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "", "{\"a\":[1]} \r\n\t": "", `{}{}`: "unexpected byte '{'", `{} x`: "unexpected byte 'x'", "{}\x00": `unexpected byte '\x00'`,
	} {
		for _, window := range []int{1, 5, 64} {
			r := narrow(window)
			r.Reset(iotest.OneByteReader(strings.NewReader(text)))
			require.NoError(t, r.Skip())
			if want == "" {
				require.NoError(t, r.End(), text)
				continue
			}
			require.EqualError(t, r.End(), want, text)
		}
	}
	r := NewReader()
	r.Reset(io.MultiReader(strings.NewReader("{} "), iotest.ErrReader(io.ErrUnexpectedEOF)))
	require.NoError(t, r.Skip())
	require.ErrorIs(t, r.End(), io.ErrUnexpectedEOF, "the body failed")
}

func TestTexts(t *testing.T) {
	r := NewReader()
	r.Reset(strings.NewReader(`{"a":"x","b":7,"c":"y","d":null}`))
	a, c, d := "", "", "kept"
	require.NoError(t, r.Texts(map[string]*string{"a": &a, "c": &c, "d": &d}))
	assert.Equal(t, []string{"x", "y", ""}, []string{a, c, d})
	require.EqualError(t, TooMany("streams", 5), "more than 5 streams")
}
