// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// TestCertificate checks for each endpoint that the remaining time of its certificate is reported, whether the receiver accepts the
// certificate or not, and that an endpoint without TLS has none.
func TestCertificate(t *testing.T) {
	for i := range rtcEndpoints {
		endpoint := &rtcEndpoints[i]
		j := slices.IndexFunc(foreignSystems, func(s foreignSystem) bool { return endpoint.isRight(&s) })
		require.NotEqual(t, -1, j, endpoint.name)
		for name, tc := range map[string]struct {
			expiresIn, remaining time.Duration // remaining is 0 if there is no certificate
			tls                  map[string]any
			up                   float64
		}{
			"valid":            {expiresIn: 48 * time.Hour, remaining: 48 * time.Hour, tls: map[string]any{"insecure_skip_verify": true}, up: 1},
			"expired":          {expiresIn: -time.Hour, remaining: -time.Hour, tls: map[string]any{"insecure_skip_verify": true}, up: 1},
			"expired, refused": {expiresIn: -time.Hour, remaining: -time.Hour, up: 0},
			"without TLS":      {up: 1},
		} {
			t.Run(endpoint.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				url := foreignSystems[j].start(t)
				if tc.expiresIn != 0 {
					url = serveTLS(t, url, time.Now().Add(tc.expiresIn))
				}
				config := endpoint.config(t, url)
				client := config
				if endpoint.block != "" {
					client = config[endpoint.block].(map[string]any)
				}
				client["tls"] = tc.tls
				md, text := scrapeOnce(t, endpoint.factory, config)
				if endpoint.service == "" { // another server than the monitored one
					tc.remaining = 0
				} else {
					assert.InDelta(t, tc.up, upOf(t, md, endpoint.service), 0, text)
				}
				checkRemaining(t, md, endpoint.service, tc.remaining)
			})
		}
	}
}

// checkRemaining requires rtc.target.certificate.remaining of a service only, or none if want is 0.
func checkRemaining(t *testing.T, md pmetric.Metrics, service string, want time.Duration) {
	t.Helper()
	for _, rm := range md.ResourceMetrics().All() {
		only := pmetric.NewMetrics()
		rm.CopyTo(only.ResourceMetrics().AppendEmpty())
		seconds, there := rtctest.Points(t, only)["rtc.target.certificate.remaining{}"]
		name, _ := rm.Resource().Attributes().Get("service.name")
		require.Equal(t, want != 0 && name.Str() == service, there, name.Str())
		if there {
			assert.InDelta(t, want.Seconds(), seconds, 60)
		}
	}
}

// serveTLS starts a proxy with a certificate that is not signed by a known authority, and returns its URL.
func serveTLS(t *testing.T, server string, expires time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: expires}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	target, err := url.Parse(server)
	require.NoError(t, err)
	proxy := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	proxy.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
	proxy.Config.ErrorLog = log.New(io.Discard, "", 0) // of refused handshakes
	proxy.StartTLS()
	t.Cleanup(proxy.Close)
	return proxy.URL
}
