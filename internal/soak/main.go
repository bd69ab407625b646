// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command soak runs the collector against hundreds of emulated servers. It prints a table of the resources used and of the lateness
// of scrapes, and fails if resource usage grows or if data is lost on the way to a backend, which may have an outage.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// options are the command-line options.
type options struct {
	collector string        // path of the binary
	servers   int           // each has one receiver
	streams   int           // per server
	interval  time.Duration // of scrapes and samples
	duration  time.Duration
	outage    time.Duration // of the backend in the middle of the run, 0 for none
	targets   bool          // one receiver per system, with a file of targets
	log       string        // file for the log of the collector
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.StringVar(&o.collector, "collector", "bin/otelcol-rtc", "`path` of the collector")
	flags.IntVar(&o.servers, "receivers", 200, "`number` of receivers, each with its own server")
	flags.IntVar(&o.streams, "streams", 50, "`number` of streams per server")
	flags.DurationVar(&o.interval, "interval", 10*time.Second, "`interval` of scrapes")
	flags.DurationVar(&o.duration, "duration", 30*time.Minute, "`duration` of the run")
	flags.DurationVar(&o.outage, "outage", 0, "`duration` of the backend's outage in the middle of the run")
	flags.BoolVar(&o.targets, "targets", false, "one receiver per system, which finds its servers in a file of targets")
	flags.StringVar(&o.log, "log", filepath.Join(os.TempDir(), "otelcol-rtc-soak.log"), "`file` for the log of the collector")
	serveOnly := flags.Bool("serve", false, "only run the emulated servers (soak starts itself with this flag)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *serveOnly {
		return serve(ctx, o, out)
	}
	return soak(ctx, o, out)
}

// soak runs servers, backend and collector, and prints the report.
func soak(ctx context.Context, o options, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	receivers, stopServers, err := startServers(ctx, o)
	if err != nil {
		return err
	}
	defer stopServers()
	sink, err := startBackend()
	if err != nil {
		return err
	}
	defer sink.close()
	c := collector{backend: sink.url(), storage: dir}
	if err := c.start(ctx, o, receivers); err != nil {
		return err
	}
	defer c.kill()
	if err := c.ready(ctx); err != nil {
		return fmt.Errorf("%w: see %s", err, o.log)
	}
	samples, err := watch(ctx, o, &c, sink)
	if err != nil {
		return fmt.Errorf("%w: see %s", err, o.log)
	}
	if err := c.stop(); err != nil { // exports what it has scraped
		return fmt.Errorf("%w: see %s", err, o.log)
	}
	return report(out, o, samples, sink)
}

// startServers starts the servers in a separate process and returns the configuration of their receivers.
func startServers(ctx context.Context, o options) (receivers []string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", fmt.Sprint("-receivers=", o.servers), fmt.Sprint("-streams=", o.streams)) //nolint:gosec // this program
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	for lines := bufio.NewScanner(stdout); len(receivers) < o.servers && lines.Scan(); {
		receivers = append(receivers, lines.Text())
	}
	if len(receivers) < o.servers {
		stop()
		return nil, nil, errors.New("the emulated servers do not start")
	}
	return receivers, stop, nil
}

// collector is the process of the collector.
type collector struct {
	backend   string // URL
	storage   string // directory
	telemetry string // URL of the collector's own metrics
	page      string // URL of the metrics page for Prometheus
	overview  string // URL of the overview page
	pprof     string // URL

	cmd  *exec.Cmd
	log  *os.File
	done chan error
}

func (c *collector) start(ctx context.Context, o options, receivers []string) (err error) {
	var addresses [4]string
	for i := range addresses {
		if addresses[i], err = freeAddress(); err != nil {
			return err
		}
	}
	c.page, c.telemetry = "http://"+addresses[0]+"/metrics", "http://"+addresses[1]+"/metrics"
	c.pprof = "http://" + addresses[2] + "/debug/pprof/"
	c.overview = "http://" + addresses[3] + "/"
	file := filepath.Join(c.storage, "config.yaml")
	config, err := c.config(o, receivers, addresses)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	if c.log, err = os.Create(o.log); err != nil {
		return err
	}
	c.cmd = exec.CommandContext(ctx, o.collector, "--config", file) //nolint:gosec // an argument of the command
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.done = make(chan error, 1)
	go func() { c.done <- c.cmd.Wait() }()
	return nil
}

