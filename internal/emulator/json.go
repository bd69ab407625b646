// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// walkJSON calls scalar with the path of each scalar of a captured document, where it ends, and what it is. Paths are below
// root; elements of lists are told apart by their numbers, or, not numbered, have the path of their list.
func walkJSON(document []byte, root string, numbered bool, scalar func(path string, end int, value json.Token)) {
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
				name, _ := decoder.Token() // a name, in what is whole
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
