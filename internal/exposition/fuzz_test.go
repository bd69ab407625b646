// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// FuzzReader checks for any page that the sizes of reads do not matter, that a failing body yields the first samples of the
// page, and that samples survive a round trip.
func FuzzReader(f *testing.F) {
	for _, file := range []string{"edumeet.txt", "flussonic.openmetrics.txt", "kamailio-xhttp_prom.txt", "rtpengine.txt"} {
		f.Add(page(f, file), uint16(1000), contentType(file) == openMetrics)
	}
	for _, in := range []string{
		trickyPage, "a{b=\"x\nfake 1\nfake{c=\\\"\\\"} 2\ny\",d=\"\n\"} 3\nz 4", "a 1 1.5 # {b=\"c\"} 1 1e9\n# EOF\n", "{\"a\",\"b\"=\"\\\\\\\"\\n\"} 0x1p-2\r\n",
		"# TYPE \"a.b\" summary\n# HELP \"a.b\" \\n\n{\"a.b_sum\"} -Inf", "a{,} 1\nb{c=\"d\" e=\"f\"} 2\ng 1 2 3\n",
	} {
		f.Add([]byte(in), uint16(len(in)/2), false)
		f.Add([]byte(in), uint16(len(in)-1), true)
	}
	r, broken := NewReader(), errors.New("connection reset")
	f.Fuzz(func(t *testing.T, in []byte, cut uint16, om bool) {
		contentType := text
		if om {
			contentType = openMetrics
		}
		whole, wholeErr := read(r, bytes.NewReader(in), contentType)
		pieces, piecesErr := read(r, iotest.OneByteReader(bytes.NewReader(in)), contentType)
		require.Equal(t, whole, pieces)
		require.Equal(t, wholeErr, piecesErr)
		if bad := new(LineError); errors.As(wholeErr, &bad) {
			require.LessOrEqual(t, bad.Count, bytes.Count(in, newline)+2, "at most one error per line and one for the page")
			require.Equal(t, len(whole) > 0, bad.Partial())
		} else {
			require.NoError(t, wholeErr)
		}

		n := min(int(cut), len(in))
		first, firstErr := read(r, io.MultiReader(bytes.NewReader(in[:n]), iotest.ErrReader(broken)), contentType)
		require.LessOrEqual(t, len(first), len(whole))
		if len(first) > 0 {
			require.Equal(t, whole[:len(first)], first)
		}
		if firstErr != broken { //nolint:errorlint // returned unwrapped, unless the page ended before
			require.True(t, om && strings.Contains(string(in[:n]), "EOF"), "%v", firstErr)
		}

		if len(in) > maxLine/4 {
			return // escaping may exceed maxLine
		}
		var lines []string
		r.Reset(bytes.NewReader(in), contentType)
		_ = r.Each(func(s *Sample) error {
			require.NotEmpty(t, s.Name)
			lines = append(lines, line(s))
			return nil
		})
		again, err := read(r, strings.NewReader(strings.Join(lines, "\n")), text)
		require.NoError(t, err)
		require.Equal(t, lines, again)
	})
}
