// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	releaseVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)
	heading        = regexp.MustCompile(`(?m)^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?\n`)
)

// releaseNotes returns the section of CHANGELOG.md about a version. It fails if CHANGELOG.md, the version, the tree and the mediasoup agent
// do not agree.
func releaseNotes(root, version string) (string, error) {
	if !releaseVersion.MatchString(version) {
		return "", fmt.Errorf("%s is not a release: a release is built from a tree without changes, "+
			"at a commit with the tag of the newest version in CHANGELOG.md", version)
	}
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	notes, err := section(string(changelog), strings.TrimPrefix(version, "v"))
	if err != nil {
		return "", fmt.Errorf("CHANGELOG.md: %w", err)
	}
	manifest, err := os.ReadFile(filepath.Join(root, "distribution", "mediasoup-agent", "package.json"))
	if err != nil {
		return "", err
	}
	var agent struct{ Version string }
	if err := json.Unmarshal(manifest, &agent); err != nil {
		return "", fmt.Errorf("package.json of the mediasoup agent: %w", err)
	}
	if "v"+agent.Version != version {
		return "", fmt.Errorf("package.json of the mediasoup agent has version %s, not %s", agent.Version, version)
	}
	return notes, nil
}

// section returns the text below the heading of a version, which must be the newest one and have a date. Unreleased changes must not exist.
func section(changelog, version string) (string, error) {
	headings := heading.FindAllStringSubmatchIndex(changelog, -1)
	for i, h := range headings {
		end := len(changelog)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		text := strings.TrimSpace(changelog[h[1]:end])
		switch name := changelog[h[2]:h[3]]; {
		case name == "Unreleased" && text != "":
			return "", fmt.Errorf("changes below [Unreleased] belong to a version")
		case name == "Unreleased":
		case name != version:
			return "", fmt.Errorf("the newest version is %s, not %s", name, version)
		case h[4] < 0:
			return "", fmt.Errorf("version %s has no date", version)
		default:
			return text + "\n", nil
		}
	}
	return "", fmt.Errorf("no version")
}
