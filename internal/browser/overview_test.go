// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tab is a tab of the browser.
type tab struct {
	ctx context.Context //nolint:containedctx // chromedp keeps the tab in it

	mu       sync.Mutex
	errors   []string
	requests []string
}

// open opens a tab of the given width and color scheme. The end of the test checks that nothing was written to the console, and that all
// requests were for the collector's page.
func open(t *testing.T, c *collector, width int64, scheme string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with it
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &tab{ctx: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	t.Cleanup(func() {
		assert.NoError(t, chromedp.Cancel(ctx))
		cancel()
		cancelAllocator()
		b.mu.Lock()
		defer b.mu.Unlock()
		assert.Empty(t, b.errors)
		for _, url := range b.requests {
			assert.True(t, strings.HasPrefix(url, c.overview), url)
		}
	})
	const height = 900
	b.do(t, network.Enable(), log.Enable(),
		emulation.SetDeviceMetricsOverride(width, height, 1, width < 720),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
	return b
}

// listen collects errors and requests.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		b.errors = append(b.errors, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *tab) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	if chromedp.FromContext(b.ctx).Browser == nil {
		ctx, cancel = b.ctx, func() {} // the first one starts the browser, which ends with the context
	}
	defer cancel()
	require.NoError(t, chromedp.Run(ctx, actions...))
}

// evaluate returns the value of an expression in the page.
func evaluate[V any](t *testing.T, b *tab, expression string) (value V) {
	t.Helper()
	b.do(t, chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	}))
	return value
}

// follow clicks on a link and waits until the next page is loaded.
func (b *tab) follow(t *testing.T, selector string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, chromedp.Click(selector, chromedp.ByQuery))
	require.NoError(t, err)
}

// column returns the texts of a column of the table.
func (b *tab) column(t *testing.T, label string) []string {
	t.Helper()
	return evaluate[[]string](t, b, fmt.Sprintf(`[...document.querySelectorAll('[data-label=%q]')].map(e => e.innerText.trim())`, label))
}

// shown is a headline value of the page of each system, and the name of its metric on the page for Prometheus.
var shown = map[string]struct{ job, title, metric string }{
	"zlmediakit": {"zlmediakit", "Streams", "zlmediakit_stream_count"},
	"jvb":        {"jitsi-videobridge", "Endpoints", "jitsi_jvb_endpoint_count"},
	"kamailio":   {"kamailio", "Contacts", "kamailio_usrloc_contact_count"},
	"flussonic":  {"flussonic", "Clients", "flussonic_client_count"},
	"mediasoup":  {"mediasoup", "Consumers", "mediasoup_consumer_count"},
}

// sum adds the values of a metric on the page for Prometheus.
func sum(page, metric string) (total float64) {
	for _, line := range regexp.MustCompile(`(?m)^`+metric+`\{.*\} (\S+)$`).FindAllStringSubmatch(page, -1) {
		value, _ := strconv.ParseFloat(line[1], 64)
		total += value
	}
	return total
}

// TestSystems compares the pages of all systems with the page for Prometheus. Then a server is killed.
func TestSystems(t *testing.T) {
	var servers []string
	for server := range shown {
		servers = append(servers, server)
	}
	c := start(t, servers)
	b := open(t, c, 1280, "light")
	for server, want := range shown {
		b.do(t, chromedp.Navigate(c.overview+"?q="+want.job), chromedp.WaitVisible("table", chromedp.ByQuery))
		b.follow(t, ".name-cell a")
		eventually(t, func() error {
			_, before, err := get(t, c.page)
			require.NoError(t, err)
			text := evaluate[string](t, b, fmt.Sprintf(
				`fetch(location.href).then(r => r.text()).then(t => [...new DOMParser().parseFromString(t, "text/html").querySelectorAll(".values li")]`+
					`.find(e => e.querySelector("h3").textContent === %q).querySelector(".n").textContent)`, want.title))
			got, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
			require.NoError(t, err)
			if expected := sum(before, want.metric); expected == 0 || math.Abs(got-expected) > 0 {
				return fmt.Errorf("%s: %v, but %v on the page for Prometheus", server, got, expected)
			}
			return nil
		})
	}
	b.do(t, chromedp.Navigate(c.overview), chromedp.WaitVisible(".state.good", chromedp.ByQuery))
	assert.Len(t, b.column(t, "State"), len(servers))
	b.do(t, chromedp.Focus("th a", chromedp.ByQuery))
	c.stops["flussonic"]()
	killed := time.Now()
	eventually(t, func() error {
		_, body, err := get(t, c.overview)
		if err == nil && !strings.Contains(body, `"state bad"`) {
			err = fmt.Errorf("not red")
		}
		return err
	})
	t.Logf("red %s after the server was killed, with an interval of %s", time.Since(killed).Round(time.Millisecond), interval)
	b.do(t, chromedp.WaitVisible(".state.bad", chromedp.ByQuery)) // without a reload
	assert.Contains(t, b.column(t, "State")[0], "down")
	assert.Equal(t, "State", evaluate[string](t, b, "document.activeElement.textContent"), "the focus stays where it was")
	assert.Equal(t, "rgb(196, 34, 42)", evaluate[string](t, b, `getComputedStyle(document.querySelector(".state.bad")).color`))
}

