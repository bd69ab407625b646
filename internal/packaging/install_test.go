// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	configFile = "/etc/otelcol-rtc/config.yaml"
	envFile    = "/etc/otelcol-rtc/otelcol-rtc.env"
	stateDir   = "/var/lib/otelcol-rtc"
	secret     = "s3cret of the server"
)

// TestInstall installs an older Debian package, configures it for an emulated server, runs it, upgrades it, and removes and purges it.
//
// systemd does not run on the machines of CI. The test runs the command line of the unit with its user, environment and privileges on a
// read-only file system instead, and the scripts with a systemctl that only lists its arguments. The other restrictions of the unit are not
// tested.
func TestInstall(t *testing.T) {
	requireDisposableMachine(t)
	require.Empty(t, leftovers(t), "remove what an earlier installation has left")
	t.Cleanup(func() {
		if len(leftovers(t)) != 0 { // the test has failed
			_ = exec.CommandContext(context.WithoutCancel(t.Context()), "dpkg", "--purge", "otelcol-rtc").Run()
		}
	})

	assert.Contains(t, dpkg(t, "--install", olderPackage(t)), "otelcol-rtc is installed, but not started:")
	assertInstalled(t)
	output(t, "systemd-analyze", "verify", "otelcol-rtc.service")
	assert.Empty(t, output(t, "find", "/etc/systemd/system", "-name", "otelcol-rtc*"), "the service must not be enabled")

	edit(t, envFile, "#ZLMEDIAKIT_SECRET=", `ZLMEDIAKIT_SECRET="`+secret+`"`)
	service := startService(t)
	service.await(t, "system_memory_usage_bytes")
	service.assertVersion(t)
	edit(t, configFile, "# zlmediakit:", "zlmediakit:", "# metrics/zlmediakit:", "metrics/zlmediakit:",
		`"http://127.0.0.1:80", secret: `, `"`+startEmulator(t)+`", secret: `)
	service.reload(t)
	service.await(t, zlmediakitUp)
	service.stop()
	require.NoError(t, os.WriteFile(stateDir+"/queue", []byte("data"), 0o600))

	edited, err := os.ReadFile(configFile)
	require.NoError(t, err)
	log := shell(t, instructions(t)["Debian and Ubuntu"][0].text, dist)
	assert.NotContains(t, log, "not started")
	assert.NotContains(t, log, "not valid")
	text, err := os.ReadFile(configFile)
	require.NoError(t, err)
	assert.Equal(t, string(edited), string(text), "an upgrade must keep the configuration")
	assertInstalled(t)
	assertVersion(t, "/usr/bin/otelcol-rtc")
	service = startService(t)
	service.await(t, zlmediakitUp)
	service.stop()
	assertScripts(t)

	edit(t, configFile, "receivers:\n", "receivers:\n  zlmediakit/old: {no_such_setting: 1}\n")
	assert.Regexp(t, "(?s)is not valid for the new version.*no_such_setting", dpkg(t, "--install", built(t, "*_amd64.deb")))
	assert.Equal(t, "daemon-reload", systemctlCalls(t, "postinstall.sh", "2"), "an rpm with a configuration that is not valid")

	remove := instructions(t)["Remove"]
	shell(t, remove[0].text, dist)
	assert.ElementsMatch(t, []string{"/etc/otelcol-rtc", stateDir, "user otelcol-rtc", "group otelcol-rtc"}, leftovers(t))
	assert.FileExists(t, configFile)
	assert.FileExists(t, stateDir+"/queue")
	shell(t, remove[1].text, dist)
	assert.Empty(t, leftovers(t))
}

// zlmediakitUp matches the line of the page which says that the emulated server is up.
const zlmediakitUp = `rtc_target_up{instance="[^"]*",job="zlmediakit"} 1`

// assertScripts checks what the scripts ask of systemd, for the arguments of dpkg and of rpm.
func assertScripts(t *testing.T) {
	t.Helper()
	const restart, stop = "daemon-reload, try-restart otelcol-rtc.service", "--no-reload disable --now otelcol-rtc.service"
	for _, test := range []struct{ script, arguments, calls string }{
		{"postinstall.sh", "configure", "daemon-reload"},
		{"postinstall.sh", "1", "daemon-reload"},
		{"postinstall.sh", "configure 0.0.1", restart},
		{"postinstall.sh", "2", restart},
		{"postinstall.sh", "abort-upgrade 0.0.1", ""},
		{"preremove.sh", "upgrade 0.0.1", ""},
		{"preremove.sh", "1", ""},
		{"preremove.sh", "remove", stop},
		{"preremove.sh", "0", stop},
		{"postremove.sh", "upgrade 0.0.1", ""},
		{"postremove.sh", "1", ""},
		{"postremove.sh", "remove", "daemon-reload"},
		{"postremove.sh", "0", "daemon-reload"},
	} {
		assert.Equal(t, test.calls, systemctlCalls(t, test.script, strings.Fields(test.arguments)...), "%s %s", test.script, test.arguments)
	}
}

