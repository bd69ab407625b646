// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFiles checks the paths of entries of all forms.
func TestFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	for _, name := range []string{"a.yaml", "b.yaml", "deep/c.json", "deep/er/d.json"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(in(name)), 0o755))
		require.NoError(t, os.WriteFile(in(name), []byte(name), 0o600))
	}
	for name, test := range map[string]struct {
		content content
		want    []file
		err     string
	}{
		"file":                {content: content{Source: "a.yaml", Image: "/x.yaml"}, want: []file{{in("a.yaml"), "/x.yaml", 0o644, false, 0}}},
		"directory":           {content: content{Image: "/var/x", Mode: 0o750, Owner: 7}, want: []file{{"", "/var/x", 0o750, false, 7}}},
		"not in this kind":    {content: content{Source: "a.yaml", Archive: "./"}},
		"pattern, no match":   {content: content{Source: "*.xml", Image: "/etc/"}, err: "no file matches *.xml"},
		"two files, one path": {content: content{Source: "*.yaml", Image: "/etc/x"}, err: "contents.yaml has /etc/x twice"},
		"binary": {
			content: content{Source: "binary", Image: "./", Mode: 0o755},
			want:    []file{{in("bin/windows/amd64/otelcol-rtc.exe"), "otelcol-rtc.exe", 0o755, false, 0}},
		},
		"pattern": {
			content: content{Source: "*.yaml", Image: "/etc/", Config: true},
			want:    []file{{in("a.yaml"), "/etc/a.yaml", 0o644, true, 0}, {in("b.yaml"), "/etc/b.yaml", 0o644, true, 0}},
		},
		"everything below": {
			content: content{Source: "deep/**", Image: "/d/"},
			want:    []file{{in("deep/c.json"), "/d/c.json", 0o644, false, 0}, {in("deep/er/d.json"), "/d/er/d.json", 0o644, false, 0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &build{root: root, binaries: in("bin"), contents: []content{test.content}}
			files, err := b.files(platform{"windows", "amd64"}, func(c content) string { return c.Image })
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, files)
		})
	}
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	files := []file{{source: "x", path: "/a/b/c"}, {source: "x", path: "/a/d"}, {path: "/e/f"}, {source: "x", path: "/e/f/g"}}
	assert.Equal(t, []string{"/a", "/a/b", "/e"}, directories(files))
	assert.Equal(t, []string{"x"}, directories([]file{{source: "x", path: "x/y"}}))
}

// TestReleaseNotes checks which trees are releases.
func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	const dated = "## [1.2.0] - 2026-01-02\n\nNews\n\n## [1.1.0] - 2025-01-01\n\nOld\n"
	for name, test := range map[string]struct{ version, changelog, agent, notes, err string }{
		"release":            {version: "v1.2.0", changelog: dated, notes: "News\n"},
		"nothing unreleased": {version: "v1.2.0", changelog: "## [Unreleased]\n\n" + dated, notes: "News\n"},
		"last section":       {version: "v1.2.0", changelog: "## [1.2.0] - 2026-01-02\nNews\n", notes: "News\n"},
		"unreleased":         {version: "v1.2.0", changelog: "## [Unreleased]\n- x\n" + dated, err: "CHANGELOG.md: changes below [Unreleased]"},
		"not the newest":     {version: "v1.1.0", changelog: dated, err: "the newest version is 1.2.0, not 1.1.0"},
		"no date":            {version: "v1.2.0", changelog: "## [1.2.0]\nNews\n", err: "version 1.2.0 has no date"},
		"no version":         {version: "v1.2.0", err: "CHANGELOG.md: no version"},
		"after a release":    {version: "v1.2.0+20260101000000.0123abc", changelog: dated, err: "is not a release"},
		"agent":              {version: "v1.2.0", changelog: dated, agent: "1.1.0", err: "has version 1.1.0, not v1.2.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			agent := filepath.Join(root, "distribution", "mediasoup-agent")
			require.NoError(t, os.MkdirAll(agent, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, "CHANGELOG.md"), []byte("# Changelog\n\n"+test.changelog), 0o600))
			if test.agent == "" {
				test.agent = "1.2.0"
			}
			require.NoError(t, os.WriteFile(filepath.Join(agent, "package.json"), []byte(`{"version": "`+test.agent+`"}`), 0o600))
			notes, err := releaseNotes(root, test.version)
			assert.Equal(t, test.notes, notes)
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.err)
			}
		})
	}
}

// TestVersion checks the version of a commit with a tag, of one without, and of a changed tree.
func TestVersion(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	directory := filepath.Join(root, "internal", "packaging")
	require.NoError(t, os.MkdirAll(directory, 0o755))
	script, err := os.ReadFile("version.sh")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(directory, "version.sh"), script, 0o755))
	changelog := filepath.Join(root, "CHANGELOG.md")
	require.NoError(t, os.WriteFile(changelog, []byte("## [Unreleased]\n## [1.2.0] - 2026-01-02\n## [1.1.0] - 2025-01-01\n"), 0o600))

	environment := append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(root), "GIT_COMMITTER_DATE=2026-01-02T03:04:05+0100",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	run := func(name string, arguments ...string) string {
		command := exec.CommandContext(t.Context(), name, arguments...)
		command.Dir, command.Env = root, environment
		output, err := command.CombinedOutput()
		require.NoError(t, err, "%s", output)
		return strings.TrimSpace(string(output))
	}
	version := func() string { return run("internal/packaging/version.sh") }

	assert.Equal(t, "v1.2.0", version(), "without git")
	run("git", "init", "-q")
	run("git", "add", ".")
	run("git", "commit", "-qm", "A commit")
	commit := "v1.2.0+20260102020405." + run("git", "rev-parse", "--short=7", "HEAD")
	assert.Equal(t, commit, version(), "without a tag")
	run("git", "tag", "v1.1.0")
	assert.Equal(t, commit, version(), "with the tag of another version")
	run("git", "tag", "v1.2.0")
	assert.Equal(t, "v1.2.0", version(), "with its tag")
	require.NoError(t, os.WriteFile(filepath.Join(root, "new"), nil, 0o600))
	assert.Equal(t, commit+".dirty", version(), "with changes")
}
