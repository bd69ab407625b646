// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"bytes"
	"embed"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

//go:embed assets
var assets embed.FS

var pageTemplate = template.Must(template.ParseFS(assets, "assets/page.html"))

// policy allows nothing but the page's own style sheet, script, images and data.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// handler serves the pages and what they load.
func (e *overviewExporter) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		e.render(w, http.StatusOK, e.fleetPage(parameters{"./", r.URL.Query()}))
	})
	mux.HandleFunc("GET /target", func(w http.ResponseWriter, r *http.Request) {
		view, status := e.targetPage(parameters{"target", r.URL.Query()}), http.StatusOK
		if view == nil {
			view, status = unknownTarget(e.now()), http.StatusNotFound
		}
		e.render(w, status, view)
	})
	for _, name := range []string{"style.css", "script.js", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, assets, "assets/"+name)
		})
	}
	return e.secure(mux)
}

// unknownTarget is the page for a target that is not known, or not any more.
func unknownTarget(now time.Time) *page {
	return &page{
		Title: "Server not found", Time: now.Format(time.TimeOnly), Tone: string(neutral),
		Summary: "This server is not known. It has not sent data for an hour, or the collector was restarted.",
	}
}

// secure sets the headers of all responses. If only this machine can reach the endpoint, it refuses requests for other host names, which
// come from web pages that resolve their own name to this machine.
func (e *overviewExporter) secure(next http.Handler) http.Handler {
	loopback := e.config.loopback()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		if loopback && !isLoopback(hostName(r.Host)) {
			http.Error(w, "this page is served for localhost only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName returns the name or address in a Host header.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.ToLower(host)
}

// render writes a page.
func (e *overviewExporter) render(w http.ResponseWriter, status int, view *page) {
	var buffer bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&buffer, "page", view); err != nil {
		e.settings.Logger.Error("cannot render the overview page", zap.Error(err))
		http.Error(w, "cannot render the page, see the collector's log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = buffer.WriteTo(w) // the client has gone
}
