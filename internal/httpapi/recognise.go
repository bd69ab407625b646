// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// System is the name of a monitored system in errors.
type System string

// The monitored systems that can be recognised by their responses.
const (
	ZLMediaKit     System = "ZLMediaKit"
	Flussonic      System = "Flussonic"
	Kamailio       System = "Kamailio"
	RTPEngine      System = "rtpengine"
	JVB            System = "a JVB"
	Jicofo         System = "Jicofo"
	Jigasi         System = "Jigasi"
	Jibri          System = "Jibri"
	MediasoupAgent System = "mediasoup's agent"
	Edumeet        System = "edumeet"
)

// Other senders and kinds of documents that can be recognised.
const (
	jetty        System = "a Jetty server, such as JVB or Jicofo"
	htmlPage     System = "an HTML page"
	metricsPage  System = "a Prometheus page"
	jsonDocument System = "JSON"
)

// onJetty lists the systems that can send Jetty's error pages.
var onJetty = []System{JVB, Jicofo, Jigasi, Jibri}

// signatures lists the headers and beginnings of bodies that identify the sender of a response. The first match is used. A signature
// of a system is not known to occur in responses of another one.
var signatures = []struct {
	system System
	header string         // empty if no header is characteristic
	value  string         // prefix of the header's value
	body   *regexp.Regexp // nil if no body is characteristic
}{
	{ZLMediaKit, "Server", "ZLMediaKit", regexp.MustCompile(`<center>ZLMediaKit\(`)},
	{Kamailio, "Sia", "SIP/2.0/", nil}, // xhttp adds it to every response
	{MediasoupAgent, "", "", regexp.MustCompile(`^\s*\{\s*"schema":\s*"mediasoup\.snapshot"`)},
	{MediasoupAgent, "", "", regexp.MustCompile(`^\{"error":"(?:ask for /v1/snapshot|not found: the agent|(?:missing or wrong token: )?send the token of the agent|this agent has no token|without a token, the agent)`)},
	{Flussonic, "", "", regexp.MustCompile( // its errors have all members of JSON:API errors except links and detail
		`^\s*\{\s*"errors":\s*\[\s*\{\s*"id":[^,]*,\s*"status":[^,]*,\s*"code":[^,]*,\s*"title":[^,]*,\s*"source":[^,]*,\s*"meta":`)},
	{jetty, "Server", "Jetty(", regexp.MustCompile( // error pages in HTML, text and JSON
		`<h2>HTTP ERROR \d|^HTTP ERROR \d+ .*\s+URI: |^\{[^{}]*"servlet":\s*"org\.(?:eclipse\.jetty|glassfish\.jersey)\.`)},
	{JVB, "", "", familyBegins("jitsi_jvb_")},
	{Jicofo, "", "", familyBegins("jitsi_jicofo_")},
	{Jigasi, "", "", familyBegins("jitsi_jigasi_")},
	{Jibri, "", "", familyBegins("jitsi_jibri_")},
	{RTPEngine, "", "", familyBegins(`rtpengine_(?:sessions|mediastreams|transcoded_media)\b`)},
	{Flussonic, "", "", familyBegins(`flussonic_(?:version_info|boot_time_seconds)\b`)},
	{Edumeet, "", "", familyBegins(`edumeet_(?:rooms|peers)\b`)},
	{htmlPage, "Content-Type", "text/html", regexp.MustCompile(`^\s*<`)},
	{metricsPage, "", "", regexp.MustCompile(`(?m)^# (?:TYPE|HELP) [a-zA-Z_:]|^[a-zA-Z_:][\w:]*\{\w+=".*"\} [-+]?[\d.NI]`)},
	{jsonDocument, "", "", regexp.MustCompile(`^\s*(?:\{\s*(?:\}|"[^"]*"\s*:)|\[)`)},
}

// familyBegins matches a page of metrics with a family whose name begins with name.
func familyBegins(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:# (?:TYPE|HELP) )?` + name)
}

// exported matches labels of pages on which a collector or Prometheus exports the metrics of other programs.
var exported = regexp.MustCompile(`[{,](?:instance|job|otel_scope_name)="`)

// recognise returns the system that evidently sent a response with these first bytes, or the kind of document. It returns "" if in
// doubt.
func recognise(header http.Header, head []byte) System {
	if exported.Match(head) {
		return metricsPage
	}
	for _, s := range signatures {
		if s.header != "" && strings.HasPrefix(header.Get(s.header), s.value) || s.body != nil && s.body.Match(head) {
			return s.system
		}
	}
	return ""
}

// attribute makes an error name the sender of the response if it is evidently not the expected system.
func (c *Client) attribute(err error, resp *http.Response, b *body) error {
	if scrape.IsPartial(err) || !slices.Contains([]scrape.ErrorType{scrape.Status, scrape.Format, scrape.Authentication}, scrape.TypeOf(err)) {
		return err
	}
	e, known := errors.AsType[*Error](err)
	if !known {
		e = &Error{Kind: KindDecode}
	}
	from := c.other(resp, b)
	if from == "" || e.From != "" {
		return err
	}
	_, readAsPage := errors.AsType[*exposition.LineError](err)
	undecodable := e.Err != nil && !errors.Is(e.Err, io.ErrUnexpectedEOF)
	success := resp.StatusCode/100 == 2
	switch from {
	case htmlPage:
		if e.From = from; !success && !slices.Contains(misdirected, resp.StatusCode) {
			return err
		}
	case metricsPage:
		if !success || !undecodable || readAsPage {
			return err
		}
		e.Text = "a Prometheus page instead of the API's answer: " + b.quote()
	case jsonDocument:
		if !readAsPage {
			return err
		}
		e.Text = "JSON instead of a page of metrics: " + b.quote()
	default:
		e.Text = describe(resp, e.Kind) + " from " + string(from)
	}
	e.From, e.Hint, e.Err = from, c.advice(), nil
	return e
}

// misdirected lists the statuses with which servers refuse requests that are meant for another server.
var misdirected = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed}

// other returns the sender of the response, or "" if it can be the expected system.
func (c *Client) other(resp *http.Response, b *body) System {
	from := recognise(resp.Header, b.head)
	if from == c.System || from == jetty && slices.Contains(onJetty, c.System) {
		return ""
	}
	return from
}

// advice returns a hint for responses of another system. It is empty if the client expects no particular system.
func (c *Client) advice() string {
	if c.System == "" {
		return ""
	}
	return "check that the setting endpoint leads to " + string(c.System)
}

// describe describes a response without its body.
func describe(resp *http.Response, kind Kind) string {
	switch {
	case resp.StatusCode/100 != 2:
		return fmt.Sprintf("HTTP status %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	case kind == KindHTML:
		return "an HTML page"
	}
	return "an answer"
}