// TestManyStreams sorts, searches and turns the pages of 10,000 streams.
func TestManyStreams(t *testing.T) {
	c := start(t, []string{"zlmediakit"}, "-streams", "10000")
	b := open(t, c, 1280, "light")
	b.do(t, chromedp.Navigate(c.overview), chromedp.WaitVisible(".name-cell a", chromedp.ByQuery))
	b.follow(t, ".name-cell a")
	b.do(t, chromedp.WaitVisible("td", chromedp.ByQuery))
	paint := evaluate[float64](t, b, `new Promise(resolve => new PerformanceObserver(list => resolve(list.getEntries()[0].startTime))`+
		`.observe({type: "paint", buffered: true}))`)
	t.Logf("first paint with 10,000 streams after %.0f ms", paint)
	assert.Len(t, b.column(t, "Stream"), 100)
	first := b.column(t, "Stream")[0]
	b.follow(t, `a[rel="next"]`)
	assert.NotEqual(t, first, b.column(t, "Stream")[0])
	b.do(t, chromedp.Evaluate(`[...document.querySelectorAll("th a")].find(e => e.textContent === "Viewers").click()`, nil),
		chromedp.WaitVisible(`th[aria-sort="descending"]`, chromedp.ByQuery))
	viewers := b.column(t, "Viewers")
	for i := 1; i < len(viewers); i++ {
		assert.GreaterOrEqual(t, number(viewers[i-1]), number(viewers[i]))
	}
	b.do(t, chromedp.SendKeys(`input[type="search"]`, "cam1-000", chromedp.ByQuery))
	eventually(t, func() error {
		for _, name := range b.column(t, "Stream") {
			if !strings.HasPrefix(name, "cam1-000") {
				return fmt.Errorf("%s is still there", name)
			}
		}
		return nil
	})
	assert.Contains(t, evaluate[string](t, b, "location.search"), "q=cam1-000")
}

func number(text string) float64 {
	value, _ := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	return value
}

// TestNames checks that names of streams are shown as they are.
func TestNames(t *testing.T) {
	c := start(t, nil)
	names := []string{`"quoted" 'twice'`, "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "שלום", "😀", "&amp;", "a  b"}
	var points []map[string]string
	for _, name := range names {
		points = append(points, map[string]string{"zlmediakit.vhost": "v", "zlmediakit.app": name, "zlmediakit.stream.name": name})
	}
	const instance = `"><b>host</b>:80`
	c.push(t, instance, map[string][]map[string]string{"zlmediakit.stream.alive": points, "rtc.target.up": {nil}})
	b := open(t, c, 1280, "dark")
	b.do(t, chromedp.Navigate(c.overview), chromedp.WaitVisible(".name-cell a", chromedp.ByQuery))
	b.follow(t, ".name-cell a")
	assert.Equal(t, instance, evaluate[string](t, b, `document.querySelector("h1").textContent`))
	assert.ElementsMatch(t, names, evaluate[[]string](t, b, `[...document.querySelectorAll(".name-cell bdi")].map(e => e.textContent)`))
}

// TestAccessibility runs axe in both schemes and widths on both pages.
func TestAccessibility(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		missing(t, "axe-core")
	}
	c := start(t, []string{"zlmediakit", "kamailio"})
	c.push(t, "down:80", map[string][]map[string]string{"zlmediakit.stream.alive": nil})
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			t.Run(fmt.Sprint(scheme, width), func(t *testing.T) {
				b := open(t, c, width, scheme)
				b.do(t, chromedp.Navigate(c.overview), chromedp.WaitVisible(".name-cell a", chromedp.ByQuery))
				target := evaluate[string](t, b, `document.querySelector(".name-cell a").href`)
				for _, url := range []string{c.overview, target, c.overview + "target?job=none"} {
					b.do(t, chromedp.Navigate(url), chromedp.WaitVisible("main", chromedp.ByQuery), chromedp.Evaluate(string(axe), nil))
					assert.Empty(t, evaluate[[]string](t, b, `axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target).join(" ")))`), url)
					assert.False(t, evaluate[bool](t, b, "document.documentElement.scrollWidth > innerWidth"), "%s is wider than the screen", url)
				}
				b.mu.Lock() // the page for an unknown target has the status 404, which the browser notes
				b.errors = b.errors[:0]
				b.mu.Unlock()
			})
		}
	}
}

