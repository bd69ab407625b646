// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

const (
	text        = "text/plain; version=0.0.4; charset=utf-8"
	openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// read returns every sample of a page as a line in the text format, followed by its family.
func read(r *Reader, body io.Reader, contentType string) (samples []string, err error) {
	r.Reset(body, contentType)
	err = r.Each(func(s *Sample) error {
		samples = append(samples, line(s)+family(s.Family))
		return nil
	})
	return samples, err
}

func line(s *Sample) string {
	var b strings.Builder
	fmt.Fprintf(&b, "{%s", quote(s.Name))
	for _, l := range s.Labels {
		fmt.Fprintf(&b, ",%s=%s", quote(l.Name), quote(l.Value))
	}
	b.WriteString("} " + strconv.FormatFloat(s.Value, 'g', -1, 64))
	if t, ok := s.Time.Get(); ok {
		b.WriteString(" " + strconv.FormatInt(t.UnixMilli(), 10))
	}
	return b.String()
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func quote(b []byte) string { return `"` + escaper.Replace(string(b)) + `"` }

func family(f *Family) string {
	if len(f.Name) == 0 {
		return ""
	}
	return fmt.Sprintf(" # %s %s %q %q", f.Name, f.Type, f.Help, f.Unit)
}

func TestSample(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"name":                   {`a 1`, `{"a"} 1`},
		"colons":                 {`:a:b_9 1`, `{":a:b_9"} 1`},
		"no labels":              {`a{} 1`, `{"a"} 1`},
		"a label":                {`a{b="c"} 1`, `{"a","b"="c"} 1`},
		"order of labels":        {`a{z="1",b="2"} 1`, `{"a","z"="1","b"="2"} 1`},
		"a trailing comma":       {`a{b="c",} 1`, `{"a","b"="c"} 1`},
		"blanks everywhere":      {"\t a \t{ b\t= \"c\" , d = \"\" , }\t1 \t", `{"a","b"="c","d"=""} 1`},
		"no blank before value":  {`a{b="c"}1`, `{"a","b"="c"} 1`},
		"a quoted name":          {`{"my.name", a="b"} 1`, `{"my.name","a"="b"} 1`},
		"a quoted name alone":    {`{"ü\"\\\n"} 1`, `{"ü\"\\\n"} 1`},
		"a quoted name last":     {`{a="b","my.name"} 1`, `{"my.name","a"="b"} 1`},
		"a quoted label":         {`a{"b.c"="d"} 1`, `{"a","b.c"="d"} 1`},
		"escapes":                {`a{b="\\ \" \n \x \\n \\\\"} 1`, `{"a","b"="\\ \" \n \\x \\n \\\\"} 1`},
		"braces in a value":      {`a{b="}{,= 5#"} 1`, `{"a","b"="}{,= 5#"} 1`},
		"invalid UTF-8":          {"a{b=\"\xff\xc3\"} 1", "{\"a\",\"b\"=\"\xff\xc3\"} 1"},
		"a zero byte in a value": {"a{b=\"\x00\"} 1", "{\"a\",\"b\"=\"\x00\"} 1"},
		"a raw line feed":        {"a{b=\"c\nd 1\ne\",f=\"\n\"} 2", `{"a","b"="c\nd 1\ne","f"="\n"} 2`},
		"zero":                   {`a 0`, `{"a"} 0`},
		"negative zero":          {`a -0`, `{"a"} -0`},
		"a sign":                 {`a +1`, `{"a"} 1`},
		"a fraction":             {`a -.5`, `{"a"} -0.5`},
		"an exponent":            {`a 2.147483648E9`, `{"a"} 2.147483648e+09`},
		"many digits":            {`a 18446744073709551469`, `{"a"} 1.8446744073709552e+19`},
		"fifteen digits":         {`a 999999999999999`, `{"a"} 9.99999999999999e+14`},
		"many zeros":             {`a ` + strings.Repeat("0", 100) + `7`, `{"a"} 7`},
		"not a number":           {`a NaN`, `{"a"} NaN`},
		"NaN of prom-client":     {`a Nan`, `{"a"} NaN`},
		"infinity":               {`a +Inf`, `{"a"} +Inf`},
		"negative infinity":      {`a -inf`, `{"a"} -Inf`},
		"time":                   {`a 1 1795215981738`, `{"a"} 1 1795215981738`},
		"time before 1970":       {`a 1 -1`, `{"a"} 1 -1`},
		"exemplar":               {`a 1 # {trace_id="x"} 0.5 1.5`, `{"a"} 1`},
		"exemplar without time":  {`a{b="c"} 1 5 # {b="1",b2=""} 7`, `{"a","b"="c"} 1 5`},
		"type of another":        {"# TYPE a_b counter\na 1", `{"a"} 1`},
		"type after the sample":  {"a 1\n# TYPE a counter", `{"a"} 1`},
		"type":                   {"# TYPE a counter\na_total 1", `{"a_total"} 1 # a counter "" ""`},
		"undefined type":         {"# TYPE a banana\na 1", `{"a"} 1 # a unknown "" ""`},
		"untyped":                {"# TYPE a untyped\na 1", `{"a"} 1 # a unknown "" ""`},
		"type twice":             {"# TYPE a gauge\n# TYPE a counter\na 1", `{"a"} 1 # a counter "" ""`},
		"type without a keyword": {"# TYPE a\n# TYPE\n# TYPE \na 1", `{"a"} 1 # a unknown "" ""`},
		"help":                   {"# HELP a  x \\\\ \\n \\\"y \t\n# TYPE a gauge\na 1", `{"a"} 1 # a gauge "x \\ \n \"y" ""`},
		"unit":                   {"# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1", `{"a_seconds"} 1 # a_seconds gauge "" "seconds"`},
		"quoted family":          {"# TYPE \"a.b\" summary\n{\"a.b_sum\"} 1", `{"a.b_sum"} 1 # a.b summary "" ""`},
		"suffix of another type": {"# TYPE a gauge\na_total 1", `{"a_total"} 1`},
		"blanks in a comment":    {"\t #\tTYPE \t a \t gauge \na 1", `{"a"} 1 # a gauge "" ""`},
		"any comment":            {"#\n#TYPE a gauge\n# \"\n# TYPE 1 gauge\n# TYPE a{ gauge\n# EOF\na 1", `{"a"} 1`},
		"byte order mark":        {"\uFEFF# TYPE a gauge\na 1", `{"a"} 1 # a gauge "" ""`},
		"blank lines":            {"\n\n \t\n\na 1\n\n", `{"a"} 1`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, end := range []string{"", "\n", "\r\n", "\r"} {
				got, err := read(NewReader(), strings.NewReader(tc.in+end), text)
				require.NoError(t, err)
				assert.Equal(t, []string{tc.want}, got)
			}
			if !strings.Contains(tc.want, `\n`) {
				got, err := read(NewReader(), strings.NewReader(strings.ReplaceAll(tc.in, "\n", "\r\n")), text)
				require.NoError(t, err)
				assert.Equal(t, []string{tc.want}, got)
			}
		})
	}
}

