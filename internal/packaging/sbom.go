// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// billOfMaterials lists the Go modules of a collector, with their versions, in the format CycloneDX.
func (b *build) billOfMaterials(p platform) error {
	info, err := buildinfo.ReadFile(b.binary(p))
	if err != nil {
		return err
	}
	components := []cyclonedx.Component{goModule("std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		if strings.HasPrefix(module.Path, ".") { // the module of this repository
			continue
		}
		components = append(components, goModule(module.Path, module.Version))
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: b.time.Format(time.RFC3339),
		Component: &cyclonedx.Component{
			BOMRef: "otelcol-rtc", Type: cyclonedx.ComponentTypeApplication, Name: "otelcol-rtc", Version: b.version, Description: title,
			Licenses: &cyclonedx.Licenses{{License: &cyclonedx.License{ID: license}}},
		},
	}
	bom.Components = &components
	return create(b.result("%s_%s_%s.cdx.json", b.number(), p.os, p.arch), func(w io.Writer) error {
		return cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	})
}

// goModule returns the component of a Go module.
func goModule(path, version string) cyclonedx.Component {
	url := fmt.Sprintf("pkg:golang/%s@%s", path, version)
	return cyclonedx.Component{BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url}
}
