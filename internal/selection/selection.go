// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package selection decides which of a server's named things get data points of their own, and remembers them between scrapes.
package selection

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/filter"
)

// MaxName is the length in bytes to which names are cut that a server supplies.
const MaxName = 256

// patience is the number of incomplete scrapes for which a thing is remembered that none of them met.
const patience = 20

// Config selects the named things that get data points of their own. Receivers have it in their configuration as it is.
type Config struct {
	// Include lists the names to keep; all when empty.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists the names to leave out; it wins over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the largest number of things at a time, at least 1. Those that came first stay.
	Limit int `mapstructure:"limit"`
}

// Validate refuses a limit that lets nothing through.
func (c *Config) Validate() error {
	if c.Limit < 1 {
		return errors.New("limit: must be at least 1, such as 20000")
	}
	return nil
}

// Item is one named thing: what the receiver keeps of it, and where it stands.
type Item[T any] struct {
	// Name is what Config's names are compared with.
	Name string
	// Kept says that the thing gets data points of its own.
	Kept bool
	// Value is the receiver's own state of the thing.
	Value T

	key     string // tells it apart
	seen    uint64 // the last scrape that saw it
	listed  uint64 // the last scrape that began with it
	limited bool   // left out by the limit alone
}

// Set remembers named things. A scrape calls Begin, then Get for everything that the server names, then End.
type Set[T any] struct {
	config           Config
	expected         []string
	include, exclude filter.Filter
	items            map[string]*Item[T]
	order            []*Item[T] // seen in this scrape
	last             []*Item[T] // seen in the one before
	kept             int
	scrape           uint64
}

// New returns an empty set. Expected names are always kept, and reported while they are missing.
func New[T any](c Config, expected ...string) *Set[T] {
	return &Set[T]{
		config: c, expected: expected,
		include: filter.CreateFilter(c.Include),
		exclude: filter.CreateFilter(c.Exclude),
		items:   map[string]*Item[T]{},
	}
}

// Begin starts a scrape.
func (s *Set[T]) Begin() {
	s.scrape++
	s.order, s.last = s.last[:0], s.order
}

// BeginOf is Begin for a scrape whose keys are known before. Things that are gone leave their places at once to those that are there,
// so that nothing is left out that the limit has room for.
func (s *Set[T]) BeginOf(keys iter.Seq[[]byte]) {
	s.Begin()
	for key := range keys {
		if item := s.items[string(key)]; item != nil {
			item.listed = s.scrape
		}
	}
	for _, item := range s.items {
		if item.listed != s.scrape {
			s.forget(item)
		}
	}
}

// KeysOf returns the keys of the elements of a list, for BeginOf. A key is valid until the next one.
func KeysOf[E any](list []E, key func(*E) []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range list {
			if !yield(key(&list[i])) {
				return
			}
		}
	}
}

// Get returns the thing called name and whether this scrape meets it for the first time. name is copied.
func (s *Set[T]) Get(name []byte) (item *Item[T], first bool) {
	return s.GetKey(name, name)
}

// GetKey is Get for things that are told apart by a key, several of which may have one name. Nothing is expected of those.
func (s *Set[T]) GetKey(key, name []byte) (item *Item[T], first bool) {
	item = s.find(key)
	if item == nil {
		item = s.admit(string(name))
		item.key = string(key)
		s.items[item.key] = item
	}
	if item.limited && s.kept < s.config.Limit {
		item.limited, item.Kept = false, true
		s.kept++
	}
	if item.seen == s.scrape {
		return item, false
	}
	item.seen = s.scrape
	s.order = append(s.order, item)
	return item, true
}

// find looks first where the thing was in the last scrape: servers seldom change the order, and a comparison is cheaper than a hash.
func (s *Set[T]) find(key []byte) *Item[T] {
	if n := len(s.order); n < len(s.last) && s.last[n].key == string(key) {
		return s.last[n]
	}
	return s.items[string(key)]
}

// Find returns the thing called name if this scrape has met it, else nil.
func (s *Set[T]) Find(name []byte) *Item[T] {
	if item := s.items[string(name)]; item != nil && item.seen == s.scrape {
		return item
	}
	return nil
}

func (s *Set[T]) admit(name string) *Item[T] {
	item := &Item[T]{Name: name}
	expected := slices.Contains(s.expected, name)
	wanted := (len(s.config.Include) == 0 || s.include.Matches(name)) && !s.exclude.Matches(name)
	item.limited = wanted && !expected && s.kept >= s.config.Limit
	item.Kept = expected || wanted && !item.limited
	if item.Kept {
		s.kept++
	}
	return item
}

// Seen returns the things of this scrape in the order in which they were met.
func (s *Set[T]) Seen() []*Item[T] {
	return s.order
}

// Len returns how many things are remembered, whether or not this scrape met them.
func (s *Set[T]) Len() int { return len(s.items) }

// Missing returns the expected names that this scrape did not meet.
func (s *Set[T]) Missing() []string {
	var missing []string
	for _, name := range s.expected {
		if item := s.items[name]; item == nil || item.seen != s.scrape {
			missing = append(missing, name)
		}
	}
	return missing
}

// Limited returns how many things of this scrape the limit left out.
func (s *Set[T]) Limited() int {
	n := 0
	for _, item := range s.order {
		if item.limited {
			n++
		}
	}
	return n
}

// End forgets what this scrape did not meet. An incomplete scrape proves nothing about absence: it forgets only
// what has been gone for patience scrapes.
func (s *Set[T]) End(complete bool) {
	oldest := s.scrape
	if !complete {
		oldest -= min(oldest, patience)
	}
	for _, item := range s.items {
		if item.seen < oldest {
			s.forget(item)
		}
	}
}

func (s *Set[T]) forget(item *Item[T]) {
	if item.Kept {
		s.kept--
	}
	delete(s.items, item.key)
}

// AppendName appends to dst what may stand in an attribute of a string that a server supplied: valid UTF-8, at most MaxName bytes.
func AppendName[T string | []byte](dst []byte, name T) []byte {
	if isName(name) {
		return append(dst, name...)
	}
	return append(dst, clean(string(name))...)
}

// Name is AppendName for a string of its own. A string that needs no cleaning is returned as it is.
func Name[T string | []byte](name T) string {
	if isName(name) {
		return string(name)
	}
	return clean(string(name))
}

func isName[T string | []byte](name T) bool {
	return len(name) <= MaxName && utf8.Valid([]byte(name)) // no copy: the compiler sees that nobody writes to it
}

func clean(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= MaxName {
		return name
	}
	cut := MaxName
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut]
}
