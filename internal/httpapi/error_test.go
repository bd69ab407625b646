// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

func TestErrorTypes(t *testing.T) {
	want := map[Kind]scrape.ErrorType{
		KindOther:    scrape.Other,
		KindRefused:  scrape.Connection,
		KindTimeout:  scrape.Timeout,
		KindTLS:      scrape.Connection,
		KindAuth:     scrape.Authentication,
		KindStatus:   scrape.Status,
		KindHTML:     scrape.Format,
		KindDecode:   scrape.Format,
		KindCode:     scrape.Response,
		KindTooLarge: scrape.Size,
	}
	require.Len(t, kinds, int(KindTooLarge)+1, "every kind has its row")
	for kind := range KindTooLarge + 1 {
		require.Contains(t, want, kind)
		assert.Equal(t, want[kind], (&Error{Kind: kind}).ErrorType())
		assert.Equal(t, want[kind], scrape.TypeOf(fmt.Errorf("wrapped: %w", &Error{Kind: kind})))
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("cause")
	for want, e := range map[string]*Error{
		"text":                           {Text: "text"},
		"text: cause":                    {Text: "text", Err: cause},
		"cause":                          {Err: cause},
		"text: cause: look there":        {Text: "text", Err: cause, Hint: "look there"},
		"text: look there":               {Kind: KindAuth, Text: "text", Hint: "look there"},
		"text: " + kinds[KindAuth].hint:  {Kind: KindAuth, Text: "text"},
		"cause: " + kinds[KindHTML].hint: {Kind: KindHTML, Err: cause},
	} {
		require.EqualError(t, e, want)
		assert.Equal(t, e.Err, errors.Unwrap(e))
	}
}
