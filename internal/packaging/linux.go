// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers the format
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm" // registers the format
)

const (
	maintainer  = "The otelcol-rtc Authors <otelcol-rtc@users.noreply.github.com>"
	homepage    = "https://github.com/otelcol-rtc/otelcol-rtc"
	license     = "Apache-2.0"
	title       = "OpenTelemetry Collector for real-time communication and media servers"
	description = title + `
Collects the metrics of ZLMediaKit, Kamailio with rtpengine, Jitsi, Flussonic
and mediasoup, and exports them to Prometheus or to any OTLP backend.`
)

// linuxPackages makes the Debian package and the RPM of an architecture.
func (b *build) linuxPackages(p platform) error {
	for _, format := range []string{"deb", "rpm"} {
		packager, err := nfpm.Get(format)
		if err != nil {
			return err
		}
		info, err := b.packageInfo(p)
		if err != nil {
			return err
		}
		name := filepath.Join(b.out, packager.ConventionalFileName(info))
		if err := create(name, func(w io.Writer) error { return packager.Package(info, w) }); err != nil {
			return fmt.Errorf("%s: %w", format, err)
		}
	}
	return nil
}

// packageInfo returns the contents and the description of a package.
func (b *build) packageInfo(p platform) (*nfpm.Info, error) {
	listed, err := b.files(p, func(c content) string { return c.Package })
	if err != nil {
		return nil, err
	}
	var contents files.Contents
	add := func(path, source, kind string, f file) {
		info := &files.ContentFileInfo{Owner: "root", Group: "root", Mode: f.mode, MTime: b.time}
		contents = append(contents, &files.Content{Source: source, Destination: path, Type: kind, FileInfo: info})
	}
	for _, directory := range directories(listed) {
		if strings.Contains(directory, "otelcol-rtc") { // others belong to the system
			add(directory, "", files.TypeDir, file{mode: 0o755})
		}
	}
	for _, f := range listed {
		kind := files.TypeFile
		if f.config {
			kind = files.TypeConfigNoReplace
		}
		add(f.path, f.source, kind, f)
	}
	script := func(name string) string { return filepath.Join(b.root, "distribution", "packaging", name) }
	return nfpm.WithDefaults(&nfpm.Info{
		Name: "otelcol-rtc", Arch: p.arch, Platform: "linux", Version: b.version, Release: "1", Section: "net", Priority: "optional",
		Maintainer: maintainer, Description: description, Vendor: "The otelcol-rtc Authors", Homepage: homepage, License: license,
		DisableGlobbing: true, MTime: b.time,
		Overridables: nfpm.Overridables{
			Contents: contents,
			Depends:  []string{"systemd", "util-linux"},
			Scripts: nfpm.Scripts{
				PostInstall: script("postinstall.sh"), PreRemove: script("preremove.sh"), PostRemove: script("postremove.sh"),
			},
			RPM: nfpm.RPM{BuildHost: "localhost", Summary: title},
		},
	}), nil
}
