// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command compare measures the cost of scraping emulated servers with our receivers and with the alternative: prometheusreceiver, and
// an exporter if the server has no metrics page. With -collector, it measures the collector and the exporter as Prometheus sees them: as
// processes whose pages are fetched. It prints a table in Markdown.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := workAsChild(ctx, os.Stdin, os.Stdout)
	if errors.Is(err, errNoChild) {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, cmp.Or(os.Getenv(jobVariable), "compare")+":", err)
		os.Exit(1)
	}
}

// options are the command-line options.
type options struct {
	systems  *regexp.Regexp // names of systems to measure, nil for all
	sizes    []int
	rounds   int
	scrapes  int           // per round
	interval time.Duration // of scrapes, 0 to derive it from the size

	collector string // path of the program, empty to compare receivers
}

// job returns the task of measuring a system, without a role.
func (o *options) job(s *system, size int) job {
	interval := cmp.Or(o.interval, max(time.Second, time.Duration(size)*time.Millisecond))
	return job{System: s.name, Size: size, Scrapes: o.scrapes, Interval: interval}
}

func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.Func("systems", "`regexp` for the names of systems to measure (default all)", func(text string) (err error) {
		o.systems, err = regexp.Compile(text)
		return err
	})
	o.sizes = []int{100, 1_000, 10_000}
	flags.Func("sizes", "`numbers` of streams, bridges, consumers (default 100,1000,10000)", func(text string) error {
		o.sizes = nil
		for word := range strings.SplitSeq(text, ",") {
			size, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			o.sizes = append(o.sizes, size)
		}
		return nil
	})
	flags.IntVar(&o.rounds, "rounds", 1, "`number` of measurements of each side, of which the medians are printed")
	flags.IntVar(&o.scrapes, "scrapes", 4, "`number` of scrapes per measurement")
	flags.DurationVar(&o.interval, "interval", 0, "`interval` and timeout of scrapes (default 1 ms per stream and at least 1 s)")
	flags.StringVar(&o.collector, "collector", "", "`path` of the collector, to compare its page with that of the exporter as Prometheus sees them")
	return flags
}

// run measures all selected systems and prints the table.
func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	if err := o.flags().Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	head := tableHead
	if o.collector != "" {
		head = pageTableHead
	}
	if _, err := io.WriteString(out, head); err != nil {
		return err
	}
	for i := range systems {
		s := &systems[i]
		if o.systems != nil && !o.systems.MatchString(s.name) {
			continue
		}
		for _, size := range o.sizes {
			rows, err := o.measure(ctx, s, size)
			if err != nil {
				return fmt.Errorf("%s, size %d: %w", s.name, size, err)
			}
			if _, err := io.WriteString(out, rows); err != nil {
				return err
			}
			if s.fixed {
				break
			}
		}
	}
	return nil
}

// measure measures a system and returns its rows of the table.
func (o *options) measure(ctx context.Context, s *system, size int) (rows string, err error) {
	if o.collector != "" {
		p, err := comparePages(ctx, s, size, o)
		return pageTableRows(s, size, &p), err
	}
	c, err := compare(ctx, s, size, o)
	return tableRows(s, size, &c), err
}

// comparison holds the measurements of a system by round.
type comparison struct {
	ours, exporter, collector []cost // exporter is empty if the server has a metrics page
}

// compare starts the server and measures both sides in turn.
func compare(ctx context.Context, s *system, size int, o *options) (c comparison, err error) {
	todo := o.job(s, size)
	server, endpoint, err := startServing(ctx, todo.as(roleServer, ""))
	if err != nil {
		return c, err
	}
	defer server.stop()
	for range o.rounds {
		if err == nil {
			err = measure(ctx, todo.as(roleReceiver, endpoint), &c.ours)
		}
		if err == nil && s.exporter != nil {
			err = c.measureExporter(ctx, todo.as(roleExporter, endpoint))
		} else if err == nil {
			err = measure(ctx, todo.as(rolePrometheus, endpoint+s.page), &c.collector)
		}
	}
	return c, err
}

// measureExporter starts the exporter of a server, and measures it and the collector that scrapes it.
func (c *comparison) measureExporter(ctx context.Context, j job) error {
	exporter, page, err := startServing(ctx, j)
	if err != nil {
		return err
	}
	defer exporter.stop()
	if err := measure(ctx, j.as(rolePrometheus, page), &c.collector); err != nil {
		return err
	}
	return appendCost(exporter, &c.exporter)
}

// measure starts a child that scrapes, and appends its cost to costs.
func measure(ctx context.Context, j job, costs *[]cost) error {
	scraper, err := start(ctx, j)
	if err != nil {
		return err
	}
	defer scraper.stop()
	return appendCost(scraper, costs)
}

// appendCost waits for the measurement of a child and appends it to costs.
func appendCost(c *child, costs *[]cost) error {
	one, err := receive[cost](c)
	*costs = append(*costs, one)
	return err
}