// config returns a typical configuration for many servers: one pipeline with a metrics page, the overview page and a backend that
// has a queue on disk.
func (c *collector) config(o options, receivers []string, addresses [4]string) (string, error) {
	var b strings.Builder
	var names []string
	if o.targets {
		var err error
		if receivers, err = withTargets(receivers, c.storage); err != nil {
			return "", err
		}
	}
	b.WriteString("receivers:\n")
	for _, r := range receivers {
		name, settings, _ := strings.Cut(r, " ")
		names = append(names, name)
		_, _ = fmt.Fprintf(&b, "  %s: {%s, collection_interval: %s, timeout: %s, metrics: {rtc.scrapes: {enabled: true}}}\n", name, settings, o.interval, o.interval)
	}
	_, port, _ := net.SplitHostPort(addresses[1])
	_, _ = fmt.Fprintf(&b, `processors:
  memory_limiter: {check_interval: 1s, limit_mib: 2048, spike_limit_mib: 512}
exporters:
  prometheus_page: {endpoint: %q}
  overview: {endpoint: %q}
  otlp_http:
    endpoint: %q
    compression: none
    retry_on_failure: {max_elapsed_time: 0, max_interval: 5s}
    sending_queue: {storage: file_storage, num_consumers: 1, queue_size: 100000}
extensions:
  file_storage: {directory: %q, compaction: {on_rebound: true, directory: %q}}
  pprof: {endpoint: %q}
service:
  extensions: [file_storage, pprof]
  pipelines: {metrics: {receivers: [%s], processors: [memory_limiter], exporters: [prometheus_page, overview, otlp_http]}}
  telemetry:
    logs: {disable_stacktrace: true}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s}}}}]}
`, addresses[0], addresses[3], c.backend, c.storage, c.storage, addresses[2], strings.Join(names, ", "), port)
	return b.String(), nil
}

// endpoint matches the setting of a server.
var endpoint = regexp.MustCompile(`endpoint: ("[^"]+")`)

// withTargets returns one receiver per system, whose targets are those of the given receivers. It writes the files of targets to dir.
func withTargets(receivers []string, dir string) (combined []string, err error) {
	urls := map[string][]string{}
	for _, r := range receivers {
		name, settings, _ := strings.Cut(r, " ")
		system, _, _ := strings.Cut(name, "/")
		file := filepath.Join(dir, system+".yaml")
		if urls[system] == nil {
			combined = append(combined, system+" "+endpoint.ReplaceAllString(settings, fmt.Sprintf("targets: {files: [%q]}", file)))
		}
		urls[system] = append(urls[system], endpoint.FindStringSubmatch(settings)[1])
	}
	for system, all := range urls {
		text := "- targets: [" + strings.Join(all, ", ") + "]\n"
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, system+".yaml"), []byte(text), 0o600))
	}
	return combined, err
}

// ready waits until all pages of the collector answer.
func (c *collector) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := c.sample(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the collector does not start: %w", err)
		case exitErr := <-c.done:
			c.done <- exitErr
			return fmt.Errorf("the collector does not start: %w", errors.Join(exitErr, err))
		case <-tick.C:
		}
	}
}

// stop terminates the collector and waits until it has exited.
func (c *collector) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := <-c.done
	c.done <- err
	return err
}

// kill kills the collector if it still runs.
func (c *collector) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done //nolint:errcheck // a killed process always returns an error
	_ = c.log.Close()
}

// freeAddress returns a loopback address with a free port.
func freeAddress() (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
