// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Mediasoup are the options of an emulated agent in a mediasoup application.
type Mediasoup struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Capture is the version of mediasoup and the reading of it in testdata/mediasoup: "3.12.16-a" when empty.
	Capture string
	// Token is what a bearer has to show; anybody may read when it is empty.
	Token string
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	mediasoupSnapshot = "/v1/snapshot"
	mediasoupHealth   = "/v1/health"
)

type mediasoup struct {
	Mediasoup
	body []byte
}

// NewMediasoup starts an emulated agent.
func NewMediasoup(o Mediasoup) (*Server, error) {
	if o.Capture == "" {
		o.Capture = "3.12.16-a"
	}
	m := &mediasoup{Mediasoup: o}
	var err error
	if m.body, err = fs.ReadFile(testdata.Files, "mediasoup/snapshot-"+o.Capture+".json"); err != nil {
		return nil, fmt.Errorf("%q is no captured snapshot: %w", o.Capture, err)
	}
	return newServer(o.Addr, system{
		api:     func(r *http.Request) string { return r.URL.Path },
		answer:  m.answer,
		denied:  unauthorizedBearer,
		restart: func() {},
	})
}

// unauthorizedBearer is the answer to a wrong token.
func unauthorizedBearer() answer {
	denied := jsonAnswer(http.StatusUnauthorized, `{"error":"unauthorized"}`)
	denied.header.Set("Www-Authenticate", "Bearer")
	return denied
}

func jsonAnswer(status int, body string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(body)}
}

// answer answers as the contract of testdata/mediasoup/snapshot.schema.json says.
func (m *mediasoup) answer(r *http.Request) answer {
	path := r.URL.Path
	switch {
	case path != mediasoupSnapshot && path != mediasoupHealth:
		return jsonAnswer(http.StatusNotFound, `{"error":"not found"}`)
	case r.Method != http.MethodGet:
		refused := jsonAnswer(http.StatusMethodNotAllowed, `{"error":"method not allowed"}`)
		refused.header.Set("Allow", http.MethodGet)
		return refused
	case m.Token != "" && r.Header.Get("Authorization") != "Bearer "+m.Token:
		return unauthorizedBearer()
	case path == mediasoupHealth:
		return jsonAnswer(http.StatusOK, `{"status":"ok"}`)
	}
	reading := jsonAnswer(http.StatusOK, "")
	reading.body = m.body
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		reading.header.Set("Content-Encoding", "gzip")
		reading.body = packed(reading.body)
	}
	return reading
}

// packed is a body as gzip, fast rather than small.
func packed(body []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // the level exists
	_, _ = w.Write(body)                              // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
