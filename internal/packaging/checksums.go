// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const checksumsFile = "SHA256SUMS"

// agent makes the npm package of the mediasoup agent.
func (b *build) agent() error {
	out, err := filepath.Abs(b.out)
	if err != nil {
		return err
	}
	pack := exec.CommandContext(context.Background(), "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", out)
	pack.Dir = filepath.Join(b.root, "distribution", "mediasoup-agent")
	if output, err := pack.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack: %w: %s", err, output)
	}
	return nil
}

// checksums writes the SHA-256 checksums of all results, in the format of sha256sum.
func (b *build) checksums() error {
	entries, err := os.ReadDir(b.out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, entry := range entries {
		if entry.Name() == checksumsFile {
			continue
		}
		content, err := os.ReadFile(filepath.Join(b.out, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), entry.Name())
	}
	return os.WriteFile(filepath.Join(b.out, checksumsFile), []byte(sums.String()), 0o644)
}