func TestBadLine(t *testing.T) {
	for in, want := range map[string]error{
		`1`:                            errNoName,
		`9a 1`:                         errNoName,
		`{} 1`:                         errNoName,
		`{a="b"} 1`:                    errNoName,
		`="b"} 1`:                      errNoName,
		`"} 1`:                         errNoName,
		`<html>`:                       errNoName,
		`{"a": 1}`:                     errLabels,
		`{""} 1`:                       errLabels,
		`a{"b"} 1`:                     errTwoNames,
		`{"a","b"} 1`:                  errTwoNames,
		`a{b} 1`:                       errLabels,
		`a{b=} 1`:                      errLabels,
		`a{b=c} 1`:                     errLabels,
		`a{b='c'} 1`:                   errLabels,
		`a{="c"} 1`:                    errLabels,
		`a{""="c"} 1`:                  errLabels,
		`a{,} 1`:                       errLabels,
		`a{b="c",,} 1`:                 errLabels,
		`a{b="c" d="e"} 1`:             errLabels,
		`a{b:c="d"} 1`:                 errLabels,
		`a{b.c="d"} 1`:                 errLabels,
		`a{b="c"e"} 1`:                 errLabels,
		`a{b="c"`:                      errLabels,
		`a{`:                           errLabels,
		`a{b="c`:                       errUnclosedQuote,
		`a{b="c\"} 1`:                  errUnclosedQuote,
		`a{b="c\`:                      errUnclosedQuote,
		`a{b="c",b="d"} 1`:             errDuplicate,
		`a{b="c","b"="c"} 1`:           errDuplicate,
		`a`:                            errValue,
		`a{b="c"}`:                     errValue,
		`a undefined`:                  errValue,
		`a null`:                       errValue,
		`a 1,5`:                        errValue,
		`a 1_0`:                        errValue,
		`a 0x10`:                       errValue,
		`a 0x1p4`:                      errValue,
		`a 1e999`:                      errValue,
		`a .`:                          errValue,
		`a "1"`:                        errValue,
		"a 1\x00":                      errValue,
		"a\u00a01":                     errValue,
		`my-name 1`:                    errValue,
		`my.name 1`:                    errValue,
		`sp ace"quote 63`:              errValue,
		`a 1#`:                         errValue,
		`a 1 x`:                        errTime,
		`a 1 1.5`:                      errTime,
		`a 1 9223372036854775808`:      errTime,
		`a 1 2 3`:                      errTrailing,
		`a 1 # comment`:                errTrailing,
		`a 1 #`:                        errTrailing,
		`a 1 # {b="c"}`:                errValue,
		`a 1 # {b="c"} 1 2 3`:          errTrailing,
		`a 1 # {"b"} 1`:                errTwoNames,
		"a 1\rb 2":                     errTime,
		"a 1 \r \r":                    errTime,
		`a{` + labels(maxLabels+1):     errTooManyLabels,
		strings.Repeat("a", maxLine):   errLongLine,
		strings.Repeat(" ", maxLine+1): errLongLine,
		`a{b="` + long + `"} 1`:        errLongLine,
		"# HELP a " + long + long:      errLongLine,
		long + "{" + long + long + "}": errLongLine,
	} {
		t.Run(fmt.Sprintf("%.40q", in), func(t *testing.T) {
			page := "good{at=\"first\"} 1\n" + in + "\nlast 2\n"
			got, err := read(NewReader(), strings.NewReader(page), text)
			assert.Equal(t, []string{`{"good","at"="first"} 1`, `{"last"} 2`}, got)
			var bad *LineError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, 1, bad.Count)
			require.Len(t, bad.First, 1)
			assert.Equal(t, 2, bad.First[0].Number)
			assert.Equal(t, want, bad.First[0].Err)
			assert.LessOrEqual(t, len(bad.First[0].Name), 64)
			assert.True(t, scrape.IsPartial(err))
			assert.Equal(t, scrape.Format, scrape.TypeOf(err))

			got, err = read(NewReader(), strings.NewReader(in), text)
			assert.Empty(t, got)
			require.Error(t, err)
			assert.False(t, scrape.IsPartial(err), "no sample was read")
		})
	}
}

