// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jsonwalk

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// FuzzReader compares the Reader with encoding/json: valid documents yield the same values, and invalid ones an error.
func FuzzReader(f *testing.F) {
	for _, file := range []string{"busy/getMediaList.single.json", "idle/getMediaList.json", "errors/err_wrong_secret.json"} {
		text, err := fs.ReadFile(testdata.Files, "zlmediakit/"+file)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range []string{
		sample, `null`, `{"data":null}`, `{"code":1e3,"load":"1.5","data":[1,{"tracks":[null,{"fps":-0.0}]},[]]}`,
		`{"msg":"\ud83d\u0041","code":18446744073709551615}`, `{"data":[{"originSock":{"originSock":5}}]`, `{"code":01}`,
		`{"code":"01","load":".51"}`,
	} {
		f.Add([]byte(text))
	}
	wide := NewReader()
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) >= maxValue {
			return // may exceed the size limit
		}
		whole, wholeErr := readFuzzed(t, wide, text)
		pieces, piecesErr := readFuzzed(t, narrow(5), text)
		require.Equal(t, whole, pieces, "the size of the window does not matter")
		require.Equal(t, wholeErr == nil, piecesErr == nil)
		// encoding/json replaces invalid UTF-8, the Reader leaves it to selection.Name.
		if !json.Valid(text) || !utf8.Valid(text) {
			return
		}
		require.NoError(t, wholeErr)
		require.Equal(t, wantedAnswer(t, text), whole)
	})
}

// readFuzzed reads text. If there is no error, the part that was read must be valid.
func readFuzzed(t *testing.T, r *Reader, text []byte) (answer, error) {
	t.Helper()
	body := bytes.NewReader(text)
	r.Reset(iotest.HalfReader(body))
	var got answer
	err := got.read(r)
	if err == nil {
		read := len(text) - body.Len() - (len(r.window) - r.head)
		require.True(t, json.Valid(text[:read]), "%q was read", text[:read])
	}
	return got, err
}

func wantedAnswer(t *testing.T, text []byte) answer {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	members, _ := v.(map[string]any)
	return answer{
		Code: wantedInt(members["code"]), Load: wantedFloat(members["load"]), Ready: wanted[bool](members["ready"]),
		Msg: wantedString(members["msg"]), Data: wantedSources(members["data"]),
	}
}

func wantedSources(v any) (all []source) {
	list, _ := v.([]any)
	for _, element := range list {
		if members, ok := element.(map[string]any); ok {
			all = append(all, wantedSource(members))
		}
	}
	return all
}

func wantedSource(members map[string]any) source {
	s := source{
		App: wantedString(members["app"]), Readers: wantedInt(members["readerCount"]), FPS: wantedFloat(members["fps"]),
		Record: wanted[bool](members["isRecordingMP4"]), Tracks: wantedSources(members["tracks"]),
	}
	if sock, present := members["originSock"]; present {
		inner, _ := sock.(map[string]any)
		s.Sock = []source{wantedSource(inner)}
	}
	return s
}

func wanted[T any](v any) (o optional.Value[T]) {
	if got, ok := v.(T); ok {
		o = optional.Of(got)
	}
	return o
}

func wantedString(v any) string {
	s, _ := v.(string)
	return s
}

// number returns the text of a number, which may be in a string.
func number(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		if json.Valid([]byte(v)) && strings.Trim(v, "+-.0123456789Ee") == "" {
			return v
		}
	}
	return ""
}

func wantedInt(v any) (o optional.Value[int64]) {
	text := number(v)
	if strings.ContainsAny(text, "Ee") {
		if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
			return optional.Of(int64(f))
		}
		return o
	}
	if whole, fraction, _ := strings.Cut(text, "."); strings.Trim(fraction, "0") == "" {
		text = whole
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		o = optional.Of(i)
	}
	return o
}

func wantedFloat(v any) (o optional.Value[float64]) {
	if f, err := strconv.ParseFloat(number(v), 64); err == nil {
		o = optional.Of(f)
	}
	return o
}
