// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is a way in which a server misbehaves.
type Fault struct {
	// Name identifies the fault in SetFault and in the control call.
	Name string
	// Doc describes what a client observes.
	Doc string
	// Whole reports whether the fault affects the whole server and cannot be limited to single APIs.
	Whole bool
}

// The names of the faults of the whole server.
const (
	Refuse  = "refuse"
	Restart = "restart"
)

// Faults lists all faults. Each protocol implements them: see httpFaults for HTTP and package kamailio for BINRPC.
var Faults = []Fault{
	{Name: Refuse, Doc: "nothing listens: connection refused", Whole: true},
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
	{Name: Restart, Doc: "once: every connection closes and the counters begin at 0", Whole: true},
}

// checkFault returns an error unless a fault has this name and can be limited to apis.
func checkFault(name string, apis []string) error {
	at := slices.IndexFunc(Faults, func(f Fault) bool { return f.Name == name })
	if at < 0 {
		names := make([]string, len(Faults))
		for i, f := range Faults {
			names[i] = f.Name
		}
		return fmt.Errorf("no fault is named %q, there are %s", name, strings.Join(names, ", "))
	}
	if Faults[at].Whole && len(apis) > 0 {
		return fmt.Errorf("fault %s concerns the whole server and cannot be limited to %s", name, strings.Join(apis, ", "))
	}
	return nil
}