var long = strings.Repeat("x", maxLine)

func labels(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `l%d="",`, i)
	}
	return b.String() + "} 1"
}

func TestBounds(t *testing.T) {
	fits := `a{b="` + strings.Repeat("x", maxLine-len("a{b=\"\"} 1\n")) + `"} 1`
	got, err := read(NewReader(), strings.NewReader(fits+"\na{"+labels(maxLabels)+"\n"), text)
	require.NoError(t, err)
	assert.Len(t, got, 2)

	r := NewReader()
	_, err = read(r, emptyReader{}, text)
	require.ErrorIs(t, err, io.ErrNoProgress)

	var page strings.Builder
	for i := range 2 * maxTypes {
		fmt.Fprintf(&page, "# TYPE a%d gauge\n", i)
	}
	got, err = read(r, strings.NewReader(page.String()+"a0 1\na20000 1\n"), text)
	require.NoError(t, err)
	assert.Equal(t, []string{`{"a0"} 1 # a0 gauge "" ""`, `{"a20000"} 1`}, got)
	assert.Len(t, r.types, maxTypes)

	// The families of one page leave room for those of the next.
	got, err = read(r, strings.NewReader("# TYPE b gauge\n# TYPE c gauge\nb 1\n"), text)
	require.NoError(t, err)
	assert.Equal(t, []string{`{"b"} 1 # b gauge "" ""`}, got)
	assert.Len(t, r.types, 2)
}