// systemctlCalls runs a script as if systemd were running, and returns the arguments of each call of systemctl.
func systemctlCalls(t *testing.T, script string, arguments ...string) string {
	t.Helper()
	directory := t.TempDir()
	calls := filepath.Join(directory, "calls")
	require.NoError(t, os.WriteFile(calls, nil, 0o600))
	stub := "#!/bin/sh\necho \"$@\" >>" + calls + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(directory, "systemctl"), []byte(stub), 0o755))
	output(t, "unshare", slices.Concat([]string{
		"--mount", "sh", "-euc", `mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/system; PATH=$0:$PATH; exec sh "$@"`, directory,
		"../../distribution/packaging/" + script,
	}, arguments)...)
	text, err := os.ReadFile(calls)
	require.NoError(t, err)
	return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", ", ")
}

// requireDisposableMachine skips the test unless it may install a package, and test-deps has installed systemd.
func requireDisposableMachine(t *testing.T) {
	t.Helper()
	if os.Getenv("CI") == "" {
		t.Skip("installs a package: runs only if CI=1")
	}
	if os.Getuid() != 0 || runtime.GOARCH != "amd64" {
		t.Fatal("requires root on an amd64 machine, to install the package")
	}
	_, err := exec.LookPath("dpkg")
	require.NoError(t, err)
	_, err = os.Stat("/run/systemd/system")
	require.ErrorIs(t, err, os.ErrNotExist, "systemd runs here: the test would have to stop its own service")
}

// leftovers returns what an installation leaves: files and directories with its name, the user and the group.
func leftovers(t *testing.T) (found []string) {
	t.Helper()
	for _, pattern := range []string{
		"/etc/otelcol-rtc*", "/etc/systemd/system/*/otelcol-rtc*", "/usr/bin/otelcol-rtc*", "/usr/lib/*/otelcol-rtc*",
		"/usr/lib/systemd/system/otelcol-rtc*", "/usr/share/otelcol-rtc*", "/usr/share/doc/otelcol-rtc*", "/var/lib/otelcol-rtc*",
	} {
		matches, err := filepath.Glob(pattern)
		require.NoError(t, err)
		found = append(found, matches...)
	}
	for kind, database := range map[string]string{"user": "passwd", "group": "group"} {
		if exec.CommandContext(context.WithoutCancel(t.Context()), "getent", database, "otelcol-rtc").Run() == nil {
			found = append(found, kind+" otelcol-rtc")
		}
	}
	return found
}

// dpkg runs dpkg and returns its log. It keeps changed configuration without a question, as unattended upgrades do.
func dpkg(t *testing.T, arguments ...string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "dpkg", append([]string{"--force-confold"}, arguments...)...).CombinedOutput()
	t.Logf("dpkg %s\n%s", strings.Join(arguments, " "), text)
	require.NoError(t, err)
	return string(text)
}

// olderPackage makes a package of an older version, with the same collector and another default configuration.
func olderPackage(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	contents, err := readContents(filepath.Join(root, "distribution", "packaging", "contents.yaml"))
	require.NoError(t, err)
	const config = "distribution/packaging/config.yaml"
	text, err := os.ReadFile(filepath.Join(root, config))
	require.NoError(t, err)
	older := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(older, append([]byte("# An older version.\n"), text...), 0o600))
	for i, c := range contents {
		if c.Source == config {
			contents[i].Source, err = filepath.Rel(root, older)
			require.NoError(t, err)
		}
	}
	out := t.TempDir()
	b := &build{root, filepath.Join(root, "bin"), out, "v0.0.1", time.Unix(1, 0), contents}
	require.NoError(t, b.linuxPackages(platform{"linux", "amd64"}))
	return filepath.Join(out, "otelcol-rtc_0.0.1-1_amd64.deb")
}

// assertInstalled checks the owners and modes of configuration and state.
func assertInstalled(t *testing.T) {
	t.Helper()
	for path, want := range map[string]string{
		configFile: "root:root 644", envFile: "root:otelcol-rtc 640", stateDir: "otelcol-rtc:otelcol-rtc 750",
		"/usr/bin/otelcol-rtc": "root:root 755",
	} {
		assert.Equal(t, want+"\n", output(t, "stat", "--format=%U:%G %a", path), path)
	}
}

// edit replaces text of a file, as an administrator does.
func edit(t *testing.T, path string, oldAndNew ...string) {
	t.Helper()
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	after := strings.NewReplacer(oldAndNew...).Replace(string(before))
	require.NotEqual(t, string(before), after)
	require.NoError(t, os.WriteFile(path, []byte(after), 0o600))
}

