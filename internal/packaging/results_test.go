// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests read what make package has made.
const dist = "../../dist"

// machines has the architectures for which there are packages, with their names in an rpm.
var machines = map[string]struct {
	elf elf.Machine
	rpm string
}{
	"amd64": {elf.EM_X86_64, "x86_64"},
	"arm64": {elf.EM_AARCH64, "aarch64"},
}

// missing skips the test, or fails it if CI=1.
func missing(t *testing.T, format string, arguments ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, arguments...)
	}
	t.Skipf(format, arguments...)
}

// built returns the only result whose name matches the pattern.
func built(t *testing.T, pattern string) string {
	t.Helper()
	matches, err := filepath.Glob(filepath.Join(dist, pattern))
	require.NoError(t, err)
	if len(matches) == 0 {
		missing(t, "dist has no %s: run make package", pattern)
	}
	require.Len(t, matches, 1)
	path, err := filepath.Abs(matches[0])
	require.NoError(t, err)
	return path
}

// builtVersion returns the version of the results, without its v.
func builtVersion(t *testing.T) string {
	t.Helper()
	name := filepath.Base(built(t, "otelcol-rtc_*_image.tar"))
	return strings.TrimSuffix(strings.TrimPrefix(name, "otelcol-rtc_"), "_image.tar")
}

// output runs a command, which must succeed, and returns its standard output.
func output(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, "%s is missing: run make test-deps", name)
	}
	command := exec.CommandContext(t.Context(), name, arguments...)
	var problems bytes.Buffer
	command.Stderr = &problems
	text, err := command.Output()
	require.NoError(t, err, "%s %v: %s%s", name, arguments, text, &problems)
	return string(text)
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile(built(t, checksumsFile))
	require.NoError(t, err)
	var listed []string
	for line := range strings.Lines(string(sums)) {
		listed = append(listed, strings.Fields(line)[1])
	}
	entries, err := os.ReadDir(dist)
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.Name() != checksumsFile && entry.Name() != "RELEASE_NOTES.md" {
			assert.Contains(t, listed, entry.Name())
		}
	}
}

// TestArchives unpacks the archives of Linux, and runs the collector of this machine.
func TestArchives(t *testing.T) {
	t.Parallel()
	files := map[string][]string{}
	for arch, machine := range machines {
		directory := t.TempDir()
		output(t, "tar", "-xzf", built(t, "*_linux_"+arch+".tar.gz"), "-C", directory)
		root := filepath.Join(directory, "otelcol-rtc-"+builtVersion(t))
		assertMachine(t, machine.elf, root+"/otelcol-rtc")
		if arch == "amd64" {
			assertVersion(t, root+"/otelcol-rtc")
		}
		found, err := filesBelow(root)
		require.NoError(t, err)
		files[arch] = slices.Sorted(maps.Keys(found))
	}
	assert.Equal(t, files["amd64"], files["arm64"])
	for _, name := range []string{
		"LICENSE", "README.md", "config/base.yaml", "compat/zlm_exporter.md", "dashboards/fleet.json", "alerts/fleet.yaml",
		"dashboards/provisioning/dashboards/otelcol-rtc.yaml",
	} {
		assert.Contains(t, files["amd64"], name)
	}
}

func assertMachine(t *testing.T, want elf.Machine, binary string) {
	t.Helper()
	opened, err := elf.Open(binary)
	require.NoError(t, err)
	assert.Equal(t, want, opened.Machine)
	assert.NoError(t, opened.Close())
}

// assertVersion checks that a collector has the version of the results.
func assertVersion(t *testing.T, binary string) {
	t.Helper()
	assert.Equal(t, "otelcol-rtc version v"+builtVersion(t)+"\n", output(t, binary, "--version"))
}

// packaged is a file of a package.
type packaged struct {
	Mode          fs.FileMode
	Owner, Group  string
	Digest        string
	Configuration bool
}

