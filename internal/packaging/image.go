// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageUser is the user and group of the collector in the image.
const imageUser = "10001:10001"

// image makes the container image of all Linux architectures, as a tar file of an OCI layout.
func (b *build) image(platforms []platform) error {
	temporary, err := os.MkdirTemp("", "otelcol-rtc-image")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	certificates := filepath.Join(temporary, "ca-certificates.crt")
	if err := os.WriteFile(certificates, rootCertificates(), 0o600); err != nil {
		return err
	}

	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range platforms {
		image, err := b.platformImage(p, certificates)
		if err != nil {
			return fmt.Errorf("%s: %w", p.arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}},
		})
	}
	directory := filepath.Join(temporary, "layout")
	path, err := layout.Write(directory, empty.Index)
	if err != nil {
		return err
	}
	name := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": b.imageTag()})
	if err := path.AppendIndex(index, name); err != nil {
		return err
	}
	found, err := filesBelow(directory)
	if err != nil {
		return err
	}
	var files []file
	for relative, source := range found {
		files = append(files, file{source: source, path: relative, mode: 0o644})
	}
	return create(b.result("%s_image.tar", b.number()), func(w io.Writer) error { return writeTar(w, files, b.time) })
}

// imageTag returns the version as a tag, which must not contain a plus sign.
func (b *build) imageTag() string { return strings.ReplaceAll(b.number(), "+", "-") }

// platformImage returns the image of an architecture, which has a single layer.
func (b *build) platformImage(p platform, certificates string) (v1.Image, error) {
	files, err := b.files(p, func(c content) string { return c.Image })
	if err != nil {
		return nil, err
	}
	files = append(files, file{source: certificates, path: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644})
	var content bytes.Buffer
	if err := writeTar(&content, files, b.time); err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(opener, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: b.time}
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: created, CreatedBy: homepage}})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = p.os, p.arch, created
	config.Config = v1.Config{
		User:       imageUser,
		Entrypoint: []string{"/usr/bin/otelcol-rtc"},
		Cmd:        []string{"--config", "/usr/share/otelcol-rtc/config/base.yaml", "--config", "/etc/otelcol-rtc/config.yaml"},
		Labels: map[string]string{
			"org.opencontainers.image.title":         "otelcol-rtc",
			"org.opencontainers.image.description":   title,
			"org.opencontainers.image.version":       b.version,
			"org.opencontainers.image.licenses":      license,
			"org.opencontainers.image.source":        homepage,
			"org.opencontainers.image.documentation": homepage,
			"org.opencontainers.image.vendor":        "The otelcol-rtc Authors",
			"org.opencontainers.image.created":       b.time.Format("2006-01-02T15:04:05Z07:00"),
		},
	}
	return mutate.ConfigFile(image, config)
}

// rootCertificates returns the certificate authorities that Mozilla trusts without constraints, which a PEM file cannot express.
func rootCertificates() []byte {
	var file bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return file.Bytes()
}
