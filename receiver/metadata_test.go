// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// metadata holds the parts of a metadata.yaml to which the rules apply.
type metadata struct {
	Attributes map[string]attribute
	Resource   map[string]attribute `yaml:"resource_attributes"`
	Metrics    map[string]metric
}

type attribute struct {
	Description string
	Type        string
	Enum        []string
	Name        string `yaml:"name_override"`
	Level       string `yaml:"requirement_level"`
	Enabled     bool
}

type metric struct {
	Description string
	Unit        string
	Gauge       *gauge
	Sum         *sum
	Attributes  []string
}

type gauge struct {
	Type string `yaml:"value_type"`
}

type sum struct {
	Type        string `yaml:"value_type"`
	Monotonic   *bool
	Temporality string `yaml:"aggregation_temporality"`
}

func (m metric) monotonic() bool { return m.Sum != nil && m.Sum.Monotonic != nil && *m.Sum.Monotonic }

func (m metric) upDown() bool { return m.Sum != nil && !m.monotonic() }

// The vocabulary. Add a word only if no existing one has the meaning.
var (
	// ratios lists the last words of gauges with unit 1, besides average, min and max. The Prometheus exporter appends _ratio to
	// them.
	ratios = words(`utilization io_utilization packet_loss packet_loss_overall coverage reduction stress steal bit_error snr strength range default_range`)
	// states lists the last words of up-down sums with unit 1: yes or no, or one of several states.
	states = words(`up state info alive active healthy draining overloaded ready recording running static invalid locked mounted degraded divergent loaded
		available probing failing_ice graceful_shutdown shutting_down present responsive remote failed`)
	// ofMany lists the last words of statistics over several items.
	ofMany = words(`average min max`)
	// notPlural lists the last words of monotonic sums that need not be plural nouns.
	notPlural = words(`io time squared_time`)
	// units lists the base units. All other units are annotations.
	units = words(`1 s s2 By By/s Cel Hz`)
	// unitWords lists words that names must not contain, because they repeat the unit or the instrument.
	unitWords = words(`total ms msec millisecond milliseconds sec secs second seconds minute minutes byte bytes kb mb gb kib mib gib
		bits bitrate bps kbps kbit kbits mbps percent percentage pct ratio celsius hertz hz counter gauge`)
	// endInS lists singular nouns that end in s.
	endInS = words(`process status bus class address loss access series`)
)

