// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// document is a page of the documentation.
type document struct {
	path    string // from the root of the repository
	links   []string
	anchors []string // of its headings
	blocks  []block
	code    []string // code within sentences
}

// block is a code block.
type block struct {
	line           int
	language, text string
}

// documents reads all pages of the repository.
var documents = sync.OnceValues(func() (pages map[string]*document, err error) {
	paths, err := listFiles("*.md")
	if err != nil {
		return nil, err
	}
	pages = map[string]*document{}
	for _, path := range paths {
		source, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			return nil, err
		}
		if pages[path], err = readDocument(path, source); err != nil {
			return nil, err
		}
	}
	return pages, nil
})

// listFiles returns the paths of the files of the repository that match pattern, from its root.
func listFiles(pattern string) ([]string, error) {
	list := exec.CommandContext(context.Background(), "git", "ls-files", "--cached", "--others", "--exclude-standard", pattern)
	list.Dir = ".."
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	return strings.Fields(string(output)), nil
}

func readDocument(path string, source []byte) (*document, error) {
	d := &document{path: path}
	root := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(source))
	err := ast.Walk(root, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := node.(type) {
		case *ast.Link:
			d.links = append(d.links, string(n.Destination))
		case *ast.Image:
			d.links = append(d.links, string(n.Destination))
		case *ast.Heading:
			d.anchors = append(d.anchors, anchor(plainText(n, source), d.anchors))
		case *ast.CodeSpan:
			d.code = append(d.code, plainText(n, source))
		case *ast.FencedCodeBlock:
			line := 1 + strings.Count(string(source[:n.Lines().At(0).Start]), "\n")
			d.blocks = append(d.blocks, block{line, string(n.Language(source)), string(n.Lines().Value(source))})
		}
		return ast.WalkContinue, nil
	})
	return d, err
}

// plainText returns the text of a node without its markup.
func plainText(node ast.Node, source []byte) (plain string) {
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		if t, ok := child.(*ast.Text); ok {
			plain += string(t.Value(source))
		} else {
			plain += plainText(child, source)
		}
	}
	return plain
}

// anchor returns the fragment of a heading as GitHub makes it: in lower case, without punctuation, and with a number if it is not the first.
func anchor(heading string, before []string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
	numbered := plain
	for i := 1; slices.Contains(before, numbered); i++ {
		numbered = plain + "-" + strconv.Itoa(i)
	}
	return numbered
}

// TestLinks checks that links within the repository have a target, and those with a fragment a heading.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, err := documents()
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for path, page := range pages {
		for _, link := range page.links {
			target, err := url.Parse(link)
			require.NoError(t, err, "%s: %s", path, link)
			if target.Scheme != "" {
				continue
			}
			to := path
			if target.Path != "" {
				to = filepath.Join(filepath.Dir(path), target.Path)
			}
			_, err = os.Stat(filepath.Join("..", to))
			require.NoError(t, err, "%s: %s", path, link)
			if target.Fragment != "" {
				require.Contains(t, pages, to, "%s: %s", path, link)
				assert.Contains(t, pages[to].anchors, target.Fragment, "%s: %s", path, link)
			}
		}
	}
}

// sections are the top-level keys of a configuration of the collector.
var sections = []string{"receivers", "processors", "exporters", "connectors", "extensions", "service"}

// TestConfigurationBlocks validates the blocks that are configurations of the collector, or parts of one. It completes parts with base.yaml
// and a pipeline.
func TestConfigurationBlocks(t *testing.T) {
	t.Parallel()
	pages, err := documents()
	require.NoError(t, err)
	validated := 0
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		for _, b := range pages[path].blocks {
			var content map[string]map[string]any
			if b.language != "yaml" || yaml.Unmarshal([]byte(b.text), &content) != nil || !isConfiguration(content) {
				continue
			}
			validated++
			t.Run(fmt.Sprintf("%s:%d", path, b.line), func(t *testing.T) {
				t.Parallel()
				completion, err := yaml.Marshal(complete(content))
				require.NoError(t, err)
				env := []string{"SHARD_INDEX=2", "SHARD_COUNT=3"}
				for _, name := range required.FindAllStringSubmatch(b.text, -1) {
					env = append([]string{name[1] + "=something"}, env...)
				}
				arguments := []string{"validate", "--config", shipped("base.yaml")}
				if fragment, ok := strings.CutPrefix(path, "distribution/compat/"); ok { // the block follows the fragment
					arguments = append(arguments, "--config", "compat/"+strings.TrimSuffix(fragment, ".md")+".yaml")
				}
				run(t, env, append(arguments, "--config", "yaml:"+b.text, "--config", "yaml:"+string(completion))...)
			})
		}
	}
	assert.Greater(t, validated, 25)
}

