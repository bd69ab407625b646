// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

const (
	captures = "../../testdata/jitsi"
	// shared holds responses published by others, which are read in place and never copied.
	shared = "../../../shared/testdata/jitsi"
)

// answers holds the responses of a component by path: the name of a captured file, or a literal body after a leading space.
type answers map[string]string

// fakeServer is a component that responds with files. Other paths are not found.
type fakeServer struct {
	*httptest.Server
	t       testing.TB
	folder  string
	mu      sync.Mutex
	answers answers
	status  map[string]int // by path; 200 if absent
	asked   []string
}

func serve(t testing.TB, folder string, a answers) *fakeServer {
	t.Helper()
	s := &fakeServer{t: t, folder: folder, answers: a}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer, ok := s.answers[r.URL.Path]
	s.asked = append(s.asked, r.URL.Path)
	s.mu.Unlock()
	accept := "application/json"
	if r.URL.Path == apiMetrics {
		accept = "text/plain; version=0.0.4"
	}
	assert.Equal(s.t, []string{accept}, r.Header.Values("Accept"), r.URL.Path)
	assert.Equal(s.t, http.MethodGet, r.Method)
	if status := s.status[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	text := []byte(strings.TrimPrefix(answer, " "))
	if !strings.HasPrefix(answer, " ") {
		var err error
		text, err = os.ReadFile(filepath.Join(s.folder, answer))
		assert.NoError(s.t, err)
	}
	w.Header().Set("Content-Type", accept)
	_, _ = w.Write(text)
}

// change replaces the responses, unless a is nil, and returns the paths requested since the last change.
func (s *fakeServer) change(a answers) (asked []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked, s.asked = s.asked, nil
	if a != nil {
		s.answers = a
	}
	return asked
}

// system is a started system with the scrapers of its components.
type system struct {
	*scrape.System
	scrapers []*scraper
}

// startSystem starts a system with the default configuration, changed by the edits.
func startSystem(t testing.TB, edit ...func(*Config)) (*system, *observer.ObservedLogs) {
	t.Helper()
	cfg := createDefaultConfig()
	for _, e := range edit {
		if e != nil {
			e(cfg)
		}
	}
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	s := &system{}
	s.System = scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) (runners []*scrape.Runner, err error) {
		s.scrapers, err = newScrapers(ctx, cfg, host, set)
		for _, one := range s.scrapers {
			runners = append(runners, one.run)
		}
		return runners, err
	})
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, s.Shutdown(context.Background())) })
	return s, logs
}

// at sets the endpoint of a component.
func at(block, url string) func(*Config) {
	return func(c *Config) {
		for _, b := range c.components() {
			if b.name == block {
				b.ClientConfig.Endpoint = url
			}
		}
	}
}

// everything enables all metrics and resource attributes.
func everything(c *Config) {
	rtctest.EnableAll(&c.MetricsBuilderConfig.Metrics)
	rtctest.EnableAll(&c.MetricsBuilderConfig.ResourceAttributes)
}

// scene holds the responses of a component of some version.
type scene struct {
	name, block string
	answers     answers
}

const (
	jvb1      = "colibri-stats.constructed-1.x-stable-4101.json"
	jvb2      = "colibri-stats.constructed-2.3.92-stable-9364.json"
	jvb3      = "colibri-stats.constructed-2.3.312-master-2026-08-19.json"
	jvbPage   = "metrics.constructed-2.3.312-master.004.txt"
	jvbPage2  = "metrics.constructed-2.3.92-stable-9364.004.txt"
	focus     = "stats.constructed-master-2026-08-19.json"
	focusPage = "metrics.constructed-master-2026-08-19.004.txt"
	gateway   = "about-stats.constructed-master-2026-06-17.json"
	about     = "about-version.json"
	// gatewayAbout is about-version.json of Jigasi.
	gatewayAbout = "about-version.constructed-master-2026-06-17.json"
)

var scenes = []scene{
	{"jvb_1", "jvb", answers{apiColibri: jvb1, apiVersion: about}},
	{"jvb_2.3.92", "jvb", answers{apiColibri: jvb2}},
	{"jvb_2.3.92_page", "jvb", answers{apiMetrics: jvbPage2, apiVersion: about}},
	{"jvb_2.3.312_stats", "jvb", answers{apiColibri: jvb3}},
	{"jvb_export_page", "jvb", answers{apiMetrics: "metrics.constructed-master-2026-07-export.004.txt"}},
	{"jvb_2.3.312_page", "jvb", answers{apiMetrics: jvbPage, apiVersion: about}},
	{"jvb_2.3.312", "jvb", answers{apiColibri: jvb3, apiMetrics: jvbPage}},
	{"jvb_2.1.169_idle", "jvb", answers{apiColibri: "colibri-stats.like-real-2.1.169-idle.json"}},
	{"jvb_2.1.508_active", "jvb", answers{apiColibri: "colibri-stats.like-real-2.1.508-active.json"}},
	{"jvb_2.3.168_idle", "jvb", answers{apiColibri: "colibri-stats.like-real-2.3.168-idle.json"}},
	{"jicofo", "jicofo", answers{apiStats: focus, apiMetrics: focusPage}},
	{"jicofo_stats", "jicofo", answers{apiStats: focus}},
	{"jicofo_page", "jicofo", answers{apiMetrics: focusPage}},
	{"jicofo_2021", "jicofo", answers{apiStats: "stats.like-real-2021-04-two-participants.json"}},
	{"jicofo_2022", "jicofo", answers{apiStats: "stats.like-real-2022-07-idle.json"}},
	{"jigasi", "jigasi", answers{apiAboutStats: gateway, apiHealth: " {}", apiVersion: gatewayAbout}},
	{"jigasi_page", "jigasi", answers{apiMetrics: "metrics.constructed-master-2026-06-17.004.txt", apiHealth: " {}", apiVersion: gatewayAbout}},
	{"jibri_idle", "jibri", answers{apiJibri: "health.idle.json"}},
	{"jibri_busy", "jibri", answers{apiJibri: "health.busy.constructed.json", apiMetrics: "metrics.constructed-master-2026-08-05.004.txt"}},
}

// captured is the time of the newest captures.
var captured = time.Unix(1787187723, 0)

func TestScenes(t *testing.T) {
	for _, scene := range scenes {
		for suffix, edit := range map[string]func(*Config){"": nil, "_everything": everything} {
			t.Run(scene.name+suffix, func(t *testing.T) {
				server := serve(t, filepath.Join(captures, scene.block), scene.answers)
				s, _ := startSystem(t, at(scene.block, server.URL), edit)
				s.SetClock(func() time.Time { return captured })
				metrics, err := s.Scrape(t.Context())
				require.NoError(t, err)
				rtctest.Golden(t, scene.name+suffix, metrics)
				rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), scene.name+suffix, rtctest.Points(t, metrics))
			})
		}
	}
}
