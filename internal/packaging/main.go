// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command packaging makes archives, Debian and RPM packages, a container image, bills of materials and checksums from built collectors.
// With -notes, it prints the notes of a release instead.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// build is the input of a packaging run.
type build struct {
	root     string // of the repository
	binaries string // directory of the collectors, as <os>/<architecture>/otelcol-rtc
	out      string // directory of the results
	version  string // such as v0.1.0
	time     time.Time
	contents []content
}

// platform is an operating system and an architecture, in the words of Go.
type platform struct{ os, arch string }

func main() {
	root := flag.String("root", "../..", "root of the repository")
	binaries := flag.String("binaries", "../../bin", "directory of the collectors, as <os>/<architecture>/otelcol-rtc")
	out := flag.String("out", "../../dist", "directory of the results")
	version := flag.String("version", "", "version of the collectors")
	platforms := flag.String("platforms", "linux/amd64 linux/arm64", "platforms of the collectors")
	notes := flag.Bool("notes", false, "check that a release of this version can be made, and print its notes")
	flag.Parse()

	if err := func() error {
		if *notes {
			text, err := releaseNotes(*root, *version)
			fmt.Print(text)
			return err
		}
		b, err := newBuild(*root, *binaries, *out, *version)
		if err != nil {
			return err
		}
		return b.packageAll(strings.Fields(*platforms))
	}(); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

// newBuild returns a build with the time of SOURCE_DATE_EPOCH.
func newBuild(root, binaries, out, version string) (*build, error) {
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH must be the time of the commit in seconds: %w", err)
	}
	if !strings.HasPrefix(version, "v") {
		return nil, fmt.Errorf("-version %q: must start with v", version)
	}
	contents, err := readContents(filepath.Join(root, "distribution", "packaging", "contents.yaml"))
	return &build{root, binaries, out, version, time.Unix(epoch, 0).UTC(), contents}, err
}

// packageAll makes everything for the given platforms.
func (b *build) packageAll(platforms []string) error {
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return err
	}
	var linux []platform
	for _, name := range platforms {
		system, arch, _ := strings.Cut(name, "/")
		p := platform{system, arch}
		if err := errors.Join(b.archive(p), b.billOfMaterials(p)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if p.os != "linux" {
			continue
		}
		if err := b.linuxPackages(p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		linux = append(linux, p)
	}
	if err := b.image(linux); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	if err := b.agent(); err != nil {
		return fmt.Errorf("mediasoup agent: %w", err)
	}
	return b.checksums()
}

// binary returns the path of the collector of a platform.
func (b *build) binary(p platform) string {
	return filepath.Join(b.binaries, p.os, p.arch, "otelcol-rtc"+p.suffix())
}

// suffix returns the suffix of the names of programs.
func (p platform) suffix() string {
	if p.os == "windows" {
		return ".exe"
	}
	return ""
}

// number returns the version without its v.
func (b *build) number() string { return strings.TrimPrefix(b.version, "v") }

// result returns the path of a result.
func (b *build) result(format string, arguments ...any) string {
	return filepath.Join(b.out, fmt.Sprintf("otelcol-rtc_"+format, arguments...))
}
