// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failure is an error as clients make them.
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

// diary notes what happens in a scrape, one thing after the other.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) note(entry string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entry)
}

// part is a call that notes when it is made and recorded; one that fails records nothing, unless the failure is partial.
func (d *diary) part(api string, metrics int, heavy bool, err error) Part {
	return Part{API: api, Metrics: metrics, Heavy: heavy, Call: Fetch(
		func(context.Context) (string, error) {
			d.note("ask " + api)
			return api, err
		},
		func(answer string) { d.note("record " + answer) },
	)}
}

func all(parts ...Part) func() []Part { return func() []Part { return parts } }

func TestRunOrder(t *testing.T) {
	broken := &failure{text: "broken", counted: Status}
	refused := &failure{text: "refused", counted: Connection}
	spoilt := &failure{text: "spoilt", counted: Format, partial: true}
	// part describes a Part: all that the order depends on.
	type part struct {
		api     string
		metrics int
		heavy   bool
		err     error
	}
	for name, tc := range map[string]struct {
		before, parts []part
		want          []string
		notAsked      []string
		up            bool
	}{
		"nothing to do": {},
		"no metric needs it": {
			before: []part{{"a", 0, false, nil}}, parts: []part{{"b", 0, false, nil}, {"c", 0, true, nil}, {"d", 1, false, nil}},
			want: []string{"ask d", "record d"}, up: true,
		},
		"heavy ones come last, one by one": {
			parts: []part{{"h1", 1, true, nil}, {"light", 1, false, nil}, {"h2", 1, true, nil}},
			want:  []string{"ask light", "record light", "ask h1", "record h1", "ask h2", "record h2"}, up: true,
		},
		"the first come first": {
			before: []part{{"first", 1, false, nil}}, parts: []part{{"heavy", 1, true, nil}, {"light", 1, false, nil}},
			want: []string{"ask first", "record first", "ask light", "record light", "ask heavy", "record heavy"}, up: true,
		},
		"heavy ones alone": {
			parts: []part{{"heavy", 1, true, nil}},
			want:  []string{"ask heavy", "record heavy"}, up: true,
		},
		"a heavy one fails": {
			parts: []part{{"h1", 1, true, refused}, {"h2", 1, true, nil}},
			want:  []string{"ask h1", "ask h2", "record h2"}, up: true,
		},
		"nothing light was answered": {
			parts: []part{{"light", 1, false, broken}, {"heavy", 1, true, nil}},
			want:  []string{"ask light"}, notAsked: []string{"heavy"},
		},
		"a part of a light answer": {
			parts: []part{{"light", 1, false, spoilt}, {"heavy", 1, true, nil}},
			want:  []string{"ask light", "record light", "ask heavy", "record heavy"}, up: true,
		},
		"the first was answered, the light ones not": {
			before: []part{{"first", 1, false, nil}}, parts: []part{{"light", 1, false, broken}, {"heavy", 1, true, nil}},
			want: []string{"ask first", "record first", "ask light", "ask heavy", "record heavy"}, up: true,
		},
		"the first fails for a reason of its own": {
			before: []part{{"first", 1, false, broken}}, parts: []part{{"light", 1, false, nil}, {"heavy", 1, true, nil}},
			want: []string{"ask first", "ask light", "record light", "ask heavy", "record heavy"}, up: true,
		},
		"the first fails for a reason that all share": {
			before: []part{{"first", 1, false, refused}}, parts: []part{{"light", 1, false, nil}, {"heavy", 1, true, nil}},
			want: []string{"ask first"}, notAsked: []string{"light", "heavy"},
		},
		"one of the first is refused": {
			before: []part{{"good", 1, false, nil}, {"first", 0, false, refused}}, parts: []part{{"light", 1, false, nil}},
			want: []string{"ask good", "record good", "ask light", "record light"}, up: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var d diary
			build := func(described []part) (parts []Part) {
				for _, p := range described {
					parts = append(parts, d.part(p.api, p.metrics, p.heavy, p.err))
				}
				return parts
			}
			results := Run(t.Context(), build(tc.before), func() []Part { return build(tc.parts) })
			assert.Equal(t, tc.want, d.entries)
			var notAsked []string
			for _, r := range results {
				assert.Positive(t, r.Metrics)
				if !r.Asked() {
					notAsked = append(notAsked, r.API)
				}
			}
			assert.Equal(t, tc.notAsked, notAsked)
			assert.Equal(t, tc.up, Up(results))
		})
	}
}

// A reason that all calls share, and no other, ends the scrape after the first call.
func TestRunStopsWhenHopeless(t *testing.T) {
	for counted, stops := range map[ErrorType]bool{
		Authentication: true, Connection: true, Timeout: true,
		Status: false, Response: false, Format: false, Size: false, Other: false,
	} {
		var d diary
		Run(t.Context(), []Part{d.part("first", 1, false, &failure{counted: counted})}, all(d.part("light", 1, false, nil)))
		assert.Equal(t, stops, len(d.entries) == 1, counted)
	}
}

// What the first calls learn decides which others are made.
func TestRunLearnsFirst(t *testing.T) {
	var d diary
	learnt := false
	first := Part{API: "first", Metrics: 1, Call: func(context.Context) (func(), error) {
		return func() { learnt = true }, nil
	}}
	Run(t.Context(), []Part{first}, func() []Part {
		assert.True(t, learnt)
		return []Part{d.part("learnt", 1, false, nil)}
	})
	assert.Equal(t, []string{"ask learnt", "record learnt"}, d.entries)
}

