// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package selection

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/filter"
)

// scrape runs a scrape that sees names, and returns those that are kept.
func scrape(s *Set[int], complete bool, names ...string) []string {
	s.Begin()
	for _, name := range names {
		s.Get([]byte(name))
	}
	s.End(complete)
	var kept []string
	for _, item := range s.Items() {
		if item.Kept {
			kept = append(kept, item.Name)
		}
	}
	return kept
}

func TestConfigValidate(t *testing.T) {
	require.NoError(t, (&Config{Limit: 1}).Validate())
	require.NoError(t, (&Config{Limit: 20000}).Validate())
	for _, limit := range []int{0, -1} {
		require.EqualError(t, (&Config{Limit: limit}).Validate(), "limit: must be at least 1, such as 20000")
	}
}

func TestGet(t *testing.T) {
	s := New[int](Config{Limit: 10})
	name := []byte("a")
	s.Begin()
	item, first := s.Get(name)
	assert.True(t, first)
	assert.True(t, item.Kept)
	item.Value = 7
	name[0] = 'b'
	assert.Equal(t, "a", item.Name, "the name is a copy")
	again, first := s.Get([]byte("a"))
	assert.False(t, first, "the second time in this scrape")
	assert.Same(t, item, again)
	other, first := s.Get([]byte(""))
	assert.True(t, first)
	assert.Equal(t, []*Item[int]{item, other}, s.Items())
	s.End(true)

	s.Begin()
	assert.Empty(t, s.Items())
	again, first = s.Get([]byte("a"))
	assert.True(t, first, "the first time in the next scrape")
	assert.Equal(t, 7, again.Value, "the item keeps its value")
	s.End(true)
}

// TestOrder checks that items are recognized in any order.
func TestOrder(t *testing.T) {
	s := New[string](Config{Limit: 10})
	for _, names := range []string{"abcd", "abcd", "dcba", "ad", "aad", "xady", "y", "", "abcdxy"} {
		s.Begin()
		for _, name := range names {
			item, first := s.Get([]byte(string(name)))
			assert.Equal(t, string(name), item.Name)
			if !first {
				continue
			}
			assert.Contains(t, []string{"", string(name)}, item.Value)
			item.Value = string(name)
		}
		s.End(false)
	}
	for _, name := range "abcdxy" {
		assert.Equal(t, string(name), s.Find([]byte(string(name))).Value)
	}
}

// TestGetKey checks that items with the same name are different items.
func TestGetKey(t *testing.T) {
	s := New[int](Config{Limit: 2, Exclude: []filter.Config{{Strict: "x"}}})
	s.Begin()
	key := []byte("1")
	one, first := s.GetKey(key, []byte("a"))
	assert.True(t, first)
	key[0] = '9'
	two, first := s.GetKey([]byte("2"), []byte("a"))
	assert.True(t, first)
	again, first := s.GetKey([]byte("1"), []byte("a"))
	assert.False(t, first)
	assert.Same(t, one, again)
	assert.NotSame(t, one, two)
	three, _ := s.GetKey([]byte("3"), []byte("a"))
	four, _ := s.GetKey([]byte("4"), []byte("x"))
	assert.Equal(t, []bool{true, true, false, false}, []bool{one.Kept, two.Kept, three.Kept, four.Kept})
	assert.Equal(t, "a", two.Name)
	assert.Equal(t, 1, s.Limited())
	s.End(true)
}