// singleRead is a body that a single Read returns together with io.EOF.
type singleRead string

func (s singleRead) Read(p []byte) (int, error) { return copy(p, s), io.EOF }

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestOpenMetrics(t *testing.T) {
	const page = "# TYPE a counter\na_total 1 1.5 # {b=\"c\"} 1 1e9\na_created 2\n"
	for name, tc := range map[string]struct {
		in   string
		want []string
		err  string
	}{
		"complete":        {page + "# EOF\n", []string{`{"a_total"} 1 1500 # a counter "" ""`, `{"a_created"} 2 # a counter "" ""`}, ""},
		"no last newline": {"b 1\n# EOF", []string{`{"b"} 1`}, ""},
		"text after EOF":  {"b 1\n# EOF\nc 2\n", []string{`{"b"} 1`}, ""},
		"no EOF":          {"b 1\nc 2\n", []string{`{"b"} 1`, `{"c"} 2`}, "skipped lines that cannot be parsed: 1; line 2: the page ends without # EOF"},
		"truncated":       {"b 1\nc 2", []string{`{"b"} 1`}, "skipped lines that cannot be parsed: 1; line 2: the page ends without # EOF"},
		"truncated in quotes": {"b 1\nc{d=\"\ne\"} 2", []string{`{"b"} 1`}, "skipped lines that cannot be parsed: 2; " +
			"line 2 (c): unclosed quotation mark; line 3: the page ends without # EOF"},
		"empty":     {"", nil, "skipped lines that cannot be parsed: 1; line 0: the page ends without # EOF"},
		"no time":   {"b 1 NaN\n# EOF\n", nil, "skipped lines that cannot be parsed: 1; line 1 (b): timestamp is not a number"},
		"late time": {"b 1 1e300\n# EOF\n", nil, "skipped lines that cannot be parsed: 1; line 1 (b): timestamp is not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(NewReader(), strings.NewReader(tc.in), openMetrics)
			assert.Equal(t, tc.want, got)
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tc.err)
			}
		})
	}
}

// TestLineFeedsInQuotes checks that lines within a quoted value are not parsed as samples, and that an unclosed quotation mark does
// not hide the samples after it.
func TestLineFeedsInQuotes(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want []string
		bad  int
	}{
		"closed":           {"a{b=\"x\nfake 1\nfake{c=\\\"\\\"} 2\ny\",d=\"\n\"} 3\nz 4", []string{`{"a","b"="x\nfake 1\nfake{c=\"\"} 2\ny","d"="\n"} 3`, `{"z"} 4`}, 0},
		"never closed":     {"a{b=\"x\nz 4\n", []string{`{"z"} 4`}, 1},
		"closed by others": {"a{b=\"x\nz{c=\"d\"} 4\n", []string{`{"z","c"="d"} 4`}, 1},
		"closed too late":  {"a{b=\"x\nz 4\n" + strings.Repeat("y{c='d'} 5\n", maxLine/10) + "\"} 3\n", []string{`{"z"} 4`}, maxLine/10 + 2},
		"line too long":    {"a{b=\"\n" + strings.Repeat("x", maxLine-len("a{b=\"\n\"} 12")) + "\"} 12345\nz 4", []string{`{"z"} 4`}, 2},
		"in the name":      {"{\"a\nb\"} 3", []string{`{"a\nb"} 3`}, 0},
		"in the exemplar":  {"a 3 # {b=\"x\nfake 1\"} 1\nz 4", []string{`{"a"} 3`, `{"z"} 4`}, 0},
		"trailing text":    {"a{b=\"x\ny\"} 3 4 5\nz 4", []string{`{"z"} 4`}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(NewReader(), singleRead(tc.in), text)
			assert.Equal(t, tc.want, got)
			var bad LineError
			if e := new(LineError); errors.As(err, &e) {
				bad = *e
			}
			assert.Equal(t, tc.bad, bad.Count)
		})
	}
	r := NewReader()
	_, err := read(r, strings.NewReader("a{b=\"\n\n\"} 1\nbad\n"), text)
	require.EqualError(t, err, "skipped lines that cannot be parsed: 1; line 4 (bad): value is not a number")
}

