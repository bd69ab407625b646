// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// archive makes the archive of a platform: zip for Windows, tar.gz for all others.
func (b *build) archive(p platform) error {
	files, err := b.files(p, func(c content) string { return c.Archive })
	if err != nil {
		return err
	}
	for i := range files {
		files[i].path = path.Join("otelcol-rtc-"+b.number(), files[i].path)
	}
	if p.os == "windows" {
		return create(b.result("%s_%s_%s.zip", b.number(), p.os, p.arch), func(w io.Writer) error { return writeZip(w, files, b.time) })
	}
	return create(b.result("%s_%s_%s.tar.gz", b.number(), p.os, p.arch), func(w io.Writer) error {
		compressor, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		return errors.Join(writeTar(compressor, files, b.time), compressor.Close())
	})
}

// create writes a file.
func create(name string, write func(io.Writer) error) error {
	w, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(w), w.Close())
}

// writeTar writes files and their directories, in the order of their paths.
func writeTar(w io.Writer, files []file, modified time.Time) error {
	archive := tar.NewWriter(w)
	all := slices.Clone(files)
	for _, directory := range directories(files) {
		all = append(all, file{path: directory, mode: 0o755})
	}
	slices.SortFunc(all, func(a, b file) int { return strings.Compare(a.path, b.path) })
	for _, f := range all {
		header := &tar.Header{
			Typeflag: tar.TypeDir, Name: strings.TrimPrefix(f.path, "/") + "/", Mode: int64(f.mode),
			Uid: f.owner, Gid: f.owner, ModTime: modified, Format: tar.FormatPAX,
		}
		if f.source == "" {
			if err := archive.WriteHeader(header); err != nil {
				return err
			}
			continue
		}
		content, err := os.ReadFile(f.source)
		if err != nil {
			return err
		}
		header.Typeflag, header.Name, header.Size = tar.TypeReg, strings.TrimSuffix(header.Name, "/"), int64(len(content))
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

func writeZip(w io.Writer, files []file, modified time.Time) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, f := range files {
		header := &zip.FileHeader{Name: f.path, Method: zip.Deflate, Modified: modified}
		header.SetMode(f.mode)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(f.source)
		if err != nil {
			return err
		}
		if _, err := entry.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}