// TestPackagesAgree compares the Debian package with the rpm, file by file, as dpkg-deb and rpm read them.
func TestPackagesAgree(t *testing.T) {
	t.Parallel()
	for arch, machine := range machines {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			deb, rpm := built(t, "*_"+arch+".deb"), built(t, "*."+machine.rpm+".rpm")
			inDeb, inRPM := debFiles(t, deb), rpmFiles(t, rpm)
			assert.Equal(t, inDeb, inRPM)
			assert.Equal(t, fs.FileMode(0o755), inDeb["/usr/bin/otelcol-rtc"].Mode)
			assert.Equal(t, fs.FileMode(0o640), inDeb[envFile].Mode)
			assert.True(t, inDeb[envFile].Configuration)
			assert.True(t, inDeb[configFile].Configuration)

			version := builtVersion(t) + "-1 "
			assert.Equal(t, version+arch, output(t, "dpkg-deb", "--show", "--showformat=${Version} ${Architecture}", deb))
			assert.Equal(t, version+machine.rpm+" localhost",
				output(t, "rpm", "-qp", "--qf", "%{VERSION}-%{RELEASE} %{ARCH} %{BUILDHOST}", rpm))
			control := t.TempDir()
			output(t, "dpkg-deb", "--control", deb, control)
			for script, tag := range map[string]string{"postinst": "POSTIN", "prerm": "PREUN", "postrm": "POSTUN"} {
				text, err := os.ReadFile(filepath.Join(control, script))
				require.NoError(t, err)
				assert.Equal(t, string(text), output(t, "rpm", "-qp", "--qf", "%{"+tag+"}", rpm))
			}

			root := t.TempDir()
			output(t, "dpkg-deb", "--extract", deb, root)
			assertMachine(t, machine.elf, root+"/usr/bin/otelcol-rtc")
		})
	}
}

// debFiles returns the files of a Debian package, and the directories that have the name of the package.
func debFiles(t *testing.T, deb string) map[string]packaged {
	t.Helper()
	conffiles := strings.Fields(output(t, "dpkg-deb", "--info", deb, "conffiles"))
	files := map[string]packaged{}
	archive := tar.NewReader(strings.NewReader(output(t, "dpkg-deb", "--fsys-tarfile", deb)))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		path := filepath.Clean("/" + header.Name)
		f := packaged{header.FileInfo().Mode(), header.Uname, header.Gname, "", slices.Contains(conffiles, path)}
		if header.Typeflag == tar.TypeReg {
			digest := sha256.New()
			_, err = io.Copy(digest, archive)
			require.NoError(t, err)
			f.Digest = hex.EncodeToString(digest.Sum(nil))
		} else if !strings.Contains(path, "otelcol-rtc") {
			continue
		}
		files[path] = f
	}
}

func rpmFiles(t *testing.T, rpm string) map[string]packaged {
	t.Helper()
	files := map[string]packaged{}
	for line := range strings.Lines(output(t, "rpm", "-qp", "--dump", rpm)) {
		column := strings.Fields(line) // path size mtime digest mode owner group isconfig isdoc rdev symlink
		mode, err := strconv.ParseUint(column[4], 8, 32)
		require.NoError(t, err)
		f := packaged{fs.FileMode(mode) & fs.ModePerm, column[5], column[6], column[3], column[7] == "1"}
		if mode&0o170000 == 0o040000 {
			f.Mode, f.Digest = f.Mode|fs.ModeDir, ""
		}
		files[column[0]] = f
	}
	return files
}

// TestRPM installs the rpm into a directory, upgrades it with a changed configuration and removes it, without scripts.
func TestRPM(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rpm := func(arguments ...string) string {
		return output(t, "rpm", append([]string{"--root", root, "--dbpath", "/rpmdb", "--nodeps", "--noscripts"}, arguments...)...)
	}
	config := root + "/etc/otelcol-rtc/config.yaml"
	rpm("--install", built(t, "*.x86_64.rpm"))
	assertVersion(t, root+"/usr/bin/otelcol-rtc")
	require.NoError(t, os.WriteFile(config, []byte("changed"), 0o600))
	rpm("--upgrade", "--force", built(t, "*.x86_64.rpm"))
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	assert.Equal(t, "changed", string(text))
	rpm("--erase", "otelcol-rtc")
	require.NoError(t, os.RemoveAll(filepath.Join(root, "rpmdb")))
	left, err := filesBelow(root)
	require.NoError(t, err)
	assert.Equal(t, []string{"etc/otelcol-rtc/config.yaml.rpmsave"}, slices.Sorted(maps.Keys(left)))
	assert.NoDirExists(t, root+"/usr/share/otelcol-rtc")
}

