// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failure is an error like those of the clients.
type failure struct {
	text    string
	counted ErrorType
	partial bool
	cause   error
}

func (f *failure) Error() string        { return f.text }
func (f *failure) Unwrap() error        { return f.cause }
func (f *failure) ErrorType() ErrorType { return f.counted }
func (f *failure) Partial() bool        { return f.partial }

// diary notes the events of a scrape in order.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) note(entry string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entry)
}

// metrics returns n metrics that only this call has.
func metrics(api string, n int) (all []rows.Metric) {
	for i := range n {
		all = append(all, rows.Metric{Name: api + strconv.Itoa(i)})
	}
	return all
}

// call returns a call that notes when it is made and recorded. A call that fails records nothing, unless the failure is partial.
func (d *diary) call(api string, n int, heavy bool, err error) Call {
	return Call{API: api, Metrics: metrics(api, n), Heavy: heavy, Ask: Fetch(
		func(context.Context) (string, error) {
			d.note("ask " + api)
			return api, err
		},
		func(answer string) { d.note("record " + answer) },
	)}
}

// newScrape returns a scrape of a new process.
func newScrape() *Scrape {
	return &Scrape{runner: &Runner{Report: newReport(zap.NewNop())}}
}

func TestRunOrder(t *testing.T) {
	broken := &failure{text: "broken", counted: Status}
	refused := &failure{text: "refused", counted: Connection}
	spoilt := &failure{text: "spoilt", counted: Format, partial: true}
	// call describes the parts of a Call that affect the order.
	type call struct {
		api     string
		metrics int
		heavy   bool
		err     error
	}
	for name, tc := range map[string]struct {
		first, calls []call
		want         []string
		notAsked     []string
		up           bool
	}{
		"nothing to do": {},
		"no metric needs it": {
			first: []call{{"a", 0, false, nil}}, calls: []call{{"b", 0, false, nil}, {"c", 0, true, nil}, {"d", 1, false, nil}},
			want: []string{"ask d", "record d"}, up: true,
		},
		"heavy ones come last, one by one": {
			calls: []call{{"h1", 1, true, nil}, {"light", 1, false, nil}, {"h2", 1, true, nil}},
			want:  []string{"ask light", "record light", "ask h1", "record h1", "ask h2", "record h2"}, up: true,
		},
		"the first come first": {
			first: []call{{"first", 1, false, nil}}, calls: []call{{"heavy", 1, true, nil}, {"light", 1, false, nil}},
			want: []string{"ask first", "record first", "ask light", "record light", "ask heavy", "record heavy"}, up: true,
		},
		"heavy ones alone": {
			calls: []call{{"heavy", 1, true, nil}},
			want:  []string{"ask heavy", "record heavy"}, up: true,
		},
		"a heavy one fails": {
			calls: []call{{"h1", 1, true, refused}, {"h2", 1, true, nil}},
			want:  []string{"ask h1", "ask h2", "record h2"}, up: true,
		},
		"nothing light was answered": {
			calls: []call{{"light", 1, false, broken}, {"heavy", 1, true, nil}},
			want:  []string{"ask light"}, notAsked: []string{"heavy"},
		},
		"a part of a light answer": {
			calls: []call{{"light", 1, false, spoilt}, {"heavy", 1, true, nil}},
			want:  []string{"ask light", "record light", "ask heavy", "record heavy"}, up: true,
		},
		"the first was answered, the light ones not": {
			first: []call{{"first", 1, false, nil}}, calls: []call{{"light", 1, false, broken}, {"heavy", 1, true, nil}},
			want: []string{"ask first", "record first", "ask light", "ask heavy", "record heavy"}, up: true,
		},
		"the first fails for a reason of its own": {
			first: []call{{"first", 1, false, broken}}, calls: []call{{"light", 1, false, nil}, {"heavy", 1, true, nil}},
			want: []string{"ask first", "ask light", "record light", "ask heavy", "record heavy"}, up: true,
		},
		"the first fails for a reason that all share": {
			first: []call{{"first", 1, false, refused}}, calls: []call{{"light", 1, false, nil}, {"heavy", 1, true, nil}},
			want: []string{"ask first"}, notAsked: []string{"light", "heavy"},
		},
		"one of the first is refused": {
			first: []call{{"good", 1, false, nil}, {"first", 0, false, refused}}, calls: []call{{"light", 1, false, nil}},
			want: []string{"ask good", "record good", "ask light", "record light"}, up: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var d diary
			build := func(described []call) (calls []Call) {
				for _, c := range described {
					calls = append(calls, d.call(c.api, c.metrics, c.heavy, c.err))
				}
				return calls
			}
			s := newScrape()
			s.RunFirst(t.Context(), build(tc.first)...)
			s.Run(t.Context(), build(tc.calls)...)
			assert.Equal(t, tc.want, d.entries)
			var notAsked []string
			for _, r := range s.results {
				assert.NotEmpty(t, r.Metrics)
				assert.Equal(t, r.Outcome == NotAsked, !r.made)
				if !r.made {
					notAsked = append(notAsked, r.API)
				}
			}
			assert.Equal(t, tc.notAsked, notAsked)
			assert.Equal(t, tc.up, s.Answered())
		})
	}
}

