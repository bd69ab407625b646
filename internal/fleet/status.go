// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// namedTargets is the maximum number of targets that the status names.
const namedTargets = 5

// status reports the number of targets that are down as the status of the receiver. Its errors are recoverable: servers that are down
// must not restart the collector.
type status struct {
	host component.Host

	mu     sync.Mutex
	total  int
	down   map[string]string // endpoints, by key
	text   string            // last error reported; empty if all targets are up
	closed bool
}

// memberHost passes the status of one target to the status of the receiver.
type memberHost struct {
	component.Host
	report func(*componentstatus.Event)
}

// Report implements componentstatus.Reporter.
func (h *memberHost) Report(event *componentstatus.Event) { h.report(event) }

// hostOf returns the host of the member with the key.
func (s *status) hostOf(key, endpoint string) component.Host {
	return &memberHost{s.host, func(event *componentstatus.Event) {
		s.update(func() {
			delete(s.down, key)
			if event.Err() != nil {
				s.down[key] = endpoint
			}
		})
	}}
}

func (s *status) setTotal(n int) { s.update(func() { s.total = n }) }

func (s *status) remove(key string) { s.update(func() { delete(s.down, key) }) }

func (s *status) close() { s.update(func() { s.closed = true }) }

// update makes a change and reports the status if it differs from the last one.
func (s *status) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	text := s.describe()
	if s.closed || text == s.text {
		return
	}
	s.text = text
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if text != "" {
		event = componentstatus.NewRecoverableErrorEvent(errors.New(text))
	}
	componentstatus.ReportStatus(s.host, event)
}

// describe returns how many targets are down, and the names of some.
func (s *status) describe() string {
	if len(s.down) == 0 {
		return ""
	}
	names := slices.Sorted(maps.Values(s.down))
	if len(names) > namedTargets {
		names = append(names[:namedTargets], "...")
	}
	return fmt.Sprintf("%d of %d targets down: %s", len(s.down), s.total, strings.Join(names, ", "))
}
