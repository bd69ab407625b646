// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// source is one of the settings that list targets. It remembers the last good answers of its parts, such as the single files.
type source struct {
	setting  string // such as jvb::targets::files
	endpoint *Endpoint
	logger   *zap.Logger
	// find returns the current answers. It is nil for lists in the configuration.
	find     func(context.Context) []answer
	interval time.Duration
	wake     <-chan struct{} // signals that find has new answers; may be nil
	allowed  *addressFilter

	mu        sync.Mutex
	answers   map[string][]Target // last good answers, by part
	order     []string            // of the parts
	failing   map[string]string   // errors, by part
	failures  int64
	refused   int       // targets outside of the allowed networks
	empty     bool      // no part has targets
	refreshed time.Time // last time that nothing failed
}

// answer is the result of asking one part of a source.
type answer struct {
	part    string
	targets []Target
	err     error
}

// run refreshes the source until ctx ends. It calls changed after each refresh.
func (s *source) run(ctx context.Context, changed func()) {
	for {
		s.refresh(ctx)
		changed()
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-time.After(s.interval):
		}
	}
}

// refresh asks all parts. A part that fails keeps its last good answer.
func (s *source) refresh(ctx context.Context) {
	lookup, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	answers := s.find(lookup)
	refused := 0
	for i := range answers {
		if answers[i].err == nil {
			var n int
			answers[i].targets, n = s.allowed.filter(lookup, answers[i].targets)
			refused += n
		}
	}
	if ctx.Err() != nil {
		return // errors of a canceled refresh mean nothing
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused != s.refused && refused > 0 {
		s.logger.Warn("targets are refused: allowed_networks does not contain their addresses, or their names cannot be resolved",
			zap.String("source", s.setting), zap.Int("refused", refused))
	}
	s.refused = refused
	s.keep(answers)
	empty := !slices.ContainsFunc(answers, func(a answer) bool { return len(s.answers[a.part]) > 0 })
	if empty && !s.empty {
		s.logger.Warn("the source has no targets", zap.String("source", s.setting))
	}
	s.empty = empty
}

// keep replaces the answers by new ones.
func (s *source) keep(answers []answer) {
	kept, failing := map[string][]Target{}, map[string]string{}
	s.order = s.order[:0]
	for _, a := range answers {
		s.order = append(s.order, a.part)
		if a.err == nil {
			kept[a.part] = a.targets
			continue
		}
		kept[a.part] = s.answers[a.part]
		failing[a.part] = a.err.Error()
		s.failures++
		if failing[a.part] != s.failing[a.part] {
			s.logger.Warn("the source of targets fails: its last targets are kept", zap.String("source", s.setting),
				zap.String("part", a.part), zap.Error(a.err), zap.Int("kept", len(kept[a.part])))
		}
	}
	for part := range s.failing {
		if failing[part] == "" {
			s.logger.Info("the source of targets works again", zap.String("source", s.setting), zap.String("part", part))
		}
	}
	s.answers, s.failing = kept, failing
	if len(failing) == 0 {
		s.refreshed = time.Now()
	}
}

// targets returns the last good targets of all parts.
func (s *source) targets() (targets []Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range s.order {
		targets = append(targets, s.answers[part]...)
	}
	return targets
}

// sourceState is the state of a source for telemetry.
type sourceState struct {
	targets, failures, refused int64
	refreshed                  time.Time
}

func (s *source) state() sourceState {
	n := len(s.targets())
	s.mu.Lock()
	defer s.mu.Unlock()
	return sourceState{int64(n), s.failures, int64(s.refused), s.refreshed}
}
