// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// label is a label of a series, not escaped.
type label struct{ name, value string }

// commonLabels are the labels that all series of a scope have in common.
type commonLabels struct {
	labels   []label
	replaced []string // attributes of data points that give way to attributes of the resource
	key      string   // differs when the labels differ
	err      error
}

// commonLabels returns the labels of the target, of its resource and of the scope, and the constant ones.
func (s *Store) commonLabels(t *target, resource pcommon.Map, scope pmetric.ScopeMetrics) *commonLabels {
	c := &commonLabels{labels: slices.Clone(s.common)}
	if t.hasJob && !s.config.WithoutTarget {
		c.labels = append(c.labels, label{model.JobLabel, t.Job})
	}
	if t.hasInstance && !s.config.WithoutTarget {
		c.labels = append(c.labels, label{model.InstanceLabel, t.Instance})
	}
	for key, value := range resource.All() {
		if s.config.ResourceLabel(key) {
			c.replaced = append(c.replaced, key)
			c.add(s.config.LabelName, key, value.AsString())
		}
	}
	if s.config.ScopeLabels {
		c.labels = append(c.labels, label{"otel_scope_name", scope.Scope().Name()}, label{"otel_scope_version", scope.Scope().Version()},
			label{"otel_scope_schema_url", scope.SchemaUrl()})
		for key, value := range scope.Scope().Attributes().All() {
			if key != "name" && key != "version" && key != "schema_url" {
				c.add(s.config.LabelName, "otel_scope_"+key, value.AsString())
			}
		}
	}
	c.key = fmt.Sprintf("%q%q", c.labels, c.replaced)
	return c
}

// add translates the name of an attribute and adds the label.
func (c *commonLabels) add(translate func(string) (string, error), key, value string) {
	name, err := translate(key)
	c.err = errors.Join(c.err, err)
	c.labels = append(c.labels, label{name, value})
}

// schema renders the labels of data points that have the same attributes in the same order: literals with the values between them.
type schema struct {
	keys     []string
	order    []int // the attribute whose value follows the literal of the same position
	literals []string
	quoted   bool // a name is in quotes, which not every client understands
	err      error
}

// newSchema sorts the labels by name, and joins what does not depend on the data point into literals.
func (s *Store) newSchema(keys []string, common *commonLabels, kind Kind) *schema {
	type column struct {
		label
		attribute int
	}
	columns := make([]column, 0, len(common.labels)+len(keys))
	for _, l := range common.labels {
		columns = append(columns, column{l, -1})
	}
	c := &schema{keys: slices.Clone(keys), err: common.err}
	for i, key := range keys {
		if !slices.Contains(common.replaced, key) {
			name, err := s.config.LabelName(key)
			c.err = errors.Join(c.err, err)
			columns = append(columns, column{label{name: name}, i})
		}
	}
	slices.SortStableFunc(columns, func(a, b column) int { return strings.Compare(a.name, b.name) })

	var literal []byte
	for i, column := range columns {
		c.check(column.label, kind)
		if i > 0 {
			literal = append(literal, ',')
			if columns[i-1].name == column.name {
				c.err = fmt.Errorf("two labels are called %q", column.name)
			}
		}
		if model.LegacyValidation.IsValidLabelName(column.name) {
			literal = append(literal, column.name...)
		} else {
			c.quoted = true
			literal = append(appendEscaped(append(literal, '"'), column.name), '"')
		}
		literal = append(literal, `="`...)
		if column.attribute < 0 {
			literal = appendEscaped(literal, column.value)
		} else {
			c.order, c.literals, literal = append(c.order, column.attribute), append(c.literals, string(literal)), literal[:0]
		}
		literal = append(literal, '"')
	}
	c.literals = append(c.literals, string(literal))
	return c
}

// check notes a label that Prometheus refuses.
func (c *schema) check(l label, kind Kind) {
	switch {
	case l.name == "" || !utf8.ValidString(l.name) || strings.HasPrefix(l.name, "__"):
		c.err = fmt.Errorf("%q cannot be the name of a label", l.name)
	case kind == Summary && l.name == model.QuantileLabel, kind == Histogram && l.name == model.BucketLabel:
		c.err = fmt.Errorf("a %s cannot have a label %q of its own", kind, l.name)
	case !utf8.ValidString(l.value):
		c.err = errNotUTF8
	}
}

var errNotUTF8 = errors.New("the value of a label is not UTF-8")

// matches reports whether the rendered labels are those that the values give. It renders nothing: values that would have to be escaped
// never match.
func (c *schema) matches(rendered []byte, values []string) bool {
	for i, literal := range c.literals {
		if len(rendered) < len(literal) || string(rendered[:len(literal)]) != literal {
			return false
		}
		rendered = rendered[len(literal):]
		if i == len(c.order) {
			break
		}
		value := values[c.order[i]]
		if len(rendered) < len(value) || string(rendered[:len(value)]) != value ||
			strings.IndexByte(value, '"') >= 0 || strings.IndexByte(value, '\\') >= 0 {
			return false
		}
		rendered = rendered[len(value):]
	}
	return len(rendered) == 0
}

// append renders the labels of a data point.
func (c *schema) append(dst []byte, values []string) ([]byte, error) {
	for i, literal := range c.literals {
		dst = append(dst, literal...)
		if i == len(c.order) {
			break
		}
		value := values[c.order[i]]
		if !utf8.ValidString(value) {
			return dst, errNotUTF8
		}
		dst = appendEscaped(dst, value)
	}
	return dst, nil
}

// appendEscaped appends a string as it stands between quotes.
func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', '"':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