// Light calls are made together: each waits here for all the others. Answers are recorded in the order of parts all the same.
func TestRunTogether(t *testing.T) {
	const n = 5
	var (
		parts    []Part
		recorded []int
		together sync.WaitGroup
	)
	together.Add(n)
	for i := range n {
		parts = append(parts, Part{Metrics: 1, Call: func(context.Context) (func(), error) {
			together.Done()
			together.Wait()
			return func() { recorded = append(recorded, i) }, nil
		}})
	}
	for _, r := range Run(t.Context(), nil, all(parts...)) {
		assert.True(t, r.Asked() && r.Answered())
	}
	assert.Equal(t, []int{0, 1, 2, 3, 4}, recorded)
}

// A server that answers late is up as long as the time is not used up. Once it has answered anything, a call that hangs costs itself
// only: the first calls end after a quarter of the time, light ones after half of it where heavy ones are to come.
func TestRunSharesTime(t *testing.T) {
	const never = 3600
	for name, tc := range map[string]struct {
		first, first2, light, light2, heavy int // seconds until the answers; 0 for a call that is not made
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
				call := func(api string, seconds int, heavy bool) Part {
					return Part{API: api, Metrics: min(1, seconds), Heavy: heavy, Call: func(ctx context.Context) (func(), error) {
						select {
						case <-time.After(time.Duration(seconds) * time.Second):
							return func() {}, nil
						case <-ctx.Done():
							return nil, &failure{counted: Timeout, cause: context.Cause(ctx)}
						}
					}}
				}
				results := Run(ctx, []Part{call("first", tc.first, false), call("first2", tc.first2, false)},
					all(call("light", tc.light, false), call("light2", tc.light2, false), call("heavy", tc.heavy, true)))
				var asked []string
				for _, r := range results {
					switch {
					case !r.Asked():
					case r.Answered():
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
	free := Part{Metrics: 1, Call: func(ctx context.Context) (func(), error) {
		_, has := ctx.Deadline()
		assert.False(t, has)
		return nil, nil
	}}
	heavy := free
	heavy.Heavy = true
	assert.Len(t, Run(t.Context(), []Part{free}, all(free, heavy)), 3)
}

func TestResults(t *testing.T) {
	whole := errors.New("broken")
	var d diary
	results := Run(t.Context(), nil, all(
		d.part("good", 1, false, nil), d.part("partial", 1, false, &failure{partial: true}), d.part("failed", 1, false, whole),
	))
	require.Len(t, results, 3)
	for i, want := range []struct {
		err      error
		answered bool
	}{{nil, true}, {&failure{partial: true}, true}, {whole, false}} {
		assert.Equal(t, want.err, results[i].Err)
		assert.Equal(t, want.answered, results[i].Answered())
		assert.True(t, results[i].Asked())
	}
}

func TestErr(t *testing.T) {
	refused := func() error { return &failure{text: "connection refused"} }
	for name, tc := range map[string]struct {
		parts  func(*diary) []Part
		want   string
		failed int
	}{
		"none": {
			parts: func(d *diary) []Part { return []Part{d.part("a", 3, false, nil)} },
		},
		"one": {
			parts: func(d *diary) []Part {
				return []Part{d.part("a", 3, false, nil), d.part("b", 4, false, refused())}
			},
			want: "b of example:80: connection refused", failed: 4,
		},
		"one cause": {
			parts: func(d *diary) []Part {
				return []Part{d.part("a", 3, false, refused()), d.part("b", 4, false, refused())}
			},
			want: "a, b of example:80: connection refused", failed: 7,
		},
		"several causes": {
			parts: func(d *diary) []Part {
				return []Part{
					d.part("a", 1, false, refused()), d.part("b", 2, false, &failure{text: "HTML", partial: true}),
					d.part("c", 3, false, refused()), d.part("d", 4, false, nil),
				}
			},
			want: "a, c of example:80: connection refused; b of example:80: HTML", failed: 6,
		},
		"not asked": {
			parts: func(d *diary) []Part {
				return []Part{d.part("a", 1, false, refused()), d.part("b", 2, true, nil)}
			},
			want: "a of example:80: connection refused; b of example:80: not asked, because the server answers nothing else", failed: 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var d diary
			err := Err("example:80", Run(t.Context(), nil, func() []Part { return tc.parts(&d) }))
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
			require.True(t, scrapererror.IsPartialScrapeError(err))
			var partial scrapererror.PartialScrapeError
			require.ErrorAs(t, err, &partial)
			assert.Equal(t, tc.failed, partial.Failed)
		})
	}
}

func TestEnabled(t *testing.T) {
	assert.Zero(t, Enabled())
	assert.Equal(t, 2, Enabled(true, false, true))
}

func TestNumber(t *testing.T) {
	assert.Equal(t, int64(1), Number(true))
	assert.Zero(t, Number(false))
}

// A call that knows how long it took itself is believed.
func TestTook(t *testing.T) {
	call := func(context.Context) (func(), error) { return nil, nil }
	results := Run(t.Context(), nil, func() []Part {
		return []Part{
			{API: "a", Metrics: 1, Call: call, Took: func() time.Duration { return 7 * time.Hour }},
			{API: "b", Metrics: 1, Call: call, Took: func() time.Duration { return 0 }},
			{API: "c", Metrics: 1, Call: call},
		}
	})
	require.Len(t, results, 3)
	assert.Equal(t, 7*time.Hour, results[0].Duration)
	assert.Zero(t, results[1].Duration)
	assert.Positive(t, results[2].Duration)
}