func TestInterleavedFamilies(t *testing.T) {
	got, err := read(NewReader(), strings.NewReader("# HELP a A.\n# TYPE a counter\n# TYPE h histogram\na_total 1\nh_count 2\nh 3\n# HELP a B.\na 4\n"), text)
	require.NoError(t, err)
	assert.Equal(t, []string{`{"a_total"} 1 # a counter "" ""`, `{"h_count"} 2 # h histogram "" ""`, `{"h"} 3`, `{"a"} 4 # a counter "B." ""`}, got)
}

func TestErrorNamesEightLines(t *testing.T) {
	_, err := read(NewReader(), strings.NewReader(strings.Repeat("token=secret\n", 10)), text)
	require.ErrorContains(t, err, "skipped lines that cannot be parsed: 10; line 1 (token): value is not a number; line 2 (token)")
	assert.NotContains(t, err.Error(), "secret")
	assert.NotContains(t, err.Error(), "line 9")
}

func TestEachReturnsTheErrorOfSample(t *testing.T) {
	r, stop, n := NewReader(), errors.New("enough"), 0
	r.Reset(strings.NewReader("a 1\nb 2\nc 3\n"), text)
	require.Equal(t, stop, r.Each(func(*Sample) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	}))
	assert.Equal(t, 2, n)
}

func TestLabel(t *testing.T) {
	r := NewReader()
	r.Reset(strings.NewReader(`a{b="c",d=""} 1`), text)
	require.NoError(t, r.Each(func(s *Sample) error {
		assert.Equal(t, []byte("c"), s.Label("b"))
		assert.Equal(t, []byte{}, s.Label("d"))
		assert.Nil(t, s.Label("e"))
		return nil
	}))
}

// TestPages compares the number of samples with that of grep -vc '^#\|^$', less Kamailio's malformed line.
func TestPages(t *testing.T) {
	for _, tc := range []struct {
		file    string
		samples int
		bad     string
		wants   []string
	}{
		{"edumeet.txt", 14, "", []string{`{"edumeet_peers","room_id"="room-a"} 2 # edumeet_peers gauge "#peers" ""`}},
		{"edumeet-aggregated.txt", 144, "", nil},
		{"flussonic.openmetrics.txt", 19, "", []string{`{"stream_client_count","server_id"="123e4567-e89b-12d3-a456-426614174000","name"="hockey1"} 3 # stream_client_count gauge "" ""`}},
		{"flussonic.txt", 44, "", nil},
		{"jvb.openmetrics.txt", 270, "", []string{`{"jitsi_jvb_endpoints_disconnected_created"} 1.755650000123e+09 # jitsi_jvb_endpoints_disconnected counter ` +
			`"Endpoints detected as temporarily inactive/disconnected due to inactivity." ""`}},
		{"jvb.txt", 270, "", nil},
		{
			"kamailio-xhttp_prom.txt", 169, "skipped lines that cannot be parsed: 1; line 108 (kamailio_script_My_Mixed): value is not a number",
			[]string{`{"kamailio_test_calls","outcome"="relayed"} 13 1795215981738`, `{"kamailio_script_my_negative"} 1.8446744073709552e+19 1795215981738`},
		},
		{"rtpengine.txt", 81, "", []string{`{"rtpengine_packets_total","type"="kernel"} 0 # rtpengine_packets_total counter "" ""`}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			got, err := read(NewReader(), bytes.NewReader(page(t, tc.file)), contentType(tc.file))
			if tc.bad == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tc.bad)
			}
			assert.Len(t, got, tc.samples)
			assert.Subset(t, got, tc.wants)
		})
	}
}

