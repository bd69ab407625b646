// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// capture is a captured response and its request.
type capture struct {
	file  string
	path  string
	query map[string]string
	emulator.Answer
}

// readCaptures reads the responses listed in index.json of a directory of testdata, in its order. The error is fs.ErrNotExist if
// there is no index.
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
		c.Answer = emulator.Answer{Status: e.Status, Header: http.Header{}, Body: body, Closes: e.Closes}
		for name, value := range e.Headers {
			c.Header.Set(name, value)
		}
		for name, value := range e.Query {
			c.query[name] = fmt.Sprint(value)
		}
		captures = append(captures, c)
	}
	return captures, nil
}

// readUnlisted reads a directory without an index: NAME.json is the response to prefix+NAME, with the status and headers of like.
func readUnlisted(folder, prefix string, like emulator.Answer) ([]capture, error) {
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
		c := capture{file: name, path: prefix + name[:len(name)-len(".json")], Answer: like}
		c.Body = body
		captures = append(captures, c)
	}
	return captures, nil
}
