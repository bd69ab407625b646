// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write replaces a file by renaming another one over it.
func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(content), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// TestFiles checks that changes of files are noticed, and that a broken file keeps its targets.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.json")
	write(t, first, "- targets: [10.0.0.1, '10.0.0.2:8080']\n  labels: {site: fra, __scheme__: https}\n")
	f := startFleet(t, load(t, fmt.Sprintf("targets: {files: [%s/*.yaml, %s/*.json, %s/a.*]}", dir, dir, dir)))
	f.waitFor(t, "https://10.0.0.1", "https://10.0.0.2:8080")
	assert.Equal(t, map[string]string{"site": "fra"}, f.members.running["https://10.0.0.1"])

	write(t, second, `[{"targets": ["10.0.0.3"]}]`)
	f.waitFor(t, "https://10.0.0.1", "https://10.0.0.2:8080", "http://10.0.0.3")
	write(t, first, "- targets: [10.0.0.4]\n")
	f.waitFor(t, "http://10.0.0.3", "http://10.0.0.4")

	write(t, first, "- targets: [10.0.0.5]\n- targets:\n  - 10.0.0.6\n labels: {}\n")
	write(t, second, "[{\"targets\": [\"10.0.0.7\"]},\n{\"target\": []}]")
	require.Eventually(t, func() bool { return f.count("its last targets are kept") >= 2 }, waitTimeout, pollEvery)
	assert.Positive(t, f.count("yaml: line 3:"), "%v", f.messages())
	assert.Positive(t, f.count("line 2: json: unknown field"), "%v", f.messages())
	assert.Equal(t, []string{"http://10.0.0.3", "http://10.0.0.4"}, f.members.endpoints())

	write(t, second, `[{"targets": ["10.0.0.7"]}]`)
	f.waitFor(t, "http://10.0.0.4", "http://10.0.0.7")
	write(t, first, "- targets: [10.0.0.8, 'http://u:hunter2@b']\n")
	require.Eventually(t, func() bool { return f.count("target 2 of group 1: endpoint: must not hold a user name") == 1 }, waitTimeout, pollEvery)
	assert.Zero(t, f.count("hunter2"))
	write(t, first, "")
	f.waitFor(t, "http://10.0.0.7")

	require.NoError(t, os.Remove(second))
	require.Eventually(t, func() bool { return f.count("no such file") == 1 }, waitTimeout, pollEvery)
	assert.Equal(t, []string{"http://10.0.0.7"}, f.members.endpoints(), "a pattern without files keeps the targets")
	write(t, filepath.Join(dir, "c.json"), "[]")
	f.waitFor(t)
}

// TestConfigMap checks that an update of a Kubernetes volume is noticed: it renames a symbolic link to the directory of the files.
func TestConfigMap(t *testing.T) {
	dir := t.TempDir()
	update := func(version, address string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "zlm.yaml"), "- targets: ["+address+"]\n")
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	update("..1", "10.0.0.1")
	require.NoError(t, os.Symlink("..data/zlm.yaml", filepath.Join(dir, "zlm.yaml")))
	f := startFleet(t, load(t, fmt.Sprintf("targets: {files: [%s/*.yaml]}", dir)))
	f.waitFor(t, "http://10.0.0.1")
	update("..2", "10.0.0.2")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "..1")))
	f.waitFor(t, "http://10.0.0.2")
}

// TestFilesArePolled checks that files are found without notifications.
func TestFilesArePolled(t *testing.T) {
	dir := t.TempDir()
	f := newTestFleet(t, load(t, fmt.Sprintf("targets: {files: [%s/*/a.yaml]}", dir)))
	require.NoError(t, f.addSources(t.Context(), f.events))
	f.sources[0].wake, f.sources[0].interval = nil, time.Millisecond
	require.NoError(t, f.startSources(t.Context()))
	require.Eventually(t, func() bool { return f.count("no file matches") == 1 }, waitTimeout, pollEvery)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "x"), 0o700))
	write(t, filepath.Join(dir, "x", "a.yaml"), "- targets: [10.0.0.1]\n")
	f.waitFor(t, "http://10.0.0.1")
	require.NoError(t, f.Shutdown(t.Context()))
}

// TestLargeFile checks that the size of files is limited.
func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, maxDocument+1))
	_, err := (&fileFinder{}).read(path)
	require.EqualError(t, err, "larger than 16 MiB")
}

