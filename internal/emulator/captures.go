// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// capture is one captured answer and what was asked for it.
type capture struct {
	file  string
	path  string
	query map[string]string
	answer
}

// readCaptures reads the answers that the index of a folder of testdata lists, in its order. Without an index the error
// is fs.ErrNotExist.
func readCaptures(folder string) ([]capture, error) {
	index, err := fs.ReadFile(testdata.Files, path.Join(folder, "index.json"))
	if err != nil {
		return nil, fmt.Errorf("no captures in testdata/%s: %w", folder, err)
	}
	var entries []struct {
		File    string            `json:"file"`
		Path    string            `json:"path"`
		Query   map[string]any    `json:"query"`
		Status  int               `json:"http_status"`
		Headers map[string]string `json:"headers"`
		Closes  bool              `json:"connection_closed_by_server"`
	}
	if err := json.Unmarshal(index, &entries); err != nil {
		return nil, fmt.Errorf("testdata/%s/index.json: %w", folder, err)
	}
	captures := make([]capture, 0, len(entries))
	for _, e := range entries {
		body, err := fs.ReadFile(testdata.Files, path.Join(folder, e.File))
		if err != nil {
			return nil, fmt.Errorf("testdata/%s/index.json names a file that is missing: %w", folder, err)
		}
		c := capture{file: e.File, path: e.Path, query: map[string]string{}}
		c.answer = answer{status: e.Status, header: http.Header{}, body: body, closes: e.Closes}
		for name, value := range e.Headers {
			c.header.Set(name, value)
		}
		for name, value := range e.Query {
			c.query[name] = fmt.Sprint(value)
		}
		captures = append(captures, c)
	}
	return captures, nil
}

// readUnlisted reads a folder that has no index: NAME.json answers prefix+NAME, with the status and headers of like.
func readUnlisted(folder, prefix string, like answer) ([]capture, error) {
	files, err := fs.Glob(testdata.Files, path.Join(folder, "*.json"))
	if err == nil && len(files) == 0 {
		err = errors.New("the folder is missing or empty")
	}
	if err != nil {
		return nil, fmt.Errorf("testdata/%s: %w", folder, err)
	}
	captures := make([]capture, 0, len(files))
	for _, file := range files {
		body, err := fs.ReadFile(testdata.Files, file)
		if err != nil {
			return nil, fmt.Errorf("testdata/%s: %w", folder, err)
		}
		name := path.Base(file)
		c := capture{file: name, path: prefix + name[:len(name)-len(".json")], answer: like}
		c.body = body
		captures = append(captures, c)
	}
	return captures, nil
}
