// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailiotest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// configure writes the configuration of Kamailio. The common part is included from testdata/kamailio/config.
func (s *Server) configure(t testing.TB) {
	t.Helper()
	targets, err := os.ReadFile(testdata(t, "config", "dispatcher.list"))
	require.NoError(t, err)
	s.write(t, "dispatcher.list", strings.ReplaceAll(string(targets), "CALLEE", s.callee))

	var cfg strings.Builder
	cfg.WriteString("#!KAMAILIO\n")
	for _, d := range s.defines(t) {
		fmt.Fprintf(&cfg, "#!define %s %s\n", d[0], d[1])
	}
	common := "kamailio.cfg"
	if s.options.Minimal {
		common = "kamailio-minimal.cfg"
	}
	fmt.Fprintf(&cfg, "include_file %q\n", testdata(t, "config", common))
	for _, name := range s.options.Statistics {
		fmt.Fprintf(&cfg, "modparam(\"statistics\", \"variable\", %q)\n", name)
	}
	s.write(t, "kamailio.cfg", cfg.String())
}

// defines returns the definitions for kamailio.cfg that differ between servers.
func (s *Server) defines(t testing.TB) [][2]string {
	t.Helper()
	interval := "0"
	if s.options.Probing {
		interval = "1"
	}
	defines := [][2]string{
		{"SIP_PORT", portOf(t, s.SIP)},
		{"CTL_UNIX", quoted("unixs:" + strings.TrimPrefix(s.Unix, "unix://"))},
		{"CTL_TCP", quoted("tcp:" + hostOf(s.TCP))},
		{"DISPATCHER_LIST", quoted(filepath.Join(s.dir, "dispatcher.list"))},
		{"PROBE_INTERVAL", interval},
	}
	if s.options.RTPEngine {
		defines = append(defines, [2]string{"RTPENGINE_SOCK", quoted("udp:" + s.ng)})
	}
	if s.options.TLS {
		key, certificate := s.makeCertificate(t)
		defines = append(defines, [][2]string{{"TLS_PORT", portOf(t, s.TLS)}, {"TLS_KEY", quoted(key)}, {"TLS_CERT", quoted(certificate)}}...)
	}
	if s.options.DMQ {
		address := freeAddress(t)
		defines = append(defines, [][2]string{{"DMQ_PORT", portOf(t, address)}, {"DMQ_ADDRESS", quoted("sip:" + address)}}...)
	}
	if s.options.WithoutKex {
		defines = append(defines, [2]string{"WITHOUT_KEX", ""})
	}
	if s.options.WithoutTM {
		defines = append(defines, [2]string{"WITHOUT_TM", ""})
	}
	return defines
}

func quoted(s string) string { return `"` + s + `"` }

// write writes a file in the directory of the server and returns its path.
func (s *Server) write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) //nolint:gosec // a temporary directory
	return path
}

// makeCertificate writes a key and a self-signed certificate.
func (s *Server) makeCertificate(t testing.TB) (keyFile, certificateFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.ParseIP(loopback)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return s.write(t, "key.pem", encodePEM("PRIVATE KEY", secret)), s.write(t, "certificate.pem", encodePEM("CERTIFICATE", certificate))
}

func encodePEM(name string, content []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: name, Bytes: content}))
}

// hostOf returns the host and port of a URL.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // newServer made the address
	}
	return u.Host
}