var (
	namePattern       = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)+$`)
	annotationPattern = regexp.MustCompile(`^\{([a-z]+(_[a-z]+)*)\}(/s)?$`)
	countPattern      = regexp.MustCompile(`^count(_by_[a-z0-9_]+)?$`)
)

func words(list string) []string { return strings.Fields(list) }

func lastWord(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// metricRules holds the rules for each metric. A rule returns what is wrong, or an empty string.
var metricRules = map[string]func(name string, m metric) string{
	"name":        func(name string, _ metric) string { return checkName(name) },
	"description": func(_ string, m metric) string { return checkDescription(m.Description) },
	"unit":        func(_ string, m metric) string { return checkUnit(m.Unit) },
	"instrument":  func(_ string, m metric) string { return checkInstrument(m) },
	"count":       checkCount,
	"io":          checkIO,
	"throughput":  checkThroughput,
	"ratio":       checkRatio,
	"state":       checkState,
	"plural":      checkPlural,
	"value type":  checkValueType,
}

// attributeRules holds the rules for each attribute of a metric.
var attributeRules = map[string]func(name string, a attribute) string{
	"name":        func(name string, _ attribute) string { return checkName(name) },
	"description": func(_ string, a attribute) string { return checkDescription(a.Description) },
	"level":       func(_ string, a attribute) string { return checkLevel(a) },
}

// fileRules holds the rules for a whole metadata.yaml.
var fileRules = map[string]func(metadata) []string{
	"metric namespaces":    func(md metadata) []string { return checkNamespaces(maps.Keys(md.Metrics)) },
	"attribute namespaces": checkAttributeNamespaces,
	"attributes":           checkAttributesDefined,
}

// receiverRules holds the additional rules for a metadata.yaml of a receiver with targets.
var receiverRules = map[string]func(metadata) []string{
	"shared metrics": checkSharedMetrics,
	"resource":       checkResource,
}

func checkName(name string) string {
	if !namePattern.MatchString(name) {
		return "is not made of dotted lower_snake_case words"
	}
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '_' }) {
		if slices.Contains(unitWords, word) {
			return fmt.Sprintf("says %q, which belongs into the unit or nowhere", word)
		}
	}
	return ""
}

func checkDescription(text string) string {
	switch {
	case text == "" || strings.TrimSpace(text) != text || strings.Contains(text, "\n"):
		return "description is empty, or has white space around it, or several lines"
	case !strings.HasSuffix(text, "."):
		return "description does not end with a period"
	case text[:1] != strings.ToUpper(text[:1]) && !strings.Contains(strings.Fields(text)[0], "_"):
		return "description does not begin with a capital letter"
	}
	return ""
}

func checkUnit(unit string) string {
	if slices.Contains(units, unit) {
		return ""
	}
	annotation := annotationPattern.FindStringSubmatch(unit)
	switch {
	case annotation == nil:
		return fmt.Sprintf("unit %q is no base unit", unit)
	case strings.HasSuffix(annotation[1], "s") && !slices.Contains(endInS, annotation[1]):
		return fmt.Sprintf("unit %q is a plural", unit)
	}
	return ""
}

func checkInstrument(m metric) string {
	switch {
	case (m.Gauge == nil) == (m.Sum == nil):
		return "is not either a gauge or a sum"
	case m.Sum == nil:
		return ""
	case m.Sum.Monotonic == nil:
		return "does not say whether it is monotonic"
	case m.Sum.Temporality != "cumulative":
		return "is not cumulative"
	}
	return ""
}

func checkCount(name string, m metric) string {
	if countPattern.MatchString(lastWord(name)) && (!m.upDown() || !strings.HasPrefix(m.Unit, "{")) {
		return "counts things that are there now: an up-down sum of {things}"
	}
	return ""
}

func checkIO(name string, m metric) string {
	if lastWord(name) == "io" && (!m.monotonic() || m.Unit != "By") {
		return "is a monotonic sum in By"
	}
	return ""
}

func checkThroughput(name string, m metric) string {
	isRate := m.Unit == "By/s"
	isNamed := strings.Contains(name, "throughput")
	if isRate != isNamed || isRate && m.Gauge == nil {
		return "bytes per second are a gauge in By/s called throughput"
	}
	return ""
}

func checkRatio(name string, m metric) string {
	if m.Gauge == nil || m.Unit != "1" {
		return ""
	}
	word := lastWord(name)
	if slices.Contains(ofMany, word) {
		word = lastWord(strings.TrimSuffix(name, "."+word))
	}
	if !slices.Contains(ratios, word) {
		return fmt.Sprintf("%q is no ratio: it would become %s_ratio in Prometheus", word, word)
	}
	return ""
}

func checkState(name string, m metric) string {
	isState := slices.Contains(states, lastWord(name))
	isNumber := m.Sum != nil && m.Unit == "1"
	switch {
	case isState && (!m.upDown() || m.Unit != "1"):
		return "is a yes or no, or a state: an up-down sum with unit 1"
	case isNumber && !isState:
		return "a sum with unit 1 is a yes or no, or a state; this one counts something that the unit must name"
	}
	return ""
}

func checkPlural(name string, m metric) string {
	word, _, _ := strings.Cut(lastWord(name), "_by_")
	if m.monotonic() && !strings.HasSuffix(word, "s") && !slices.Contains(notPlural, word) {
		return "is counted since a start, and so a plural noun, io or time"
	}
	return ""
}

// checkValueType requires double for measured values and int for counts.
func checkValueType(_ string, m metric) string {
	var got string
	switch {
	case m.Gauge != nil:
		got = m.Gauge.Type
	case m.Sum != nil:
		got = m.Sum.Type
	}
	measured := m.Unit == "s" || strings.HasSuffix(m.Unit, "/s") || m.Unit == "1" && m.Gauge != nil
	switch {
	case measured && got != "double":
		return "times, rates and ratios are doubles"
	case (m.Unit == "By" || m.upDown()) && got != "int":
		return "counts and bytes are ints"
	}
	return ""
}

func checkLevel(a attribute) string {
	if a.Level != "required" {
		return "needs requirement_level: required, else every point costs a search through all before it"
	}
	return ""
}

// checkNamespaces finds names that are also namespaces of other names.
func checkNamespaces(names func(func(string) bool)) (wrong []string) {
	taken := map[string]bool{}
	for name := range names {
		taken[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		for i := range name {
			if name[i] == '.' && taken[name[:i]] {
				wrong = append(wrong, fmt.Sprintf("%s is the namespace of %s", name[:i], name))
			}
		}
	}
	return wrong
}

// names returns the attributes of metrics and resources as they appear in points.
func (md metadata) names() func(func(string) bool) {
	return func(yield func(string) bool) {
		for key, a := range md.Attributes {
			if !yield(a.name(key)) {
				return
			}
		}
		for name := range md.Resource {
			if !yield(name) {
				return
			}
		}
	}
}

func (a attribute) name(key string) string {
	if a.Name != "" {
		return a.Name
	}
	return key
}

func checkAttributeNamespaces(md metadata) []string { return checkNamespaces(md.names()) }

func checkAttributesDefined(md metadata) (wrong []string) {
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(md.Metrics)) {
		for _, key := range md.Metrics[name].Attributes {
			used[key] = true
			if _, defined := md.Attributes[key]; !defined {
				wrong = append(wrong, fmt.Sprintf("%s has the attribute %s, which is not defined", name, key))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(md.Attributes)) {
		if !used[key] {
			wrong = append(wrong, fmt.Sprintf("the attribute %s is not used", key))
		}
	}
	return wrong
}

func monotonic(is bool) *sum { return &sum{Type: "int", Monotonic: &is, Temporality: "cumulative"} }

// sharedMetrics holds the metrics that are the same in all receivers, so that one alert and one Prometheus page cover all systems.
var sharedMetrics = map[string]metric{
	"rtc.target.up":                    {Description: "Whether the server answered the last scrape.", Unit: "1", Sum: monotonic(false)},
	"rtc.target.certificate.remaining": {Description: "Time until the certificate of the endpoint expires. Negative if it has expired.", Unit: "s", Gauge: &gauge{Type: "double"}},
	"rtc.scrape.duration":              {Description: "Duration of one API request of the last scrape.", Unit: "s", Gauge: &gauge{Type: "double"}, Attributes: words(`rtc.api`)},
	"rtc.scrape.errors":                {Description: "Number of failed requests to the server.", Unit: "{error}", Sum: monotonic(true), Attributes: words(`rtc.api error.type`)},
	"rtc.scrapes":                      {Description: "Number of scrapes since the receiver started.", Unit: "{scrape}", Sum: monotonic(true)},
	"rtc.scrape.omitted.count":         {Description: "Number of items that the last scrape omitted, by reason.", Unit: "{item}", Sum: monotonic(false), Attributes: words(`rtc.entity rtc.omission.reason`)},
}

func checkSharedMetrics(md metadata) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(sharedMetrics)) {
		got, want := md.Metrics[name], sharedMetrics[name]
		if got.Description != want.Description || got.Unit != want.Unit || !assert.ObjectsAreEqual(want.Gauge, got.Gauge) || !assert.ObjectsAreEqual(want.Sum, got.Sum) ||
			!slices.Equal(want.Attributes, got.Attributes) {
			wrong = append(wrong, name+" is missing, or not as in the other receivers")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(md.Metrics)) {
		if _, shared := sharedMetrics[name]; strings.HasPrefix(name, "rtc.") && !shared {
			wrong = append(wrong, name+" is not one of the metrics that all receivers have")
		}
	}
	return wrong
}

// resource holds the resource attributes of every process.
var resource = map[string]string{
	"service.name": "string", "service.instance.id": "string", "service.version": "string", "server.address": "string", "server.port": "int",
}

func checkResource(md metadata) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(resource)) {
		if a := md.Resource[name]; a.Type != resource[name] || !a.Enabled {
			wrong = append(wrong, fmt.Sprintf("resource attribute %s is missing, or switched off, or no %s", name, resource[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(md.Resource)) {
		if w := cmp.Or(checkName(name), checkDescription(md.Resource[name].Description)); w != "" {
			wrong = append(wrong, "resource attribute "+name+" "+w)
		}
	}
	return wrong
}

// own reports whether an attribute has different values in each receiver.
func own(key string) bool { return key == "rtc.entity" || key == "rtc.api" }

// checkAgainst checks that attributes with the same name have the same meaning in two receivers.
func checkAgainst(a, b metadata) (wrong []string) {
	for _, key := range slices.Sorted(maps.Keys(a.Attributes)) {
		mine := a.Attributes[key]
		for otherKey, other := range b.Attributes {
			if mine.name(key) == other.name(otherKey) && mine.Type != other.Type {
				wrong = append(wrong, fmt.Sprintf("%s has types %s and %s", mine.name(key), mine.Type, other.Type))
			}
		}
		other, both := b.Attributes[key]
		shared := strings.HasPrefix(key, "rtc.") || key == "error.type" || strings.HasPrefix(key, "network.")
		if both && shared && !own(key) && !compatible(mine.Enum, other.Enum) {
			wrong = append(wrong, fmt.Sprintf("%s has values %v and %v", key, mine.Enum, other.Enum))
		}
	}
	return wrong
}

// compatible reports whether one set of values contains the other. A set is not compatible with no set.
func compatible(a, b []string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return len(b) == 0
	}
	return !slices.ContainsFunc(a, func(v string) bool { return !slices.Contains(b, v) })
}

// lint returns all violations in the metadata.yaml of a receiver with targets.
func lint(md metadata) []string { return append(lintMetrics(md), check(receiverRules, md)...) }

// check returns the violations of rules for a whole metadata.yaml.
func check(rules map[string]func(metadata) []string, md metadata) (wrong []string) {
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		wrong = append(wrong, rules[rule](md)...)
	}
	return wrong
}

// lintMetrics returns all violations in the metrics and attributes of a metadata.yaml.
func lintMetrics(md metadata) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(md.Metrics)) {
		for _, rule := range slices.Sorted(maps.Keys(metricRules)) {
			if w := metricRules[rule](name, md.Metrics[name]); w != "" {
				wrong = append(wrong, name+" "+w)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(md.Attributes)) {
		a := md.Attributes[key]
		for _, rule := range slices.Sorted(maps.Keys(attributeRules)) {
			if w := attributeRules[rule](a.name(key), a); w != "" {
				wrong = append(wrong, "attribute "+key+" "+w)
			}
		}
	}
	return append(wrong, check(fileRules, md)...)
}

func read(t *testing.T, file string) metadata {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return parse(t, string(text))
}

func parse(t *testing.T, text string) (md metadata) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(text), &md))
	return md
}

// hostNetwork is the receiver of the host's network, which has no shared metrics and no identity, because it has no target.
const hostNetwork = "../internal/receiver/hostnetworkreceiver/metadata.yaml"

// TestMetadataOfHostNetwork checks that its metadata.yaml follows the rules for metrics and attributes, and that attributes have the same
// meaning as in the receivers.
func TestMetadataOfHostNetwork(t *testing.T) {
	md := read(t, hostNetwork)
	assert.Empty(t, lintMetrics(md))
	files, err := filepath.Glob("*/metadata.yaml")
	require.NoError(t, err)
	for _, other := range files {
		assert.Empty(t, checkAgainst(md, read(t, other)), other)
	}
}

// TestMetadata checks that every metadata.yaml follows the rules, and that attributes have the same meaning in all receivers.
func TestMetadata(t *testing.T) {
	files, err := filepath.Glob("*/metadata.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for i, file := range files {
		t.Run(filepath.Dir(file), func(t *testing.T) {
			md := read(t, file)
			for _, wrong := range lint(md) {
				t.Error(wrong)
			}
			for _, other := range files[:i] {
				for _, wrong := range checkAgainst(md, read(t, other)) {
					t.Errorf("beside %s: %s", other, wrong)
				}
			}
		})
	}
}

// good is a file that follows all rules. The tests of the rules modify it.
const good = `
resource_attributes:
  service.name: {description: The system., type: string, enabled: true}
  service.instance.id: {description: Tells servers apart., type: string, enabled: true}
  service.version: {description: Version., type: string, enabled: true}
  server.address: {description: Host., type: string, enabled: true}
  server.port: {description: Port., type: int, enabled: true}
