// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// WalkJSON calls scalar for each scalar of a document with its path, the offset of its end and its value. Paths begin with root. If
// numbered is true, the path of an array element contains its index; otherwise it is the path of the array.
func WalkJSON(document []byte, root string, numbered bool, scalar func(path string, end int, value json.Token)) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var walk func(path string)
	walk = func(path string) {
		token, err := decoder.Token()
		if err != nil {
			return
		}
		below := func(name any) string { return strings.TrimPrefix(fmt.Sprint(path, ".", name), ".") }
		switch token {
		case json.Delim('{'):
			for decoder.More() {
				name, _ := decoder.Token() // the document is valid
				walk(below(name))
			}
			_, _ = decoder.Token()
		case json.Delim('['):
			for i := 0; decoder.More(); i++ {
				at := path
				if numbered {
					at = below(i)
				}
				walk(at)
			}
			_, _ = decoder.Token()
		default:
			scalar(path, int(decoder.InputOffset()), token)
		}
	}
	walk(root)
}