// isConfiguration reports whether a block is a configuration of the collector or part of one. The manifest of a collector has other keys.
func isConfiguration(content map[string]map[string]any) bool {
	for key := range content {
		if !slices.Contains(sections, key) {
			return false
		}
	}
	return len(content) > 0
}

// complete returns what a block lacks: a pipeline with its components, and the extensions that its receivers refer to.
func complete(content map[string]map[string]any) map[string]any {
	extensions := append(slices.Collect(maps.Keys(content["extensions"])), "healthcheckv2")
	completion := map[string]any{}
	if !slices.Contains(extensions, "basicauth") {
		extensions = append(extensions, "basicauth")
		completion["extensions"] = map[string]any{"basicauth": map[string]any{"client_auth": map[string]any{"username": "user", "password": "password"}}}
	}
	receivers, exporters := slices.Sorted(maps.Keys(content["receivers"])), slices.Sorted(maps.Keys(content["exporters"]))
	if len(receivers) == 0 {
		receivers = []string{"jitsi"}
		completion["receivers"] = map[string]any{"jitsi": map[string]any{"jvb": map[string]any{"endpoint": "http://127.0.0.1:8080"}}}
	}
	if len(exporters) == 0 {
		exporters = []string{"prometheus_page"}
	}
	completion["service"] = map[string]any{
		"extensions": extensions,
		"pipelines":  map[string]any{"metrics/documentation": map[string]any{"receivers": receivers, "exporters": exporters}},
	}
	return completion
}

// knownNames returns the names that the receivers have: of metrics and attributes, as they are and as on the page for Prometheus.
func knownNames(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	metrics, resource := rtctest.PageMetrics(t)
	for _, key := range resource {
		known[key] = true
	}
	for onPage, m := range metrics {
		known[onPage], known[m.Name] = true, true
		for i := range m.Keys {
			known[m.Keys[i]], known[m.Labels[i]] = true, true
		}
	}
	return known
}

// name matches what looks like the name of a metric or attribute. A *, braces or brackets after it mark the beginning of several names.
var name = regexp.MustCompile(
	`(?:^|[^.:\w])((?:zlmediakit|kamailio|rtpengine|jitsi|flussonic|mediasoup|edumeet|rtc)[._][a-z0-9_]+(?:\.[a-z0-9_]+)*)(\*|\.[*{<])?`)

// otherNames look like names of metrics, but are none.
var otherNames = map[string]string{
	"flussonic.log":                      "file",
	"jitsi_jvb":                          "part of a regular expression",
	"kamailio_ctl":                       "socket",
	"rtc.env":                            "file",
	"rtc_host_network":                   "component",
	"rtc_push":                           "value of an attribute",
	"rtc_target":                         "part of a regular expression",
	"rtpengine_delete":                   "function of Kamailio's module rtpengine",
	"rtpengine.enable":                   "RPC",
	"rtpengine.get_hash_total":           "RPC",
	"rtpengine.show":                     "RPC",
	"zlmediakit.media.svc.cluster.local": "host",
}

// fileName matches names of files.
var fileName = regexp.MustCompile(`\.(conf|md|service|txt|yaml)$`)

// codeOfDocumentation returns the code of each page, and the configurations, with their comments.
func codeOfDocumentation(t *testing.T) map[string]string {
	t.Helper()
	pages, err := documents()
	require.NoError(t, err)
	code := map[string]string{}
	for path, page := range pages {
		switch filepath.Base(path) {
		case "documentation.md", "CHANGELOG.md": // generated; with former names
			continue
		}
		pieces := slices.Clone(page.code)
		for _, b := range page.blocks {
			pieces = append(pieces, b.text)
		}
		code[path] = strings.Join(pieces, "\n")
	}
	configurations, err := listFiles("distribution/*.yaml")
	require.NoError(t, err)
	for _, path := range configurations {
		content, err := os.ReadFile(filepath.Join("..", path))
		require.NoError(t, err)
		code[path] = string(content)
	}
	return code
}