attributes:
  rtc.api: {description: Path., type: string, requirement_level: required}
  error.type: {description: Reason., type: string, requirement_level: required, enum: [timeout, _OTHER]}
  rtc.entity: {description: Kind., type: string, requirement_level: required, enum: [stream]}
  rtc.omission.reason: {description: Reason., type: string, requirement_level: required, enum: [limit]}
  input_error: {description: Fault., name_override: error.type, type: string, requirement_level: required}
  x.stream.name: {description: Name., type: string, requirement_level: required}
metrics:
  rtc.target.up: {description: Whether the server answered the last scrape., unit: '1', sum: {value_type: int, monotonic: false, aggregation_temporality: cumulative}}
  rtc.target.certificate.remaining: {description: Time until the certificate of the endpoint expires. Negative if it has expired., unit: s, gauge: {value_type: double}}
  rtc.scrape.duration: {description: Duration of one API request of the last scrape., unit: s, gauge: {value_type: double}, attributes: [rtc.api]}
  rtc.scrape.errors: {description: Number of failed requests to the server., unit: '{error}', attributes: [rtc.api, error.type],
    sum: {value_type: int, monotonic: true, aggregation_temporality: cumulative}}
  rtc.scrape.omitted.count: {description: 'Number of items that the last scrape omitted, by reason.', unit: '{item}', attributes: [rtc.entity, rtc.omission.reason],
    sum: {value_type: int, monotonic: false, aggregation_temporality: cumulative}}
  rtc.scrapes: {description: Number of scrapes since the receiver started., unit: '{scrape}', sum: {value_type: int, monotonic: true, aggregation_temporality: cumulative}}
  x.stream.errors: {description: Faults., unit: '{error}', attributes: [x.stream.name, input_error],
    sum: {value_type: int, monotonic: true, aggregation_temporality: cumulative}}
  x.stream.packet_loss.average: {description: Share., unit: '1', gauge: {value_type: double}, attributes: [x.stream.name]}