func TestIncludeAndExclude(t *testing.T) {
	strict := func(names ...string) (all []filter.Config) {
		for _, name := range names {
			all = append(all, filter.Config{Strict: name})
		}
		return all
	}
	names := []string{"live/a", "live/b", "rec/a"}
	for name, tc := range map[string]struct {
		config   Config
		expected []string
		want     []string
	}{
		"all":                        {Config{}, nil, names},
		"include":                    {Config{Include: strict("live/a", "absent")}, nil, []string{"live/a"}},
		"include by pattern":         {Config{Include: []filter.Config{{Regex: "^live/"}}}, nil, []string{"live/a", "live/b"}},
		"exclude":                    {Config{Exclude: strict("live/a")}, nil, []string{"live/b", "rec/a"}},
		"exclude takes precedence":   {Config{Include: strict("live/a", "live/b"), Exclude: strict("live/a")}, nil, []string{"live/b"}},
		"no matching name":           {Config{Include: strict("absent")}, nil, nil},
		"expected and excluded":      {Config{Exclude: strict("live/a")}, []string{"live/a"}, names},
		"expected, but not included": {Config{Include: strict("rec/a")}, []string{"live/a"}, []string{"live/a", "rec/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.config.Limit = 10
			s := New[int](tc.config, tc.expected...)
			assert.Equal(t, tc.want, scrape(s, true, names...))
			assert.Zero(t, s.Limited(), "the limit omits nothing")
		})
	}
}

// TestLimit checks that kept items keep their places until they are forgotten.
func TestLimit(t *testing.T) {
	type result struct {
		sees    []string
		kept    []string
		limited int
	}
	for name, tc := range map[string]struct {
		config   Config
		expected []string
		scrapes  []result
	}{
		"kept items have precedence": {Config{Limit: 2}, nil, []result{
			{[]string{"a", "b", "c", "d"}, []string{"a", "b"}, 2},
			{[]string{"d", "c", "b", "a"}, []string{"b", "a"}, 2},
		}},
		"what fits is never omitted": {Config{Limit: 3}, nil, []result{
			{[]string{"a", "b"}, []string{"a", "b"}, 0},
			{[]string{"c", "d", "e"}, []string{"c", "d", "e"}, 0},
			{[]string{"f", "g", "c", "d"}, []string{"f", "c", "d"}, 1},
			{[]string{"g", "f", "c", "d"}, []string{"f", "c", "d"}, 1},
			{[]string{"g", "d"}, []string{"g", "d"}, 0},
			{[]string{"g", "g", "h", "i"}, []string{"g", "h", "i"}, 0},
		}},
		"an omitted item gets a free place": {Config{Limit: 2}, nil, []result{
			{[]string{"a", "b", "c"}, []string{"a", "b"}, 1},
			{[]string{"b", "c"}, []string{"b", "c"}, 0},
			{[]string{"a", "b", "c"}, []string{"b", "c"}, 1},
		}},
		"free places are given in order": {Config{Limit: 1}, nil, []result{
			{[]string{"a", "b"}, []string{"a"}, 1},
			{[]string{"c", "b"}, []string{"c"}, 1},
		}},
		"a repeated item takes one place": {Config{Limit: 2}, nil, []result{
			{[]string{"a", "a", "b", "c", "c"}, []string{"a", "b"}, 1},
		}},
		"expected items are always kept and take places": {Config{Limit: 1}, []string{"x", "y"}, []result{
			{[]string{"a", "x", "y", "b"}, []string{"a", "x", "y"}, 1},
			{[]string{"x", "b"}, []string{"x"}, 1},
			{[]string{"b"}, []string{"b"}, 0},
		}},
		"excluded items take no places": {Config{Limit: 1, Exclude: []filter.Config{{Strict: "x"}}}, nil, []result{
			{[]string{"x", "a"}, []string{"a"}, 0},
			{[]string{"a"}, []string{"a"}, 0},
			{[]string{"x", "a", "b"}, []string{"a"}, 1},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := New[int](tc.config, tc.expected...)
			for i, want := range tc.scrapes {
				assert.Equal(t, want.kept, scrape(s, true, want.sees...), "scrape %d", i)
				assert.Equal(t, want.limited, s.Limited(), "scrape %d", i)
			}
		})
	}
}