// TestRunStopsWhenHopeless checks that the scrape ends after the first call only if that call fails for a reason that affects all
// calls.
func TestRunStopsWhenHopeless(t *testing.T) {
	for counted, stops := range map[ErrorType]bool{
		Authentication: true, Connection: true, Timeout: true,
		Status: false, Response: false, Format: false, Size: false, Other: false,
	} {
		var d diary
		s := newScrape()
		s.RunFirst(t.Context(), d.call("first", 1, false, &failure{counted: counted}))
		s.Run(t.Context(), d.call("light", 1, false, nil))
		assert.Equal(t, stops, len(d.entries) == 1, counted)
	}
}

// TestRunTogether checks that light calls run concurrently, because each waits for all others, and that responses are recorded in the
// order of the calls.
func TestRunTogether(t *testing.T) {
	const n = 5
	var (
		calls    []Call
		recorded []int
		together sync.WaitGroup
	)
	together.Add(n)
	for i := range n {
		calls = append(calls, Call{Always: true, Ask: func(context.Context) (func(), error) {
			together.Done()
			together.Wait()
			return func() { recorded = append(recorded, i) }, nil
		}})
	}
	s := newScrape()
	s.Run(t.Context(), calls...)
	for _, r := range s.results {
		assert.True(t, r.made && r.Outcome == Answered)
	}
	assert.Equal(t, []int{0, 1, 2, 3, 4}, recorded)
}

// TestRunSharesTime checks that a slow server is up if it responds before the deadline. Once it has answered a call, a hanging call
// affects only its own metrics: first calls end after a quarter of the time, and light calls after half of it if heavy ones follow.
func TestRunSharesTime(t *testing.T) {
	const never = 3600
	for name, tc := range map[string]struct {
		first, first2, light, light2, heavy int // seconds until the responses; 0 for a call that is not made
		asked                               string
		after                               int // seconds until the end
	}{
		"quick":                    {1, 1, 1, 1, 1, "first first2 light light2 heavy", 3},
		"late":                     {3, 0, 2, 2, 2, "first light light2 heavy", 7},
		"very late":                {7, 0, 0, 0, 0, "first", 7},
		"the first hangs":          {never, 1, 1, 1, 1, "-first first2 light light2 heavy", 4},
		"the first is late":        {3, never, 1, 1, 1, "first -first2 light light2 heavy", 5},
		"a light call hangs":       {0, 0, 1, never, 1, "light -light2 heavy", 5},
		"none is heavy":            {0, 0, 1, 7, 0, "light light2", 7},
		"late before heavy ones":   {0, 0, 5, 0, 2, "light heavy", 7},
		"all hang":                 {never, never, 1, 1, 1, "-first -first2", 8},
		"all light calls hang":     {0, 0, never, never, 1, "-light -light2", 8},
		"a heavy call hangs":       {0, 0, 1, 0, never, "light -heavy", 8},
		"hangs until the very end": {0, 0, never, 7, 1, "-light light2 heavy", 8},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
				defer cancel()
				began := time.Now()
				call := func(api string, seconds int, heavy bool) Call {
					return Call{API: api, Metrics: metrics(api, min(1, seconds)), Heavy: heavy, Ask: func(ctx context.Context) (func(), error) {
						select {
						case <-time.After(time.Duration(seconds) * time.Second):
							return func() {}, nil
						case <-ctx.Done():
							return nil, &failure{counted: Timeout, cause: context.Cause(ctx)}
						}
					}}
				}
				s := newScrape()
				s.RunFirst(ctx, call("first", tc.first, false), call("first2", tc.first2, false))
				s.Run(ctx, call("light", tc.light, false), call("light2", tc.light2, false), call("heavy", tc.heavy, true))
				var asked []string
				for _, r := range s.results {
					switch {
					case !r.made:
					case r.Outcome == Answered:
						asked = append(asked, r.API)
					default:
						require.ErrorIs(t, r.Err, context.DeadlineExceeded)
						asked = append(asked, "-"+r.API)
					}
				}
				assert.Equal(t, tc.asked, strings.Join(asked, " "))
				assert.Equal(t, time.Duration(tc.after)*time.Second, time.Since(began))
			})
		})
	}
}