func TestHTTP(t *testing.T) {
	var mu sync.Mutex
	body := func(contentType, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, text)
		}
	}
	status := func(code int, location string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Location", location)
			w.WriteHeader(code)
		}
	}
	respond := body("application/json", `[{"targets": ["10.0.0.1"], "labels": {"site": "fra"}}]`)
	answer := func(f func(w http.ResponseWriter)) {
		mu.Lock()
		defer mu.Unlock()
		respond = f
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, "/zlm/?key=hunter2", r.URL.String())
		assert.Equal(t, "Bearer hunter3", r.Header.Get("Authorization"))
		respond(w)
	}))
	defer server.Close()
	cfg := load(t, fmt.Sprintf("targets: {http: {endpoint: '%s/zlm/?key=hunter2', headers: {Authorization: Bearer hunter3}}}", server.URL))
	cfg.Targets.Get().HTTP.Get().RefreshInterval = time.Millisecond
	f := startFleet(t, cfg)
	f.waitFor(t, "http://10.0.0.1")
	assert.Equal(t, map[string]string{"site": "fra"}, f.members.running["http://10.0.0.1"])

	for _, failure := range []struct {
		respond func(w http.ResponseWriter)
		want    string
	}{
		{status(http.StatusInternalServerError, ""), "HTTP status 500"},
		{body("application/json", `{"targets": []}`), "line 1: json: cannot unmarshal object"},
		{body("application/json", `[]{}`), "text after the list"},
		{body("application/json", `[{"targets": ["10.0.0.2", "a b"]}]`), "target 2 of group 1: endpoint: must be"},
		{status(http.StatusFound, "http://elsewhere/"), "redirect to another host, elsewhere"},
		{body("text/html", "<html>hunter3"), "an HTML page"},
	} {
		answer(failure.respond)
		require.Eventually(t, func() bool { return f.count(failure.want) == 1 }, waitTimeout, pollEvery, "%s: %v", failure.want, f.messages())
		assert.Equal(t, []string{"http://10.0.0.1"}, f.members.endpoints())
	}
	answer(body("application/json", `[{"targets": ["10.0.0.3"]}]`))
	f.waitFor(t, "http://10.0.0.3")
	for _, entry := range f.logs.All() {
		assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "hunter")
	}
	assert.Equal(t, 1, f.count("works again"))
}

// nameServer is a DNS server on the loopback interface whose records can be changed.
type nameServer struct {
	mu      sync.Mutex
	records map[string][]string // in the format of zone files, by type and name
	code    int                 // of all answers
	clients []net.Conn
}

// startNameServer starts a server and returns it with a resolver that uses it.
func startNameServer(t *testing.T) (*nameServer, *net.Resolver) {
	t.Helper()
	s := &nameServer{records: map[string][]string{}}
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &dns.Server{PacketConn: conn, Handler: s}
	ready := make(chan struct{})
	server.NotifyStartedFunc = func() { close(ready) }
	go func() { _ = server.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown())
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, client := range s.clients { // queries without an answer end now instead of after 5 s
			_ = client.Close()
		}
	})
	return s, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		client, err := (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil {
			s.clients = append(s.clients, client)
		}
		return client, err
	}}
}

// set replaces the records of a question, such as "A jvb.example.".
func (s *nameServer) set(code int, question string, records ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.records[question] = code, records
}

// ServeDNS implements dns.Handler.
func (s *nameServer) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := new(dns.Msg).SetRcode(query, s.code)
	reply.RecursionAvailable = true
	for _, text := range s.records[dns.TypeToString[query.Question[0].Qtype]+" "+query.Question[0].Name] {
		if record, err := dns.NewRR(text); err == nil {
			reply.Answer = append(reply.Answer, record)
		}
	}
	_ = w.WriteMsg(reply)
}

