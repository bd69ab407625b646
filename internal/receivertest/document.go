// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Document is a response of a server whose leaves can be changed one by one.
type Document interface {
	// Bytes returns the encoded document.
	Bytes() []byte
	// EachLeaf calls f for every leaf in a fixed order.
	EachLeaf(f func(Leaf))
}

// Leaf is a single value in a document.
type Leaf struct {
	// Path is the path of the leaf in the field ledger. All elements of a list have the same path.
	Path string
	// Value is a json.Number, string, bool or nil.
	Value any
	// With returns a copy of the document in which the leaf has another value. The value Absent removes the leaf.
	With func(value any) Document
}

// Absent is the value that removes a leaf from its document.
var Absent = &struct{ absent bool }{true}

// JSON is a JSON document. Its numbers are decoded as json.Number.
type JSON struct{ Root any }

// ReadJSON decodes a JSON document.
func ReadJSON(t *testing.T, text []byte) JSON {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var root any
	require.NoError(t, decoder.Decode(&root))
	return JSON{root}
}

// Bytes implements Document.
func (d JSON) Bytes() []byte {
	text, err := json.Marshal(d.Root)
	if err != nil {
		panic(err) // the tree was decoded from JSON
	}
	return text
}

// EachLeaf implements Document. It has the same leaves as the function Leaves. The value of an empty object or list is nil.
func (d JSON) EachLeaf(f func(Leaf)) {
	eachLeaf(d.Root, "", func(root any) Document { return JSON{root} }, f)
}

// eachLeaf calls f for every leaf below node. with returns the document with another value in place of node.
func eachLeaf(node any, path string, with func(any) Document, f func(Leaf)) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			eachLeaf(node[key], strings.TrimPrefix(path+"."+key, "."), func(child any) Document { return with(replaceMember(node, key, child)) }, f)
		}
		if len(node) > 0 {
			return
		}
	case []any:
		for i := range node {
			eachLeaf(node[i], path+"[]", func(child any) Document { return with(replaceElement(node, i, child)) }, f)
		}
		if len(node) > 0 {
			return
		}
	default:
		f(Leaf{Path: path, Value: node, With: with})
		return
	}
	f(Leaf{Path: path, With: with})
}

func replaceMember(object map[string]any, key string, value any) map[string]any {
	object = maps.Clone(object)
	if value == Absent {
		delete(object, key)
	} else {
		object[key] = value
	}
	return object
}

func replaceElement(list []any, i int, value any) []any {
	list = slices.Clone(list)
	if value == Absent {
		return slices.Delete(list, i, i+1)
	}
	list[i] = value
	return list
}

// Page is a document in the Prometheus text format. The path of a sample is its name and its labels as they appear on the page.
// The path of a label is name{}.label.
type Page []byte

// Bytes implements Document.
func (p Page) Bytes() []byte { return p }

var (
	sampleLine = regexp.MustCompile(`(?m)^([a-zA-Z_:][\w:.]*)(\{(?:[^"}]|"(?:[^"\\\n]|\\.)*")*\})?[ \t]+([^ \t\n]+)`)
	labelPair  = regexp.MustCompile(`([a-zA-Z_]\w*)="((?:[^"\\\n]|\\.)*)"`)
)

// EachLeaf implements Document. It ignores lines that are not samples.
func (p Page) EachLeaf(f func(Leaf)) {
	for _, at := range sampleLine.FindAllSubmatchIndex(p, -1) {
		name := string(p[at[2]:at[3]])
		labels := ""
		if at[4] >= 0 {
			labels = string(p[at[4]:at[5]])
			for _, pair := range labelPair.FindAllStringSubmatchIndex(labels, -1) {
				f(Leaf{
					Path: name + "{}." + labels[pair[2]:pair[3]], Value: labels[pair[4]:pair[5]],
					With: p.splice(at[0], at[1], at[4]+pair[4], at[4]+pair[5]),
				})
			}
		}
		f(Leaf{Path: name + labels, Value: json.Number(p[at[6]:at[7]]), With: p.splice(at[0], at[1], at[6], at[7])})
	}
}

// splice returns a Leaf.With that replaces p[start:end]. For Absent, it removes p[lineStart:lineEnd].
func (p Page) splice(lineStart, lineEnd, start, end int) func(any) Document {
	return func(value any) Document {
		switch value := value.(type) {
		case string:
			return slices.Concat(p[:start], []byte(value), p[end:])
		case json.Number:
			return slices.Concat(p[:start], []byte(value), p[end:])
		}
		return slices.Concat(p[:lineStart], p[lineEnd:])
	}
}
