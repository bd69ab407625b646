// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pageCost is the cost of a process that scrapes a server and whose page is fetched as often.
type pageCost struct {
	Series int
	CPU    time.Duration // per scrape and fetch
	Memory float64       // peak of the resident memory in bytes
}

// pages holds the measurements of a system by round, as Prometheus sees it.
type pages struct {
	ours, exporter []pageCost // exporter is empty if the server has a metrics page
}

// comparePages starts the server and measures the collector and the exporter in turn.
func comparePages(ctx context.Context, s *system, size int, o *options) (p pages, err error) {
	todo := o.job(s, size)
	server, endpoint, err := startServing(ctx, todo.as(roleServer, ""))
	if err != nil {
		return p, err
	}
	defer server.stop()
	for range o.rounds {
		if err == nil {
			err = measureCollector(ctx, o.collector, s, todo.as("", endpoint), &p.ours)
		}
		if err == nil && s.exporter != nil {
			err = measureExporterPage(ctx, todo.as(roleExporter, endpoint), &p.exporter)
		}
	}
	return p, err
}

// measureExporterPage starts the exporter of a server and appends its cost.
func measureExporterPage(ctx context.Context, j job, costs *[]pageCost) error {
	exporter, page, err := startServing(ctx, j)
	if err != nil {
		return err
	}
	defer exporter.stop()
	return j.measurePage(ctx, exporter.cmd.Process.Pid, page, costs)
}

// measureCollector starts the collector and appends its cost.
func measureCollector(ctx context.Context, program string, s *system, j job, costs *[]pageCost) error {
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	config, err := json.Marshal(j.collectorConfig(s, address))
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "config.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "--config", file) //nolint:gosec // the collector of this project
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	return j.measurePage(ctx, cmd.Process.Pid, "http://"+address+"/metrics", costs)
}

// collectorConfig returns a configuration with the components of the ready configurations that are on the way of a metric.
func (j job) collectorConfig(s *system, address string) map[string]any {
	settings := s.settings(j.Endpoint, j.Size)
	settings["collection_interval"], settings["timeout"] = j.Interval.String(), j.Interval.String()
	name := s.factory.Type().String()
	return map[string]any{
		"receivers":  map[string]any{name: settings},
		"processors": map[string]any{"memory_limiter": map[string]any{"check_interval": "1s", "limit_percentage": 50, "spike_limit_percentage": 10}},
		"exporters":  map[string]any{"prometheus_page": map[string]any{"endpoint": address}},
		"service": map[string]any{
			"pipelines": map[string]any{
				"metrics": map[string]any{"receivers": []any{name}, "processors": []any{"memory_limiter"}, "exporters": []any{"prometheus_page"}},
			},
			"telemetry": map[string]any{"logs": map[string]any{"level": "error"}, "metrics": map[string]any{"level": "none"}},
		},
	}
}

// freeAddress returns a loopback address with a port that is free now.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// measurePage fetches the page of a process at the interval of the job and appends the cost of the process. It waits until the page has
// series of the server.
func (j job) measurePage(ctx context.Context, pid int, page string, costs *[]pageCost) error {
	var cost pageCost
	var began time.Duration
	tick := time.NewTicker(j.Interval)
	defer tick.Stop()
	for fetches := 0; fetches <= warmUp+j.Scrapes; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		series, err := countSeries(ctx, page)
		if err != nil || series < cost.Series*9/10 {
			if fetches > 0 {
				return fmt.Errorf("%s: %d series after %d: %w", page, series, cost.Series, err)
			}
			continue // it does not listen yet
		}
		if cost.Series = series; series > 0 {
			fetches++
		}
		used, err := cpuOf(pid)
		if err != nil {
			return err
		}
		if fetches == warmUp+1 {
			began = used
		}
		cost.CPU = (used - began) / time.Duration(j.Scrapes)
	}
	memory, err := peakMemoryOf(pid)
	cost.Memory = memory
	*costs = append(*costs, cost)
	return err
}

// countSeries fetches a page and returns the number of its series.
func countSeries(ctx context.Context, page string) (n int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("HTTP status %s", resp.Status)
	}
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 1 && line[0] != '#' {
			n++
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// ticksPerSecond is the unit of CPU times in /proc, on all architectures that the collector supports.
const ticksPerSecond = 100

// cpuOf returns the user and system time of a process.
func cpuOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name of the program may have spaces
	fields := strings.Fields(after)
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/%d/stat: too few fields", pid)
	}
	var ticks int64
	for _, field := range fields[user : system+1] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// peakMemoryOf returns the peak of the resident memory of a process in bytes.
func peakMemoryOf(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, "\n")
	kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 64)
	return kibibytes * 1024, err
}
