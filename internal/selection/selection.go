// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package selection selects the named items of a server, such as streams or rooms, that get data points of their own, and remembers
// them between scrapes.
package selection

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/filter"
)

// MaxName is the maximum length in bytes of a name in an attribute. Longer names are truncated.
const MaxName = 256

// maxMissed is the number of consecutive incomplete scrapes after which a missing item is forgotten.
const maxMissed = 20

// Config selects the items that get data points of their own. Receivers embed it in their configuration.
type Config struct {
	// Include lists the names to keep. If it is empty, all names are kept.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists the names to omit. It takes precedence over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the maximum number of items kept at a time, at least 1. Items that are already kept have precedence.
	Limit int `mapstructure:"limit"`
}

// Validate returns an error if the limit is less than 1.
func (c *Config) Validate() error {
	if c.Limit < 1 {
		return errors.New("limit: must be at least 1, such as 20000")
	}
	return nil
}

// Item is one named item of a server.
type Item[T any] struct {
	// Name is compared with the names in Config.
	Name string
	// Kept reports whether the item gets data points of its own.
	Kept bool
	// Waits reports whether End may still keep the item, because items that were kept before may be gone.
	Waits bool
	// Value is the state that the receiver keeps for the item.
	Value T

	key     string // unique
	seen    uint64 // last scrape that called Get for the item
	listed  uint64 // last scrape that passed the item to BeginWith
	limited bool   // omitted only because of the limit
}

// Set remembers items. Each scrape calls Begin, then Get for every item of the server, then End. If the limit is reached, a new item
// waits until End, which gives it the place of an item that is gone.
type Set[T any] struct {
	config           Config
	expected         []string
	include, exclude filter.Filter
	items            map[string]*Item[T]
	current          []*Item[T] // items of the current scrape in order
	previous         []*Item[T] // items of the previous scrape in order
	kept             int
	scrape           uint64
	seen, waiting    int // items of the current scrape that are kept, and that wait
}

// New returns an empty Set. Items with expected names are always kept. Missing returns those that are absent.
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
	s.current, s.previous = s.previous[:0], s.current
	s.seen, s.waiting = 0, 0
}

// BeginWith is like Begin for a scrape whose keys are known in advance. It forgets all other items at once, so that no item has to
// wait for their places.
func (s *Set[T]) BeginWith(keys iter.Seq[[]byte]) {
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

// Keys returns the keys of the elements of list, for BeginWith. A key is valid until the next iteration.
func Keys[E any](list []E, key func(*E) []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range list {
			if !yield(key(&list[i])) {
				return
			}
		}
	}
}

// Get returns the item called name, adding it if it is new, and whether this is the first call for it in this scrape. The item
// keeps a copy of name.
func (s *Set[T]) Get(name []byte) (item *Item[T], first bool) {
	return s.GetKey(name, name)
}

// GetKey is like Get for items that are identified by a key and may share a name. Missing does not support such items.
func (s *Set[T]) GetKey(key, name []byte) (item *Item[T], first bool) {
	item = s.lookup(key)
	if item == nil {
		item = s.newItem(string(name))
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
	s.current = append(s.current, item)
	// No more items wait than there are places that may become free.
	if item.Waits = item.limited && s.waiting < s.kept-s.seen; item.Waits {
		s.waiting++
	}
	if item.Kept {
		s.seen++
	}
	return item, true
}

// lookup compares key with the item at the same position of the previous scrape before it searches the map: servers rarely change
// the order, and a comparison is cheaper than hashing.
func (s *Set[T]) lookup(key []byte) *Item[T] {
	if n := len(s.current); n < len(s.previous) && s.previous[n].key == string(key) {
		return s.previous[n]
	}
	return s.items[string(key)]
}

// Find returns the item called name if this scrape has called Get for it, or nil.
func (s *Set[T]) Find(name []byte) *Item[T] {
	if item := s.items[string(name)]; item != nil && item.seen == s.scrape {
		return item
	}
	return nil
}

func (s *Set[T]) newItem(name string) *Item[T] {
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

// Items returns the items of this scrape in the order of their first Get.
func (s *Set[T]) Items() []*Item[T] {
	return s.current
}

// Len returns the number of remembered items, including those that this scrape has not seen.
func (s *Set[T]) Len() int { return len(s.items) }

// Missing returns the expected names that this scrape has not seen.
func (s *Set[T]) Missing() []string {
	var missing []string
	for _, name := range s.expected {
		if item := s.items[name]; item == nil || item.seen != s.scrape {
			missing = append(missing, name)
		}
	}
	return missing
}

// Limited returns the number of items of this scrape that are omitted because of the limit.
func (s *Set[T]) Limited() int {
	n := 0
	for _, item := range s.current {
		if item.limited {
			n++
		}
	}
	return n
}

// End ends a scrape. A complete scrape forgets all items that it has not seen, and gives their places to items that wait, in order.
// An incomplete scrape may have missed items: it forgets only those that have not been seen for maxMissed scrapes.
func (s *Set[T]) End(complete bool) {
	oldest := s.scrape
	if !complete {
		oldest -= min(oldest, maxMissed)
	}
	for _, item := range s.items {
		if item.seen < oldest {
			s.forget(item)
		}
	}
	if complete && s.waiting > 0 {
		s.keepWaiting()
	}
}

// keepWaiting keeps as many of the items that wait as there are places.
func (s *Set[T]) keepWaiting() {
	for _, item := range s.current {
		if item.Waits && s.kept < s.config.Limit {
			item.limited, item.Kept = false, true
			s.kept++
		}
		item.Waits = false
	}
	s.waiting = 0
}

func (s *Set[T]) forget(item *Item[T]) {
	if item.Kept {
		s.kept--
	}
	delete(s.items, item.key)
}

// AppendName appends name to dst as an attribute value: valid UTF-8 of at most MaxName bytes.
func AppendName[T string | []byte](dst []byte, name T) []byte {
	if isName(name) {
		return append(dst, name...)
	}
	return append(dst, sanitize(string(name))...)
}

// Name returns name as an attribute value: valid UTF-8 of at most MaxName bytes.
func Name[T string | []byte](name T) string {
	if isName(name) {
		return string(name)
	}
	return sanitize(string(name))
}

func isName[T string | []byte](name T) bool {
	return len(name) <= MaxName && utf8.Valid([]byte(name)) // the compiler avoids the copy
}

func sanitize(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= MaxName {
		return name
	}
	end := MaxName
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}
