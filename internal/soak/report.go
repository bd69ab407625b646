// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
)

// sample holds the resources that the collector uses at one time.
type sample struct {
	at         time.Time
	cpu        float64 // seconds since its start
	share      float64 // of one core since the previous sample
	rss        float64 // bytes
	heap       float64 // bytes
	goroutines float64
	page       float64 // bytes
}

// warmUp returns the initial duration that the report excludes.
func (o options) warmUp() time.Duration { return min(2*time.Minute, o.duration/6) }

// watch takes a sample per interval until the run is over, and stops the backend in the middle.
func watch(ctx context.Context, o options, c *collector, sink *backend) ([]sample, error) {
	var samples []sample
	begin := time.Now()
	tick := time.NewTicker(o.interval)
	defer tick.Stop()
	for time.Since(begin) < o.duration {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-c.done:
			c.done <- err
			return nil, fmt.Errorf("the collector exited: %w", errors.Join(err, errors.New("too early")))
		case <-tick.C:
		}
		down := time.Since(begin) - (o.duration-o.outage)/2
		sink.down.Store(down >= 0 && down < o.outage)
		s, err := c.sample(ctx)
		if err != nil {
			return nil, err
		}
		if n := len(samples); n > 0 {
			s.share = (s.cpu - samples[n-1].cpu) / s.at.Sub(samples[n-1].at).Seconds()
		}
		samples = append(samples, s)
	}
	return slices.DeleteFunc(samples, func(s sample) bool { return s.at.Sub(begin) < o.warmUp() }), nil
}

func (c *collector) sample(ctx context.Context) (s sample, err error) {
	page, err := fetch(ctx, c.page)
	if err != nil {
		return s, err
	}
	if _, err := fetch(ctx, c.overview); err != nil {
		return s, err
	}
	telemetry, err := fetch(ctx, c.telemetry)
	if err != nil {
		return s, err
	}
	profile, err := fetch(ctx, c.pprof+"goroutine?debug=1")
	if err != nil {
		return s, err
	}
	return sample{
		at: time.Now(), page: float64(len(page)),
		cpu:        number(telemetry, `(?m)^otelcol_process_cpu_seconds(?:_total)?(?:\{.*\})? (\S+)`),
		rss:        number(telemetry, `(?m)^otelcol_process_memory_rss(?:_bytes)?(?:\{.*\})? (\S+)`),
		heap:       number(telemetry, `(?m)^otelcol_process_runtime_heap_alloc_bytes(?:\{.*\})? (\S+)`),
		goroutines: number(profile, `^goroutine profile: total (\d+)`),
	}, nil
}

// number returns the number that the group in pattern matches, or 0 without a match.
func number(text, pattern string) float64 {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(found[1], 64)
	return n
}

func fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // a page of 100,000 series can take long
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP status %s", response.Status)
	}
	return string(body), err
}

// maxGrowth is the maximum growth of a mean from the first to the last third of a run without an outage.
const maxGrowth = 0.10

// report prints the table and the verdict. It returns an error if the run failed.
func report(out io.Writer, o options, samples []sample, sink *backend) error {
	if len(samples) < 3 {
		return errors.New("the run is too short: fewer than three samples")
	}
	third := len(samples) / 3
	thirds := [][]sample{samples[:third], samples[third : len(samples)-third], samples[len(samples)-third:]}
	w := &table{out: out}
	w.print("%d receivers of %d systems, %d streams each, every %s, for %s; thirds after %s of warm-up.\n", o.servers, len(systems.All), o.streams, o.interval, o.duration, o.warmUp())
	w.print("\n| | first third | middle | last third |\n| --- | --- | --- | --- |\n")
	var grew []string
	for _, row := range []struct {
		name, format string
		scale        float64
		judged       bool
		of           func(sample) float64
	}{
		{"CPU, of one core", "%.1f %%", 100, true, func(s sample) float64 { return s.share }},
		{"RSS", "%.0f MiB", 1.0 / (1 << 20), true, func(s sample) float64 { return s.rss }},
		{"heap", "%.0f MiB", 1.0 / (1 << 20), false, func(s sample) float64 { return s.heap }},
		{"goroutines", "%.0f", 1, true, func(s sample) float64 { return s.goroutines }},
		{"page", "%.2f MiB", 1.0 / (1 << 20), false, func(s sample) float64 { return s.page }},
	} {
		var means [3]float64
		for i := range thirds {
			means[i] = mean(thirds[i], row.of) * row.scale
		}
		w.print("| "+row.name+" | "+row.format+" | "+row.format+" | "+row.format+" |\n", means[0], means[1], means[2])
		if row.judged && o.outage == 0 && means[2] > means[0]*(1+maxGrowth) {
			grew = append(grew, row.name)
		}
	}
	w.print("| scrapes late, 99 of 100 / all |")
	for _, t := range thirds {
		late := sink.lateness(o.interval, t[0].at, t[len(t)-1].at)
		if len(late) == 0 {
			w.print(" - |")
			continue
		}
		w.print(" %s / %s |", late[len(late)*99/100].Round(time.Millisecond), late[len(late)-1].Round(time.Millisecond))
	}
	received, lost, duplicates, down, points := sink.totals()
	w.print("\n\nThe backend was down for %s. It received %d scrapes of %d targets with %d points; %d lost, %d duplicate, %d with the target down.\n",
		o.outage, received, len(sink.targets), points, lost, duplicates, down)
	if len(grew) == 0 && lost == 0 && down == 0 && len(sink.targets) == o.servers {
		verdict := "flat, nothing lost"
		if o.outage > 0 {
			verdict = "nothing lost"
		}
		w.print("Verdict: %s.\n", verdict)
		return w.err
	}
	w.print("Verdict: FAILED; %d values grew by more than %.0f %% %v.\n", len(grew), maxGrowth*100, grew)
	return errors.Join(w.err, errors.New("the run failed, see the verdict"))
}

func mean(samples []sample, of func(sample) float64) (m float64) {
	for _, s := range samples {
		m += of(s) / float64(len(samples))
	}
	return m
}

// table is a writer that stops at the first error.
type table struct {
	out io.Writer
	err error
}

func (t *table) print(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, format, args...)
	}
}
