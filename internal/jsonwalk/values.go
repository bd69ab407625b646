// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jsonwalk

import "fmt"

// Text reads a string into one of its own.
func (r *Reader) Text(s *string) error {
	text, err := r.Str(nil)
	*s = string(text)
	return err
}

// Texts reads the listed members of an object, which are strings, and skips all others.
func (r *Reader) Texts(members map[string]*string) error {
	return r.Object(func(key []byte) error {
		if member := members[string(key)]; member != nil {
			return r.Text(member)
		}
		return r.Skip()
	})
}

// TooMany returns the error of an answer with more things than are read.
func TooMany(things string, limit int) error {
	return &SizeError{What: fmt.Sprintf("more than %d %s", limit, things)}
}
