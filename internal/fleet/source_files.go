// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileFinder reads the targets from the files that match patterns.
type fileFinder struct {
	endpoint *Endpoint
	patterns []string
	known    map[string][]string // files that matched a pattern last, by pattern
}

// find reads all files. A pattern that matches no file any more keeps its last targets, because its directory may be missing.
func (f *fileFinder) find(context.Context) (answers []answer) {
	for _, pattern := range f.patterns {
		files, _ := filepath.Glob(pattern) // the pattern is valid
		if len(files) == 0 {
			files = f.known[pattern]
		}
		if len(files) == 0 {
			answers = append(answers, answer{part: pattern, err: errors.New("no file matches")})
		}
		f.known[pattern] = files
		for _, file := range files {
			if slices.ContainsFunc(answers, func(a answer) bool { return a.part == file }) {
				continue
			}
			targets, err := f.read(file)
			answers = append(answers, answer{file, targets, err})
		}
	}
	return answers
}

// read returns the targets in a file. Errors contain the position of the mistake.
func (f *fileFinder) read(path string) ([]Target, error) {
	file, err := os.Open(path) //nolint:gosec // the path is configured
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	document, err := io.ReadAll(io.LimitReader(file, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(document) > maxDocument {
		return nil, fmt.Errorf("larger than %d MiB", maxDocument>>20)
	}
	decode := decodeYAML
	if strings.EqualFold(filepath.Ext(path), ".json") {
		decode = decodeJSON
	}
	groups, err := decode(document)
	if err != nil {
		return nil, err
	}
	return f.endpoint.targets(groups)
}

// findSockets returns a function that finds the Unix sockets that match patterns.
func findSockets(patterns []string) func(context.Context) []answer {
	return func(context.Context) (answers []answer) {
		for _, pattern := range patterns {
			a := answer{part: pattern}
			paths, _ := filepath.Glob(pattern) // the pattern is valid
			for _, path := range paths {
				if info, err := os.Stat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
					a.targets = append(a.targets, Target{Endpoint: socketScheme + path})
				}
			}
			answers = append(answers, a)
		}
		return answers
	}
}
