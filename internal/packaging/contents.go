// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// content is an entry of contents.yaml, which describes the fields.
type content struct {
	Source, Archive, Package, Image string
	Mode                            fs.FileMode
	Config                          bool
	Owner                           int
}

// file is a file or directory of an archive, a package or the image.
type file struct {
	source string // path on this machine; empty for a directory
	path   string
	mode   fs.FileMode
	config bool
	owner  int
}

func readContents(path string) (contents []content, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&contents); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return contents, nil
}

// files returns the files of one kind of package, sorted by path. The argument target returns the path of an entry in this kind.
func (b *build) files(p platform, target func(content) string) (files []file, err error) {
	for _, c := range b.contents {
		to := target(c)
		if to == "" {
			continue
		}
		sources, err := b.sources(c.Source, p)
		if err != nil {
			return nil, err
		}
		f := file{mode: c.Mode, config: c.Config, owner: c.Owner}
		if f.mode == 0 {
			f.mode = 0o644
		}
		for relative, source := range sources {
			f.source, f.path = source, path.Clean(to)
			if strings.HasSuffix(to, "/") {
				f.path = path.Join(to, relative)
			}
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	for i := range files[:max(len(files)-1, 0)] {
		if files[i].path == files[i+1].path {
			return nil, fmt.Errorf("contents.yaml has %s twice", files[i].path)
		}
	}
	return files, nil
}

// sources returns the files that a source stands for, by their paths below the directory of the package.
func (b *build) sources(pattern string, p platform) (map[string]string, error) {
	switch directory, below := strings.CutSuffix(pattern, "/**"); {
	case pattern == "":
		return map[string]string{"": ""}, nil
	case pattern == "binary":
		return map[string]string{"otelcol-rtc" + p.suffix(): b.binary(p)}, nil
	case below:
		return filesBelow(filepath.Join(b.root, directory))
	}
	matches, err := filepath.Glob(filepath.Join(b.root, pattern))
	if err == nil && len(matches) == 0 {
		err = fmt.Errorf("contents.yaml: no file matches %s", pattern)
	}
	sources := map[string]string{}
	for _, match := range matches {
		sources[filepath.Base(match)] = match
	}
	return sources, err
}

func filesBelow(directory string) (map[string]string, error) {
	sources := map[string]string{}
	err := filepath.WalkDir(directory, func(source string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(directory, source)
		sources[filepath.ToSlash(relative)] = source
		return err
	})
	return sources, err
}

// directories returns the directories that files need, parents first, without the root. Files that are directories are not among them.
func directories(files []file) (all []string) {
	listed := map[string]bool{}
	for _, f := range files {
		listed[f.path] = f.source == ""
	}
	seen := map[string]bool{}
	for _, f := range files {
		for parent := path.Dir(f.path); parent != "." && parent != "/"; parent = path.Dir(parent) {
			if !seen[parent] && !listed[parent] {
				all = append(all, parent)
			}
			seen[parent] = true
		}
	}
	slices.Sort(all)
	return all
}
