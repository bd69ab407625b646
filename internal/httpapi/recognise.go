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

// The monitored systems that can be recognised by their answers.
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

// What is recognised of other servers.
const (
	jetty        System = "a Jetty server, such as JVB or Jicofo"
	htmlPage     System = "an HTML page"
	metricsPage  System = "a Prometheus page"
	jsonDocument System = "JSON"
)

// onJetty are the systems whose error pages may be Jetty's.
var onJetty = []System{JVB, Jicofo, Jigasi, Jibri}

// signatures are the headers, and the first bytes of bodies, by which an answer is recognised. The first that fits counts. No other
// system is known to send those of a system.
var signatures = []struct {
	system System
	header string         // empty where none is characteristic
	value  string         // with which the header's begins
	body   *regexp.Regexp // nil where none is characteristic
}{
	{ZLMediaKit, "Server", "ZLMediaKit", regexp.MustCompile(`<center>ZLMediaKit\(`)},
	{Kamailio, "Sia", "SIP/2.0/", nil}, // xhttp adds it to every answer
	{MediasoupAgent, "", "", regexp.MustCompile(`^\s*\{\s*"schema":\s*"mediasoup\.snapshot"`)},
	{MediasoupAgent, "", "", regexp.MustCompile(`^\{"error":"(?:ask for /v1/snapshot|(?:missing or wrong token: )?send the token of the agent|this agent has no token)`)},
	{Flussonic, "", "", regexp.MustCompile( // its errors have all members that JSON:API knows but links and detail
		`^\s*\{\s*"errors":\s*\[\s*\{\s*"id":[^,]*,\s*"status":[^,]*,\s*"code":[^,]*,\s*"title":[^,]*,\s*"source":[^,]*,\s*"meta":`)},
	{jetty, "Server", "Jetty(", regexp.MustCompile( // its error pages in HTML, text and JSON
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

// familyBegins matches a page of metrics that has a family whose name begins so.
func familyBegins(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:# (?:TYPE|HELP) )?` + name)
}

// exported matches labels of pages on which a collector, or Prometheus, exports the metrics of others.
var exported = regexp.MustCompile(`[{,](?:instance|job|otel_scope_name)="`)

// recognise returns who evidently sent an answer with these first bytes: a system, or else the kind of document. It returns nothing
// in doubt.
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

// attribute makes an error name who answered, where this is evidently not the system that the client asks.
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

// misdirected are the statuses with which servers refuse requests that are meant for another one.
var misdirected = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed}

// other returns who answered, or nothing where it may be the system that the client asks.
func (c *Client) other(resp *http.Response, b *body) System {
	from := recognise(resp.Header, b.head)
	if from == c.System || from == jetty && slices.Contains(onJetty, c.System) {
		return ""
	}
	return from
}

// advice says what to check where another system answers. It is empty where the client does not say which one it asks, and the usual
// advice is given.
func (c *Client) advice() string {
	if c.System == "" {
		return ""
	}
	return "check that the setting endpoint leads to " + string(c.System)
}

// describe says what came back, without its body.
func describe(resp *http.Response, kind Kind) string {
	switch {
	case resp.StatusCode/100 != 2:
		return fmt.Sprintf("HTTP status %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	case kind == KindHTML:
		return "an HTML page"
	}
	return "an answer"
}