// TestDNS checks that targets follow the records, that they are kept while the server fails, and that a name without records has none.
func TestDNS(t *testing.T) {
	server, resolver := startNameServer(t)
	server.set(dns.RcodeSuccess, "A jvb.example.", "jvb.example. 1 A 10.0.0.1", "jvb.example. 1 A 10.0.0.2")
	server.set(dns.RcodeSuccess, "AAAA jvb.example.", "jvb.example. 1 AAAA fd00::1")
	server.set(dns.RcodeSuccess, "SRV _http._tcp.jvb.example.",
		"_http._tcp.jvb.example. 1 SRV 0 0 8080 a.jvb.example.", "_http._tcp.jvb.example. 1 SRV 0 0 8081 a.jvb.example.")
	cfg := load(t, `
targets: {scheme: https, dns: [
  {name: jvb.example., type: A, port: 80}, {name: jvb.example., type: AAAA, port: 81}, {name: _http._tcp.jvb.example., type: SRV}]}
`)
	for i := range cfg.Targets.Get().DNS {
		cfg.Targets.Get().DNS[i].RefreshInterval = time.Millisecond
	}
	f := newTestFleet(t, cfg)
	f.resolver = resolver
	f.start(t)
	others := []string{"https://[fd00::1]:81", "https://a.jvb.example:8080", "https://a.jvb.example:8081"}
	f.waitFor(t, append([]string{"https://10.0.0.1:80", "https://10.0.0.2:80"}, others...)...)
	f.fleet.mu.Lock()
	assert.Equal(t, "jvb.example", f.fleet.members["https://10.0.0.1:80"].Name)
	assert.Empty(t, f.fleet.members["https://a.jvb.example:8080"].Name)
	f.fleet.mu.Unlock()

	server.set(dns.RcodeSuccess, "A jvb.example.", "jvb.example. 1 A 10.0.0.2", "jvb.example. 1 A 10.0.0.3")
	moved := append([]string{"https://10.0.0.2:80", "https://10.0.0.3:80"}, others...)
	f.waitFor(t, moved...)
	server.set(dns.RcodeServerFailure, "A jvb.example.")
	require.Eventually(t, func() bool { return f.count("the source of targets fails") == 3 }, waitTimeout, pollEvery, "%v", f.messages())
	f.waitFor(t, moved...)
	server.set(dns.RcodeSuccess, "A jvb.example.")
	f.waitFor(t, others...)
	server.set(dns.RcodeNameError, "AAAA jvb.example.")
	server.set(dns.RcodeNameError, "SRV _http._tcp.jvb.example.")
	f.waitFor(t)
	assert.Equal(t, 3, f.count("the source has no targets"))
}

// TestAllowedNetworksFollowNames checks that a host is refused as soon as its name leads elsewhere, but not while it cannot be resolved.
func TestAllowedNetworksFollowNames(t *testing.T) {
	server, resolver := startNameServer(t)
	server.set(dns.RcodeSuccess, "A zlm.example.", "zlm.example. 1 A 10.0.0.1")
	f, c := startChanging(t, `targets: {static: [a]}`, func(f *testFleet) {
		f.extra.allowed = newAddressFilter(resolver, []string{"10.0.0.0/8"})
	})
	refresh := func() { c.setTargets("http://zlm.example.") }
	refresh()
	f.waitFor(t, "http://a", "http://zlm.example.")
	server.set(dns.RcodeServerFailure, "A zlm.example.")
	for range 3 {
		refresh()
	}
	assert.Equal(t, []string{"http://a", "http://zlm.example."}, f.members.endpoints())
	assert.Zero(t, f.count("targets are refused"))
	server.set(dns.RcodeSuccess, "A zlm.example.", "zlm.example. 1 A 192.0.2.1")
	refresh()
	f.waitFor(t, "http://a")
	assert.Equal(t, 1, f.count("targets are refused"))
}

// TestSockets checks that sockets are targets while they exist.
func TestSockets(t *testing.T) {
	dir, err := os.MkdirTemp("", "fleet") //nolint:usetesting // the path of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "c.sock"), nil, 0o600))
	listen := func(name string) net.Listener {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, name))
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	a := listen("a.sock")
	cfg := defaultExample()
	cfg.ClientConfig.Endpoint = ""
	cfg.Targets.GetOrInsertDefault().Sockets = []string{filepath.Join(dir, "*.sock")}
	f := newTestFleet(t, load(t, `targets: {static: [x]}`))
	f.fleet.endpoints[0].Targets = &cfg.Targets
	f.start(t)
	f.waitFor(t, "unix://"+dir+"/a.sock")
	listen("b.sock")
	f.waitFor(t, "unix://"+dir+"/a.sock", "unix://"+dir+"/b.sock")
	require.NoError(t, a.Close())
	f.waitFor(t, "unix://"+dir+"/b.sock")
}