func page(t testing.TB, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	return content
}

func contentType(file string) string {
	if strings.Contains(file, ".openmetrics.") {
		return openMetrics
	}
	return text
}

// trickyPage combines many cases of the other tests.
const trickyPage = "\uFEFF# HELP a It \\\\ is\\n\r\n# TYPE a counter\r\na_total{b=\"\\\"\\\\\\n\",c=\"\"} 1.5e3 1795215981738 # {d=\"e\"} 1\r\n" +
	"bad line\n{\"x.y\",\"z.\"=\"\xff\"} NaN\nq{r=\"raw\nfake 1\nend\"} -Inf 5\nopen{s=\"t\n#\n\nlast_sample{u=\"v\"} 12345"

// TestPieces checks that the result does not depend on the sizes of reads.
func TestPieces(t *testing.T) {
	for name, in := range map[string]string{"tricky": trickyPage, "page": string(page(t, "jvb.openmetrics.txt")), "long": "a 1\n" + long + long + "\nb{c=\"\n" + long + "\"} 1\n"} {
		t.Run(name, func(t *testing.T) {
			want, wantErr := read(NewReader(), strings.NewReader(in), text)
			for _, pieces := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
				got, err := read(NewReader(), pieces(strings.NewReader(in)), text)
				assert.Equal(t, want, got)
				assert.Equal(t, wantErr, err)
			}
		})
	}
}

// TestTruncated checks that a body that fails at any byte yields the first samples of the page and its own error.
func TestTruncated(t *testing.T) {
	broken := errors.New("connection reset")
	for _, in := range []string{trickyPage, string(page(t, "flussonic.openmetrics.txt")), string(page(t, "rtpengine.txt")[:2000])} {
		r := NewReader()
		want, _ := read(r, strings.NewReader(in), text)
		most := 0
		for n := range len(in) + 1 {
			got, err := read(r, io.MultiReader(strings.NewReader(in[:n]), iotest.ErrReader(broken)), text)
			require.ErrorIs(t, err, broken)
			require.LessOrEqual(t, len(got), len(want))
			require.Equal(t, want[:len(got):len(got)], append([]string{}, got...), "cut after %d bytes", n)
			require.GreaterOrEqual(t, len(got), most, "more of the page must not give fewer samples")
			most = len(got)
		}
		assert.GreaterOrEqual(t, most, len(want)-3, "all but the last sample, and those after an unclosed quotation mark")
	}
}

func TestReaderIsReused(t *testing.T) {
	r := NewReader()
	for range 2 {
		_, err := read(r, strings.NewReader("# TYPE a gauge\nbad\na 1\n"), openMetrics)
		require.Error(t, err)
		got, err := read(r, strings.NewReader("a 1"), text)
		require.NoError(t, err)
		assert.Equal(t, []string{`{"a"} 1`}, got)
		got, err = read(r, strings.NewReader("# TYPE b counter\n# HELP a of this page\na 1\nb 1"), text)
		require.NoError(t, err)
		assert.Equal(t, []string{`{"a"} 1 # a unknown "of this page" ""`, `{"b"} 1 # b counter "" ""`}, got, "types do not carry over to the next page")
	}
}

func TestAllocations(t *testing.T) {
	r, in := NewReader(), bytes.NewReader(nil)
	content := []byte("# HELP a b\n# TYPE a histogram\n# TYPE c gauge\n" + strings.Repeat("a_bucket{le=\"+Inf\",b=\"\\\"c\"} 1.25 1795215981738 # {d=\"e\"} 1\n", 1000))
	count := func(*Sample) error { return nil }
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		in.Reset(content)
		r.Reset(in, text)
		require.NoError(t, r.Each(count))
	}))
	r.Reset(strings.NewReader("a 1 1700000000123"), text)
	require.NoError(t, r.Each(func(s *Sample) error {
		at, _ := s.Time.Get()
		assert.Equal(t, time.Date(2023, 11, 14, 22, 13, 20, 123e6, time.UTC), at.UTC())
		return nil
	}))
}