// TestWaits checks that an item waits only while as many kept items may be gone, and that an incomplete scrape does not end it.
func TestWaits(t *testing.T) {
	s := New[int](Config{Limit: 2})
	scrape(s, true, "a", "b")
	s.Begin()
	for _, want := range []struct {
		name  string
		waits bool
	}{{"c", true}, {"b", false}, {"d", false}, {"c", true}} {
		item, _ := s.Get([]byte(want.name))
		assert.Equal(t, want.waits, item.Waits, want.name)
	}
	s.End(false)
	assert.False(t, s.Find([]byte("c")).Kept)
	assert.Equal(t, []string{"d", "b"}, scrape(s, true, "d", "c", "b"))
	assert.Equal(t, 1, s.Limited())
}

func TestMissing(t *testing.T) {
	s := New[int](Config{Limit: 1}, "x", "y")
	for _, scrape := range []struct{ sees, missing []string }{
		{nil, []string{"x", "y"}},
		{[]string{"a", "y"}, []string{"x"}},
		{[]string{"x", "y"}, nil},
		{[]string{"x"}, []string{"y"}},
		{nil, []string{"x", "y"}},
	} {
		s.Begin()
		for _, name := range scrape.sees {
			s.Get([]byte(name))
		}
		assert.Equal(t, scrape.missing, s.Missing())
		s.End(true)
	}
}

// TestEnd checks which missing items complete and incomplete scrapes forget.
func TestEnd(t *testing.T) {
	remembered := func(s *Set[int], name string) bool {
		s.Begin()
		item, _ := s.Get([]byte(name))
		return item.Value == 1
	}
	for name, tc := range map[string]struct {
		incomplete int
		complete   int
		want       bool
	}{
		"at once":       {0, 0, true},
		"complete":      {0, 1, false},
		"incomplete":    {1, 0, true},
		"maximum":       {maxMissed, 0, true},
		"above maximum": {maxMissed + 1, 0, false},
		"then complete": {3, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := New[int](Config{Limit: 1})
			s.Begin()
			item, _ := s.Get([]byte("a"))
			item.Value = 1
			s.End(true)
			for range tc.incomplete {
				scrape(s, false)
			}
			for range tc.complete {
				scrape(s, true)
			}
			assert.Equal(t, tc.want, remembered(s, "a"))
		})
	}
}

// TestEndFreesPlaces checks that an item missing from incomplete scrapes keeps its place until it is forgotten.
func TestEndFreesPlaces(t *testing.T) {
	s := New[int](Config{Limit: 1})
	require.Equal(t, []string{"a"}, scrape(s, true, "a"))
	for range maxMissed {
		require.Empty(t, scrape(s, false, "b"))
	}
	require.Empty(t, scrape(s, false, "b"), "b was omitted before the same scrape forgot a")
	require.Equal(t, []string{"b"}, scrape(s, false, "b"))
}

