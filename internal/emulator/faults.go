// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one way to misbehave.
type Fault struct {
	// Name is what SetFault and the control call it.
	Name string
	// Doc says what a client sees.
	Doc string

	whole bool // concerns the server as a whole, never single APIs
}

// The faults that are more than another answer.
const (
	refuse  = "refuse"
	restart = "restart"
)

// Faults lists every fault. How a protocol does it is the protocol's own matter: httpFaults for HTTP, binrpcFaults
// for BINRPC, which does what is nearest where a fault is of HTTP alone.
var Faults = []Fault{
	{Name: refuse, Doc: "nothing listens: connection refused", whole: true},
	{Name: "reset", Doc: "the connection is reset after the request"},
	{Name: "hang", Doc: "the request is read and never answered"},
	{Name: "slow_header", Doc: "the header arrives byte by byte and never ends"},
	{Name: "slow_body", Doc: "the body arrives byte by byte and never ends"},
	{Name: "endless_body", Doc: "the body begins like an answer, arrives at full speed and never ends"},
	{Name: "cut_body", Doc: "the connection closes after half of the announced body"},
	{Name: "gzip_bomb", Doc: "a small compressed body that unpacks to more than 1 GiB"},
	{Name: "status_500", Doc: "HTTP 500 with a line of text"},
	{Name: "status_401", Doc: "HTTP 401 with a line of text"},
	{Name: "status_403", Doc: "HTTP 403 with a line of text"},
	{Name: "status_429", Doc: "HTTP 429 with a line of text, and when to come back"},
	{Name: "html_404", Doc: "HTTP 404 with an HTML page, as from a proxy in front"},
	{Name: "redirect_elsewhere", Doc: "HTTP 302 to another host"},
	{Name: "wrong_secret", Doc: "the answer to a wrong secret, whatever was sent"},
	{Name: "invalid_json", Doc: "half of the answer, as if it were the whole"},
	{Name: "wrong_types", Doc: "the answer with lists turned into objects, numbers into strings and objects"},
	{Name: "invalid_utf8", Doc: "the answer with bytes in its strings that are no UTF-8"},
	{Name: "numbers_out_of_range", Doc: "the answer with numbers that are too large, too small or negative"},
	{Name: "deep_nesting", Doc: "the answer with lists and objects nested 9,000 deep"},
	{Name: restart, Doc: "once: every connection closes and the counters begin at 0", whole: true},
}

// findFault looks name up and checks that it can be limited to apis.
func findFault(name string, apis []string) (Fault, error) {
	at := slices.IndexFunc(Faults, func(f Fault) bool { return f.Name == name })
	if at < 0 {
		names := make([]string, len(Faults))
		for i, f := range Faults {
			names[i] = f.Name
		}
		return Fault{}, fmt.Errorf("no fault is named %q, there are %s", name, strings.Join(names, ", "))
	}
	if Faults[at].whole && len(apis) > 0 {
		return Fault{}, fmt.Errorf("fault %s concerns the whole server and cannot be limited to %s", name, strings.Join(apis, ", "))
	}
	return Faults[at], nil
}