// TestKeyboard checks that the Tab key reaches the links and controls of the fleet page from top to bottom, and Enter follows a link.
func TestKeyboard(t *testing.T) {
	c := start(t, []string{"zlmediakit"})
	b := open(t, c, 1280, "light")
	b.do(t, chromedp.Navigate(c.overview), chromedp.WaitVisible(".name-cell a", chromedp.ByQuery))
	name := evaluate[string](t, b, `document.querySelector(".name-cell a").textContent`)
	var reached []string
	for range 20 {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		text := evaluate[string](t, b, `(e => (e.ariaLabel ?? e.textContent).trim())(document.activeElement)`)
		reached = append(reached, text)
		if text == name {
			break
		}
	}
	assert.Equal(t, []string{"Skip to content", "otelcol-rtc", "Search servers", "Search"}, reached[:4])
	require.Equal(t, name, reached[len(reached)-1], "%v", reached)
	b.do(t, chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("h1", chromedp.ByQuery))
	within(t, 10*time.Second, func() error {
		if title := evaluate[string](t, b, `document.querySelector("h1").textContent`); title != name {
			return fmt.Errorf("the page of %s is not open, but %s", name, title)
		}
		return nil
	})
}

// TestScreenshots takes pictures and checks their sizes. If SCREENSHOTS is set to a folder, it waits until there are curves, and writes the
// pictures there. Those for the README are fleet.png and target.png.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("SCREENSHOTS")
	var servers []string
	for server := range shown {
		servers = append(servers, server)
	}
	c := start(t, servers)
	drawn := regexp.MustCompile(`class="line" d="M[^"L]+(L[^"L]+){4}`)
	within(t, 3*time.Minute, func() error { // curves of some length
		_, body, err := get(t, c.overview)
		if err == nil && folder != "" && !drawn.MatchString(body) {
			err = errors.New("too short")
		}
		return err
	})
	c.stops["mediasoup"]()
	many := start(t, nil)
	for i := range 300 {
		many.push(t, fmt.Sprintf("media%03d.example.com:80", i), map[string][]map[string]string{
			"zlmediakit.stream.count": {nil}, "zlmediakit.ingest.throughput": {nil}, "rtc.target.up": {nil},
		})
	}
	for _, shot := range []struct {
		name   string
		on     *collector
		query  string
		width  int64
		scheme string
		follow bool
	}{
		{"fleet", c, "", 1280, "light", false},
		{"target", c, "?q=zlmediakit", 1280, "dark", true},
		{"fleet-dark", c, "", 1280, "dark", false},
		{"fleet-phone", c, "", 390, "dark", false},
		{"target-phone", c, "?q=zlmediakit", 390, "light", true},
		{"fleet-300", many, "", 1280, "light", false},
		{"fleet-300-phone", many, "", 390, "light", false},
	} {
		t.Run(shot.name, func(t *testing.T) {
			b := open(t, shot.on, shot.width, shot.scheme)
			b.do(t, chromedp.Navigate(shot.on.overview+shot.query), chromedp.WaitVisible(".name-cell", chromedp.ByQuery))
			if shot.follow {
				b.follow(t, ".name-cell a")
			}
			var picture []byte
			b.do(t, chromedp.CaptureScreenshot(&picture))
			assert.Less(t, len(picture), 200_000)
			if folder != "" {
				require.NoError(t, os.WriteFile(filepath.Join(folder, shot.name+".png"), picture, 0o600))
			}
		})
	}
}