`

func TestMetadataGoodExample(t *testing.T) {
	md := parse(t, good)
	assert.Empty(t, lint(md))
	assert.Empty(t, checkAgainst(md, md))
}

// TestMetadataRulesOfMetrics checks that each rule accepts good metrics and rejects bad ones.
func TestMetadataRulesOfMetrics(t *testing.T) {
	var (
		up        = metric{Unit: "{thing}", Sum: monotonic(false)}
		mono      = metric{Unit: "{thing}", Sum: monotonic(true)}
		yes       = metric{Unit: "1", Sum: monotonic(false)}
		bytes     = metric{Unit: "By", Sum: monotonic(true)}
		time      = metric{Unit: "s", Sum: monotonic(true)}
		ratio     = metric{Unit: "1", Gauge: &gauge{Type: "double"}}
		rate      = metric{Unit: "By/s", Gauge: &gauge{Type: "double"}}
		described = func(text string) metric { return metric{Description: text} }
		unit      = func(unit string) metric { return metric{Unit: unit} }
	)
	for rule, tc := range map[string]struct{ good, bad map[string]metric }{
		"name": {
			good: map[string]metric{"x.a": {}, "x.stream.lost_packets": {}, "x.count_by_2xx": {}},
			bad: map[string]metric{
				"x": {}, "X.a": {}, "x.aB": {}, "x..a": {}, "x.a.": {}, ".x.a": {}, "x.a__b": {}, "x._a": {}, "x.a_": {}, "x.a-b": {}, "x.a b": {}, "x.2xx": {},
				"x.readers.total": {}, "x.total_readers": {}, "x.delay_ms": {}, "x.bytes": {}, "x.input_bitrate": {}, "x.load_percent": {}, "x.uptime.seconds": {},
			},
		},
		"description": {
			good: map[string]metric{"a": described("Some text."), "b": described("Text, `code`, and more.")},
			bad: map[string]metric{
				"none": {}, "no period": described("Text"), "line behind": described("Text.\n"), "two lines": described("Some\ntext."),
				"space before": described(" Text."), "small letter": described("text."),
			},
		},
		"unit": {
			good: map[string]metric{
				"a": unit("1"), "b": unit("s"), "c": unit("By"), "d": unit("By/s"), "e": unit("Cel"), "f": unit("Hz"),
				"g": unit("{packet}"), "h": unit("{packet}/s"), "i": unit("{file_descriptor}"), "j": unit("{process}"),
			},
			bad: map[string]metric{
				"a": unit(""), "b": unit("ms"), "c": unit("%"), "d": unit("kbit/s"), "e": unit("MB"), "f": unit("min"), "g": unit("MBy"), "h": unit("bit/s"),
				"i": unit("packet"), "j": unit("{packets}"), "k": unit("{}"), "l": unit("{packet}/min"), "m": unit("{Packet}"), "n": unit("seconds"),
			},
		},
		"instrument": {
			good: map[string]metric{"a": ratio, "b": up, "c": mono},
			bad: map[string]metric{
				"none": {}, "both": {Gauge: &gauge{}, Sum: monotonic(true)},
				"monotonic?": {Sum: &sum{Temporality: "cumulative"}}, "delta": {Sum: &sum{Monotonic: new(bool), Temporality: "delta"}},
			},
		},
		"count": {
			good: map[string]metric{"x.count": up, "x.count_by_state": up, "x.counts": mono, "x.discount": mono},
			bad:  map[string]metric{"x.count": mono, "x.y.count": yes, "x.count_by_state": mono, "y.count": ratio},
		},
		"io": {
			good: map[string]metric{"x.io": bytes, "x.studio": up},
			bad:  map[string]metric{"x.io": {Unit: "By", Sum: monotonic(false)}, "y.io": mono, "z.io": rate},
		},
		"throughput": {
			good: map[string]metric{"x.throughput": rate, "x.available_throughput.min": rate, "x.packet_rate": {Unit: "{packet}/s", Gauge: &gauge{}}},
			bad:  map[string]metric{"x.speed": rate, "x.throughput": ratio, "y.throughput": {Unit: "By/s", Sum: monotonic(false)}, "z.throughput": bytes},
		},
		"ratio": {
			good: map[string]metric{"x.utilization": ratio, "x.packet_loss": ratio, "x.packet_loss.average": ratio, "x.io_utilization": ratio, "x.load": up},
			bad:  map[string]metric{"x.load": ratio, "x.alive": ratio, "x.average": ratio, "x.load.max": ratio, "x.score.min": ratio},
		},
		"state": {
			good: map[string]metric{"x.alive": yes, "x.state": yes, "x.info": yes, "x.graceful_shutdown": yes, "x.streams": mono},
			bad:  map[string]metric{"x.state": up, "x.alive": {Unit: "1", Sum: monotonic(true)}, "x.healthy": ratio, "x.streams": yes, "x.size": yes},
		},
		"plural": {
			good: map[string]metric{"x.packets": mono, "x.io": bytes, "x.time": time, "x.requests_by_method": mono, "x.size": up},
			bad:  map[string]metric{"x.packet": mono, "x.lost": mono, "x.uptime": time, "x.request_by_method": mono, "x.usage": bytes},
		},
		"value type": {
			good: map[string]metric{"a": ratio, "b": rate, "c": up, "d": bytes, "e": {Unit: "s", Sum: &sum{Type: "double", Monotonic: new(true)}}, "f": {Unit: "{score}", Gauge: &gauge{Type: "int"}}},
			bad: map[string]metric{
				"a": {Unit: "1", Gauge: &gauge{Type: "int"}}, "b": {Unit: "By/s", Gauge: &gauge{Type: "int"}}, "c": {Unit: "{thing}", Sum: &sum{Type: "double"}},
				"d": {Unit: "By", Gauge: &gauge{Type: "double"}}, "e": time,
			},
		},
	} {
		t.Run(rule, func(t *testing.T) {
			check := metricRules[rule]
			require.NotNil(t, check)
			for name, m := range tc.good {
				assert.Empty(t, check(name, m), name)
			}
			for name, m := range tc.bad {
				assert.NotEmpty(t, check(name, m), name)
			}
		})
	}
	assert.Len(t, metricRules, 11, "a new rule has an example above")
}

func TestMetadataRulesOfFiles(t *testing.T) {
	for name, tc := range map[string]struct{ old, changed, want string }{
		"name of a metric":         {"x.stream.errors:", "x.stream.Errors:", "x.stream.Errors is not made of"},
		"total":                    {"x.stream.errors:", "x.stream.errors_total:", `says "total"`},
		"unit":                     {"unit: s,", "unit: ms,", `unit "ms" is no base unit`},
		"name of an attribute":     {"x.stream.name", "x.streamName", "attribute x.streamName is not made of"},
		"overridden name":          {"name_override: error.type", "name_override: errorType", "attribute input_error is not made of"},
		"level":                    {"Name., type: string, requirement_level: required", "Name., type: string", "attribute x.stream.name needs requirement_level"},
		"another level":            {"Name., type: string, requirement_level: required", "Name., type: string, requirement_level: opt_in", "attribute x.stream.name needs requirement_level"},
		"attribute's description":  {"description: Name.", "description: Name", "attribute x.stream.name description"},
		"metric is a namespace":    {"x.stream.packet_loss.average", "x.stream.errors.average", "x.stream.errors is the namespace of x.stream.errors.average"},
		"attribute is a namespace": {"x.stream.name", "rtc.api.name", "rtc.api is the namespace of rtc.api.name"},
		"beside the resource":      {"x.stream.name", "service.version.name", "service.version is the namespace of service.version.name"},
		"overridden to a namespace": {
			"name_override: error.type", "name_override: x.stream", "x.stream is the namespace of x.stream.name",
		},
		"attribute is not defined":    {"attributes: [x.stream.name]", "attributes: [x.vhost]", "has the attribute x.vhost, which is not defined"},
		"attribute is not used":       {"[x.stream.name, input_error]", "[x.stream.name]", "the attribute input_error is not used"},
		"shared metric is missing":    {"rtc.target.up", "x.target.up", "rtc.target.up is missing"},
		"shared metric: description":  {"scrapes since the", "scrapes since this", "rtc.scrapes is missing, or not"},
		"shared metric: unit":         {"'{item}'", "'{thing}'", "rtc.scrape.omitted.count is missing, or not"},
		"shared metric: kind":         {"'{error}', attributes: [rtc.api, error.type],\n    sum: {value_type: int, monotonic: true", "'{error}', attributes: [rtc.api, error.type],\n    sum: {value_type: int, monotonic: false", "rtc.scrape.errors is missing, or not"},
		"shared metric: attributes":   {"[rtc.api, error.type]", "[rtc.api]", "rtc.scrape.errors is missing, or not"},
		"one more shared metric":      {"x.stream.errors:", "rtc.stream.errors:", "rtc.stream.errors is not one of the metrics"},
		"resource attribute missing":  {"  server.port: {description: Port., type: int, enabled: true}", "", "resource attribute server.port is missing"},
		"resource attribute off":      {"Version., type: string, enabled: true", "Version., type: string, enabled: false", "resource attribute service.version is missing, or switched off"},
		"resource attribute's type":   {"Port., type: int", "Port., type: string", "resource attribute server.port is missing, or switched off, or no int"},
		"resource attribute's period": {"The system.", "The system", "resource attribute service.name description"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, tc.old)
			wrong := lint(parse(t, strings.ReplaceAll(good, tc.old, tc.changed)))
			assert.Contains(t, strings.Join(wrong, "\n"), tc.want)
		})
	}
}

func TestMetadataRulesBesideOthers(t *testing.T) {
	for name, tc := range map[string]struct{ old, changed, want string }{
		"type":                   {"x.stream.name: {description: Name., type: string", "x.stream.name: {description: Name., type: int", "x.stream.name has types string and int"},
		"type of a shared one":   {"rtc.api: {description: Path., type: string", "rtc.api: {description: Path., type: int", "rtc.api has types string and int"},
		"values":                 {"[timeout, _OTHER]", "[timeout, other]", "error.type has values"},
		"values here only":       {", enum: [limit]", "", "rtc.omission.reason has values"},
		"a subset":               {"[timeout, _OTHER]", "[timeout]", ""},
		"more values":            {"[limit]", "[limit, merged]", ""},
		"values that may differ": {"[stream]", "[room]", ""},
		"text":                   {"Reason.", "Cause.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, tc.old)
			wrong := checkAgainst(parse(t, good), parse(t, strings.ReplaceAll(good, tc.old, tc.changed)))
			if tc.want == "" {
				assert.Empty(t, wrong)
				return
			}
			assert.Contains(t, strings.Join(wrong, "\n"), tc.want)
		})
	}
}