// settings reads lines of the form NAME=value, with optional quotes. A setting can have several values.
func settings(t *testing.T, path string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	values := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if found && !strings.HasPrefix(name, "#") {
			values[name] = append(values[name], strings.Trim(value, `"`))
		}
	}
	return values
}

// service is a collector that was started with the command line of the unit.
type service struct {
	*collector
	sandbox     []string // command line that applies the restrictions of the unit
	environment []string
	onReload    []string // commands of ExecReload
}

// startService starts the command line of the installed unit, on addresses of its own.
func startService(t *testing.T) service {
	t.Helper()
	unit := settings(t, "/usr/lib/systemd/system/otelcol-rtc.service")
	s := service{environment: unit["Environment"], onReload: unit["ExecReload"], sandbox: []string{
		"--mount", "sh", "-euc", `mount --bind "$0" "$0"; mount -o remount,bind,ro /; exec "$@"`, stateDir, "setpriv",
		"--reuid=" + unit["User"][0], "--regid=" + unit["Group"][0], "--init-groups",
		"--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
	}}
	for name, values := range settings(t, strings.TrimPrefix(unit["EnvironmentFile"][0], "-")) {
		s.environment = append(s.environment, name+"="+values[0])
	}
	s.collector = startCollector(t, s.environment, "unshare", slices.Concat(s.sandbox, strings.Fields(unit["ExecStart"][0])))
	return s
}

// reload runs the commands that reload the unit.
func (s service) reload(t *testing.T) {
	t.Helper()
	for _, line := range s.onReload {
		line = strings.ReplaceAll(line, "$MAINPID", strconv.Itoa(s.command.Process.Pid))
		sandboxed := exec.CommandContext(t.Context(), "unshare", slices.Concat(s.sandbox, strings.Fields(line))...)
		sandboxed.Env = append([]string{"PATH=" + os.Getenv("PATH")}, s.environment...)
		text, err := sandboxed.CombinedOutput()
		require.NoError(t, err, "%s: %s", line, text)
	}
}

// collector is a running collector. Its addresses differ from the defaults, so that several can run.
type collector struct {
	command         *exec.Cmd
	stop            func() // stops it, which must be clean
	page, telemetry string
}

// startCollector starts the command line of a collector.
func startCollector(t *testing.T, environment []string, name string, arguments []string) *collector {
	t.Helper()
	c := &collector{page: freeAddress(t), telemetry: freeAddress(t)}
	host, port, _ := net.SplitHostPort(c.telemetry)
	addresses := fmt.Sprintf(`{exporters: {prometheus_page: {endpoint: "%s"}, overview: {endpoint: "%s"}}, `+
		`extensions: {healthcheckv2: {http: {endpoint: "%s"}}}, `+
		`service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: %s, port: %s}}}}]}}}}`,
		c.page, freeAddress(t), freeAddress(t), host, port)
	ctx := context.WithoutCancel(t.Context()) // it stops when the test has ended
	c.command = exec.CommandContext(ctx, name, append(arguments, "--config", "yaml:"+addresses)...)
	c.command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environment...)
	var log bytes.Buffer
	c.command.Stdout, c.command.Stderr = &log, &log
	require.NoError(t, c.command.Start())
	c.stop = sync.OnceFunc(func() {
		_ = c.command.Process.Signal(syscall.SIGTERM)
		defer time.AfterFunc(30*time.Second, func() { _ = c.command.Process.Kill() }).Stop()
		assert.NoError(t, c.command.Wait(), "%s", &log)
	})
	t.Cleanup(c.stop)
	return c
}

// await polls the page for Prometheus until a line matches.
func (c *collector) await(t *testing.T, line string) {
	t.Helper()
	require.EventuallyWithT(t, func(ct *assert.CollectT) { assert.Regexp(ct, line, fetch(ct, c.page)) }, 30*time.Second, 100*time.Millisecond)
}

// assertVersion checks that the collector's own metrics have the version of the results as a resource attribute.
func (c *collector) assertVersion(t *testing.T) {
	t.Helper()
	assert.Regexp(t, `target_info{[^}]*service_version="`+regexp.QuoteMeta("v"+builtVersion(t))+`"`, fetch(t, c.telemetry))
}

// fetch returns the metrics that an address serves.
func fetch(t require.TestingT, address string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

// startEmulator starts an emulated ZLMediaKit and returns its URL.
func startEmulator(t *testing.T) string {
	t.Helper()
	address := freeAddress(t)
	command := exec.CommandContext(t.Context(), "../../bin/emulator", "-zlmediakit", address, "-secret", secret)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	return "http://" + address
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