func TestRunWithoutDeadline(t *testing.T) {
	free := Call{Always: true, Ask: func(ctx context.Context) (func(), error) {
		_, has := ctx.Deadline()
		assert.False(t, has)
		return nil, nil
	}}
	heavy := free
	heavy.Heavy = true
	s := newScrape()
	s.RunFirst(t.Context(), free)
	s.Run(t.Context(), free, heavy)
	assert.Len(t, s.results, 3)
}

func TestOutcomes(t *testing.T) {
	whole := errors.New("broken")
	var d diary
	s := newScrape()
	notDue := d.call("not due", 1, false, nil)
	notDue.NotDue = true
	s.runner.offers.miss("not offered")
	s.Run(t.Context(), d.call("good", 1, false, nil), d.call("partial", 1, false, &failure{partial: true}), d.call("failed", 1, false, whole),
		notDue, d.call("not offered", 1, false, nil), d.call("not needed", 0, false, nil))
	for api, want := range map[string]struct {
		outcome Outcome
		err     error
		made    bool
	}{
		"good": {Answered, nil, true}, "partial": {Answered, &failure{partial: true}, true}, "failed": {Failed, whole, true},
		"not due": {NotDue, nil, false}, "not offered": {NotOffered, nil, false},
	} {
		outcome, known := s.Outcome(api)
		assert.True(t, known, api)
		assert.Equal(t, want.outcome, outcome, api)
		for _, r := range s.results {
			if r.API == api {
				assert.Equal(t, want.err, r.Err, api)
				assert.Equal(t, want.made, r.made, api)
			}
		}
	}
	_, known := s.Outcome("not needed")
	assert.False(t, known)
	assert.Len(t, s.results, 5)
}

// TestRunAtTheSameTime checks that goroutines can make calls of the same scrape concurrently.
func TestRunAtTheSameTime(t *testing.T) {
	s := newScrape()
	var wg sync.WaitGroup
	var d diary
	for i := range 10 {
		wg.Go(func() { s.Run(t.Context(), d.call(strconv.Itoa(i), 1, i%2 == 0, nil)) })
	}
	wg.Wait()
	assert.Len(t, s.results, 10)
	assert.True(t, s.Answered())
}

// TestWalk checks that a response that is recorded while it is read counts as answered if the recorded part is usable.
func TestWalk(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		recorded bool
		err      error
		want     Outcome
	}{
		"whole": {true, nil, Answered}, "broken off, but of use": {true, broken, Answered}, "broken off": {false, broken, Failed},
	} {
		s := newScrape()
		s.Run(t.Context(), Call{API: name, Always: true, Ask: Walk(func(context.Context) (bool, error) { return tc.recorded, tc.err })})
		outcome, _ := s.Outcome(name)
		assert.Equal(t, tc.want, outcome, name)
		assert.Equal(t, tc.err, s.results[0].Err, name)
	}
}

// TestTook checks that the duration is the one that the call measures.
func TestTook(t *testing.T) {
	ask := func(context.Context) (func(), error) { return nil, nil }
	s := newScrape()
	s.Run(t.Context(),
		Call{API: "a", Always: true, Ask: ask, Took: func() time.Duration { return 7 * time.Hour }},
		Call{API: "b", Always: true, Ask: ask, Took: func() time.Duration { return 0 }},
		Call{API: "c", Always: true, Ask: ask},
	)
	require.Len(t, s.results, 3)
	assert.Equal(t, 7*time.Hour, s.results[0].Duration)
	assert.Zero(t, s.results[1].Duration)
	assert.Positive(t, s.results[2].Duration)
}
