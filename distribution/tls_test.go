// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// certificate is a certificate of 127.0.0.1, which signs itself, for a server or a client.
type certificate struct{ certFile, keyFile string }

func newCertificate(t *testing.T) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
		return path
	}
	return certificate{write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private)}
}

// tlsEnv returns the environment variables that tls.yaml requires.
func tlsEnv(server, client certificate) []string {
	return []string{"PAGE_CERT=" + server.certFile, "PAGE_KEY=" + server.keyFile, "PAGE_CLIENT_CA=" + client.certFile}
}

// TestPageWithTLS checks that only clients with a certificate can read the page of tls.yaml.
func TestPageWithTLS(t *testing.T) {
	t.Parallel()
	own, prometheus, stranger := newCertificate(t), newCertificate(t), newCertificate(t)
	env := append(tlsEnv(own, prometheus), "ZLMEDIAKIT_ENDPOINT="+startZLMediaKit(t, zlmediakit.Options{}).URL())
	c := start(t, env, shipped("zlmediakit.yaml"), shipped("tls.yaml"), immediately)
	url := strings.Replace(c.Page, "http:", "https:", 1)

	roots := x509.NewCertPool()
	trusted, err := os.ReadFile(own.certFile)
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(trusted))
	clientOf := func(client certificate) *http.Client {
		pair, err := tls.LoadX509KeyPair(client.certFile, client.keyFile)
		require.NoError(t, err)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport, Timeout: waitTimeout}
	}
	read := func(client *http.Client) (string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		return content(resp)
	}
	eventually(t, func(ct *assert.CollectT) {
		page, err := read(clientOf(prometheus))
		require.NoError(ct, err)
		assert.Contains(ct, page, "\nrtc_target_up{")
	})
	_, err = read(clientOf(stranger))
	require.ErrorContains(t, err, "tls: ")
	_, err = read(&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}})
	require.ErrorContains(t, err, "tls: ")
	page, err := read(&http.Client{Transport: http.DefaultTransport, Timeout: waitTimeout})
	require.Error(t, err, page)
	c.Stop(t)
}