// TestNamesInDocumentation checks that the metrics and attributes in the code of the documentation exist.
func TestNamesInDocumentation(t *testing.T) {
	t.Parallel()
	known := knownNames(t)
	checked := 0
	for path, code := range codeOfDocumentation(t) {
		for _, match := range name.FindAllStringSubmatch(code, -1) {
			found, rest := match[1], match[2]
			isOld := strings.HasPrefix(path, "distribution/compat/") && !strings.Contains(found, ".") // name of an old exporter
			if isOld || otherNames[found] != "" || fileName.MatchString(found) || strings.HasPrefix(path, "testdata/") {
				continue
			}
			checked++
			assert.True(t, isKnown(known, found, rest != ""), "%s: %s", path, found)
		}
	}
	assert.Greater(t, checked, 2500)
}

// isKnown reports whether there is a name, or one with the beginning. The receiver makes kamailio.script.<name> of any statistic.
func isKnown(known map[string]bool, name string, isBeginning bool) bool {
	if known[name] || strings.HasPrefix(name, "kamailio.script") {
		return true
	}
	for other := range known {
		if isBeginning && strings.HasPrefix(other, name) {
			return true
		}
	}
	return false
}

// TestMetricCounts checks the numbers of metrics that README.md states.
func TestMetricCounts(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	counts := regexp.MustCompile(`\[(\d+) metrics]\((.*?)documentation\.md\)`).FindAllSubmatch(readme, -1)
	require.Len(t, counts, len(systems.All))
	for _, match := range counts {
		content, err := os.ReadFile(filepath.Join("..", string(match[2]), "metadata.yaml"))
		require.NoError(t, err)
		var declared struct{ Metrics map[string]any }
		require.NoError(t, yaml.Unmarshal(content, &declared))
		assert.Equal(t, strconv.Itoa(len(declared.Metrics)), string(match[1]), string(match[2]))
	}
}

// TestQuotedNumbers checks that the sizes in README.md are those that make compare and make soak measured last, which are in their tables.
func TestQuotedNumbers(t *testing.T) {
	t.Parallel()
	var measured, quoted [][]string
	for rows := tableRows(t, "../internal/comparison/README.md"); len(rows) > 1; rows = rows[1:] {
		if ours, exporter := rows[0], rows[1]; len(ours) == 7 && ours[0] == "ZLMediaKit, all schemas" {
			measured = append(measured, []string{ours[1], ours[3], ours[4], ours[6], exporter[4] + ", " + exporter[6]})
		}
	}
	for _, row := range tableRows(t, "../README.md") {
		if len(row) == 5 && strings.Trim(row[0], "0123456789") == "" {
			quoted = append(quoted, row)
		}
	}
	require.NotEmpty(t, measured)
	assert.Equal(t, measured, quoted)

	soaked := map[string][]string{}
	for _, row := range slices.Backward(tableRows(t, "../internal/soak/README.md")) { // the first table is that without an outage
		soaked[row[0]] = row[1:]
	}
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	sentence := regexp.MustCompile(`used\s+([\d.]+) of a core and (\d+) MiB`).FindStringSubmatch(string(readme))
	require.NotNil(t, sentence)
	assert.InDelta(t, highest(t, soaked["CPU, of one core"])/100, parseNumber(t, sentence[1]), 0.05)
	assert.InDelta(t, highest(t, soaked["RSS"]), parseNumber(t, sentence[2]), 10)
}

// tableRows returns the cells of all tables of a page. Numbers in them have neither separators nor a decimal 0.
func tableRows(t *testing.T, path string) (rows [][]string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		var row []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|\n"), "|") {
			cell = separator.ReplaceAllString(strings.TrimSpace(cell), "$1$2")
			row = append(row, strings.Replace(cell, ".0 ", " ", 1))
		}
		rows = append(rows, row)
	}
	return rows
}

var separator = regexp.MustCompile(`(\d),(\d)`)

// highest returns the highest of the numbers at the beginning of the cells.
func highest(t *testing.T, cells []string) float64 {
	t.Helper()
	require.NotEmpty(t, cells)
	var numbers []float64
	for _, cell := range cells {
		number, _, _ := strings.Cut(cell, " ")
		numbers = append(numbers, parseNumber(t, number))
	}
	return slices.Max(numbers)
}

func parseNumber(t *testing.T, text string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return value
}