func TestBillsOfMaterials(t *testing.T) {
	t.Parallel()
	for arch := range machines {
		file, err := os.Open(built(t, "*_linux_"+arch+".cdx.json"))
		require.NoError(t, err)
		var bom cyclonedx.BOM
		require.NoError(t, cyclonedx.NewBOMDecoder(file, cyclonedx.BOMFileFormatJSON).Decode(&bom))
		require.NoError(t, file.Close())
		assert.Equal(t, "v"+builtVersion(t), bom.Metadata.Component.Version)
		var names []string
		for _, component := range *bom.Components {
			names = append(names, component.Name)
			assert.NotEmpty(t, component.Version, component.Name)
		}
		assert.Contains(t, names, "std")
		assert.Contains(t, names, "go.opentelemetry.io/collector/otelcol")
	}
}

func TestAgent(t *testing.T) {
	t.Parallel()
	var manifest struct{ Name, Version string }
	require.NoError(t, json.Unmarshal([]byte(output(t, "tar", "-xOzf", built(t, "*-agent-*.tgz"), "package/package.json")), &manifest))
	assert.Equal(t, "otelcol-rtc-mediasoup-agent", manifest.Name)
	number, _, _ := strings.Cut(builtVersion(t), "+")
	assert.Equal(t, number, manifest.Version)
}

// image is the container image of an architecture.
type image struct {
	config v1.ConfigFile
	root   string // the directory into which its layers were extracted
}

// images extracts the container image.
func images(t *testing.T) map[string]image {
	t.Helper()
	directory := t.TempDir()
	output(t, "tar", "-xf", built(t, "*_image.tar"), "-C", directory)
	top, err := layout.ImageIndexFromPath(directory)
	require.NoError(t, err)
	tags, err := top.IndexManifest()
	require.NoError(t, err)
	require.Len(t, tags.Manifests, 1)
	assert.Equal(t, strings.ReplaceAll(builtVersion(t), "+", "-"), tags.Manifests[0].Annotations["org.opencontainers.image.ref.name"])
	index, err := top.ImageIndex(tags.Manifests[0].Digest)
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	extracted := map[string]image{}
	for _, descriptor := range manifest.Manifests {
		opened, err := index.Image(descriptor.Digest)
		require.NoError(t, err)
		config, err := opened.ConfigFile()
		require.NoError(t, err)
		root := t.TempDir()
		require.NoError(t, os.Chmod(root, 0o755)) // any user may run programs in it
		unpack := exec.CommandContext(t.Context(), "tar", "-xp", "--same-owner", "-C", root)
		unpack.Stdin = mutate.Extract(opened)
		text, err := unpack.CombinedOutput()
		require.NoError(t, err, "%s", text)
		assert.Equal(t, config.Architecture, descriptor.Platform.Architecture)
		extracted[config.Architecture] = image{*config, root}
	}
	return extracted
}

// TestImage checks the container images, and runs that of this machine with its user and command on a read-only root.
func TestImage(t *testing.T) {
	if os.Getuid() != 0 {
		missing(t, "requires root, to run the container image")
	}
	extracted := images(t)
	require.Len(t, extracted, len(machines))
	for arch, i := range extracted {
		assertMachine(t, machines[arch].elf, i.root+"/usr/bin/otelcol-rtc")
		assert.Equal(t, "v"+builtVersion(t), i.config.Config.Labels["org.opencontainers.image.version"])
		assert.Equal(t, "10001:10001", i.config.Config.User)
		certificates, err := os.ReadFile(i.root + "/etc/ssl/certs/ca-certificates.crt")
		require.NoError(t, err)
		assert.Greater(t, bytes.Count(certificates, []byte("BEGIN CERTIFICATE")), 100)
	}

	i := extracted["amd64"]
	assertVersion(t, i.root+"/usr/bin/otelcol-rtc")
	require.NoError(t, os.Mkdir(filepath.Join(i.root, "proc"), 0o755)) // as a container engine does
	arguments := slices.Concat([]string{
		"--mount", "sh", "-euc", `root=$1 user=$2; shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --rbind /proc "$root/proc"
exec chroot --userspec="$user" --groups= "$root" "$@"`, "sh", i.root, i.config.Config.User,
	}, i.config.Config.Entrypoint, i.config.Config.Cmd)
	c := startCollector(t, i.config.Config.Env, "unshare", arguments)
	c.await(t, "system_memory_usage_bytes")
	c.assertVersion(t)
	c.stop()
}
