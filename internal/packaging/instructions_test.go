// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// instruction is a block of shell commands in install.md.
type instruction struct {
	text   string
	marked bool // the paragraph before the block says that no test runs it, or that CI does
}

var (
	shellBlock = regexp.MustCompile("(?s)\\n\\n([^\\n]+(?:\\n[^\\n]+)*)\\n\\n *```sh\\n(.*?)```")
	mark       = regexp.MustCompile(`(?i)not\s+tested|CI runs`)
)

// instructions returns the blocks of install.md by their headings.
func instructions(t *testing.T) map[string][]instruction {
	t.Helper()
	page, err := os.ReadFile("../../distribution/install.md")
	require.NoError(t, err)
	found := map[string][]instruction{}
	for section := range strings.SplitSeq(string(page), "\n## ") {
		heading, text, _ := strings.Cut(section, "\n")
		for _, block := range shellBlock.FindAllStringSubmatch("\n\n"+heading+"\n"+text, -1) {
			found[heading] = append(found[heading], instruction{block[2], mark.MatchString(block[1])})
		}
	}
	return found
}

// shell runs a block of install.md in a directory and returns its output. apt does not ask questions.
func shell(t *testing.T, commands, directory string) string {
	t.Helper()
	configuration := filepath.Join(t.TempDir(), "apt.conf")
	text := "APT::Get::Assume-Yes \"true\";\nDpkg::Options:: \"--force-confold\";\nAPT::Sandbox::User \"root\";\n"
	require.NoError(t, os.WriteFile(configuration, []byte(text), 0o600))
	command := exec.CommandContext(t.Context(), "sh", "-euc", commands)
	command.Dir = directory
	command.Env = append(os.Environ(), "APT_CONFIG="+configuration, "DEBIAN_FRONTEND=noninteractive")
	log, err := command.CombinedOutput()
	t.Logf("%s%s", commands, log)
	require.NoError(t, err)
	return string(log)
}

// TestInstructions runs the blocks of install.md that change nothing on this machine, and checks that blocks which no test runs say so.
// TestInstall runs those that install and remove the Debian package.
func TestInstructions(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	page := instructions(t)
	assert.Contains(t, string(readme), "```sh\n"+page["Verify"][0].text+page["Debian and Ubuntu"][0].text+"```")
	unmarked := map[string]int{}
	for heading, blocks := range page {
		for _, block := range blocks {
			if !block.marked {
				unmarked[heading]++
			}
		}
	}
	assert.Equal(t, map[string]int{"Verify": 1, "Archive": 1, "Debian and Ubuntu": 1, "Remove": 2}, unmarked)

	directory := t.TempDir()
	for _, pattern := range []string{checksumsFile, "*_linux_amd64.tar.gz"} {
		file := built(t, pattern)
		require.NoError(t, os.Symlink(file, filepath.Join(directory, filepath.Base(file))))
	}
	for _, heading := range []string{"Verify", "Archive"} {
		shell(t, page[heading][0].text, directory)
	}
}