// TestBeginWith checks that items that are gone do not take places, and that kept items have precedence.
func TestBeginWith(t *testing.T) {
	s := New[int](Config{Limit: 3})
	for i, scrape := range []struct {
		sees, kept []string
		limited    int
	}{
		{[]string{"a", "b"}, []string{"a", "b"}, 0},
		{[]string{"c", "d", "e"}, []string{"c", "d", "e"}, 0},
		{[]string{"f", "g", "c", "d"}, []string{"f", "c", "d"}, 1},
		{[]string{"g", "f", "c", "d"}, []string{"f", "c", "d"}, 1},
		{[]string{"g", "d"}, []string{"g", "d"}, 0},
		{[]string{"g", "g", "h", "i"}, []string{"g", "h", "i"}, 0},
	} {
		s.BeginWith(Keys(scrape.sees, func(name *string) []byte { return []byte(*name) }))
		var kept []string
		for _, name := range scrape.sees {
			if item, first := s.Get([]byte(name)); first && item.Kept {
				kept = append(kept, item.Name)
			}
		}
		assert.Equal(t, scrape.kept, kept, "scrape %d", i)
		assert.Equal(t, scrape.limited, s.Limited(), "scrape %d", i)
		s.End(true)
	}
	for range Keys([]string{"a", "b"}, func(name *string) []byte { return []byte(*name) }) {
		break // an iteration may end early
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := New[int](Config{Limit: 1})
	for i := range 1000 {
		scrape(s, i%2 == 0, fmt.Sprint("stream", i))
	}
	assert.LessOrEqual(t, s.Len(), 2)
}

func TestName(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"empty":                    {"", ""},
		"plain":                    {"live/cam 1", "live/cam 1"},
		"other scripts":            {"直播/é😀", "直播/é😀"},
		"control characters stay":  {"a\x00\n", "a\x00\n"},
		"not UTF-8":                {"a\xff\xfe\xc3b", "a\uFFFDb"},
		"maximum length":           {strings.Repeat("x", MaxName), strings.Repeat("x", MaxName)},
		"too long":                 {strings.Repeat("x", MaxName+1), strings.Repeat("x", MaxName)},
		"before a two-byte letter": {strings.Repeat("x", MaxName-1) + "é", strings.Repeat("x", MaxName-1)},
		"before four bytes":        {strings.Repeat("x", MaxName-3) + "😀", strings.Repeat("x", MaxName-3)},
		"after four bytes":         {strings.Repeat("x", MaxName-4) + "😀y", strings.Repeat("x", MaxName-4) + "😀"},
		"longer in valid UTF-8":    {strings.Repeat("\xffa", 100), strings.Repeat("\uFFFDa", MaxName/4)},
		"not UTF-8 and too long":   {strings.Repeat("x", MaxName-1) + "\xff", strings.Repeat("x", MaxName-1)},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, Name(tc.in))
			assert.Equal(t, tc.want, Name([]byte(tc.in)))
			assert.Equal(t, "before "+tc.want, string(AppendName([]byte("before "), tc.in)))
			assert.Equal(t, "before "+tc.want, string(AppendName([]byte("before "), []byte(tc.in))))
		})
	}
}

// TestNameAllocations checks that a valid name is allocated only if it must be converted to a string.
func TestNameAllocations(t *testing.T) {
	plain := strings.Repeat("é", MaxName/2)
	raw, buffer := []byte(plain), make([]byte, 0, MaxName)
	for name, tc := range map[string]struct {
		f    func()
		want float64
	}{
		"string":          {func() { plain = Name(plain) }, 0},
		"bytes":           {func() { plain = Name(raw) }, 1},
		"string appended": {func() { buffer = AppendName(buffer[:0], plain) }, 0},
		"bytes appended":  {func() { buffer = AppendName(buffer[:0], raw) }, 0},
	} {
		t.Run(name, func(t *testing.T) { assert.InDelta(t, tc.want, testing.AllocsPerRun(10, tc.f), 0) })
	}
}

func FuzzName(f *testing.F) {
	for _, name := range []string{"", "live/a", "直播", "a\xffb", "\xf0\x9f\x98", strings.Repeat("é", MaxName), "x" + strings.Repeat("\xff😀", MaxName)} {
		f.Add([]byte(name))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		name := Name(in)
		require.Equal(t, name, Name(string(in)))
		require.True(t, utf8.ValidString(name))
		require.LessOrEqual(t, len(name), MaxName)
		require.Equal(t, name, Name([]byte(name)), "Name is idempotent")
		if utf8.Valid(in) {
			require.True(t, strings.HasPrefix(string(in), name))
			require.Greater(t, len(name)+utf8.UTFMax, min(len(in), MaxName), "only as much is removed as necessary")
		}
	})
}

// TestFind checks that Find returns only items of this scrape and adds none.
func TestFind(t *testing.T) {
	s := New[int](Config{Limit: 1})
	s.Begin()
	assert.Nil(t, s.Find([]byte("a")))
	item, _ := s.Get([]byte("a"))
	assert.Same(t, item, s.Find([]byte("a")))
	s.End(true)
	s.Begin()
	assert.Nil(t, s.Find([]byte("a")), "seen only by an earlier scrape")
	assert.Empty(t, s.Items())
}
