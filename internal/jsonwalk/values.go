// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jsonwalk

import "fmt"

// Text reads a string into s.
func (r *Reader) Text(s *string) error {
	text, err := r.Str(nil)
	*s = string(text)
	return err
}

// Texts reads the strings of the listed members of an object and skips all other members.
func (r *Reader) Texts(members map[string]*string) error {
	return r.Object(func(key []byte) error {
		if member := members[string(key)]; member != nil {
			return r.Text(member)
		}
		return r.Skip()
	})
}

// TooMany returns the error of a document with more than limit items.
func TooMany(things string, limit int) error {
	return &SizeError{What: fmt.Sprintf("more than %d %s", limit, things)}
}
