// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command compare reads each emulated server with our receiver, and as it is done today: with an exporter where the server
// has no page of metrics, and contrib's prometheusreceiver. It prints what both cost, as a table in Markdown.
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

// options say what is compared, and how often.
type options struct {
	systems  *regexp.Regexp // by name; all when nil
	sizes    []int
	rounds   int
	scrapes  int           // that are measured in each round
	interval time.Duration // of scrapes; by size when 0
}

func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.Func("systems", "those whose names match this `regexp`; all when not set", func(text string) (err error) {
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
	flags.IntVar(&o.rounds, "rounds", 5, "`number` of times that each side is measured, by turns; the medians are printed")
	flags.IntVar(&o.scrapes, "scrapes", 5, "`number` of scrapes that each measurement lasts")
	flags.DurationVar(&o.interval, "interval", 0, "`time` from one scrape to the next, and that one may take; when 0 it is 1 ms for each stream, and at least 1 s")
	return flags
}

// run compares and prints.
func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	if err := o.flags().Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if _, err := io.WriteString(out, tableHead); err != nil {
		return err
	}
	for i := range systems {
		s := &systems[i]
		if o.systems != nil && !o.systems.MatchString(s.name) {
			continue
		}
		for _, size := range o.sizes {
			c, err := compare(ctx, s, size, &o)
			if err != nil {
				return fmt.Errorf("%s, size %d: %w", s.name, size, err)
			}
			if _, err := io.WriteString(out, tableRows(s, size, &c)); err != nil {
				return err
			}
			if s.fixed {
				break
			}
		}
	}
	return nil
}

// comparison is what was measured of one server, by round.
type comparison struct {
	ours, exporter, collector []cost // no exporter where the server has a page of its own
}

// compare starts the server and has it read by both sides in turn.
func compare(ctx context.Context, s *system, size int, o *options) (c comparison, err error) {
	interval := cmp.Or(o.interval, max(time.Second, time.Duration(size)*time.Millisecond))
	todo := job{System: s.name, Size: size, Scrapes: o.scrapes, Interval: interval}
	server, err := start(ctx, todo.as(roleServer, ""))
	if err != nil {
		return c, err
	}
	defer server.stop()
	endpoint, err := told[string](server)
	for range o.rounds {
		if err == nil {
			err = c.readByUs(ctx, todo.as(roleReceiver, endpoint))
		}
		if err == nil && s.exporter != nil {
			err = c.readByExporter(ctx, todo.as(roleExporter, endpoint))
		} else if err == nil {
			err = c.readPage(ctx, todo.as(rolePrometheus, endpoint+s.page))
		}
	}
	return c, err
}

func (c *comparison) readByUs(ctx context.Context, j job) error {
	return measure(ctx, j, &c.ours)
}

func (c *comparison) readPage(ctx context.Context, j job) error {
	return measure(ctx, j, &c.collector)
}

// readByExporter has the exporter read the server, and the collector the exporter.
func (c *comparison) readByExporter(ctx context.Context, j job) error {
	exporter, err := start(ctx, j)
	if err != nil {
		return err
	}
	defer exporter.stop()
	page, err := told[string](exporter)
	if err != nil {
		return err
	}
	if err := c.readPage(ctx, j.as(rolePrometheus, page)); err != nil {
		return err
	}
	return note(exporter, &c.exporter)
}

// measure starts a process that scrapes, and notes what it costs.
func measure(ctx context.Context, j job, costs *[]cost) error {
	scraper, err := start(ctx, j)
	if err != nil {
		return err
	}
	defer scraper.stop()
	return note(scraper, costs)
}

// note waits for what a process has measured.
func note(c *child, costs *[]cost) error {
	one, err := told[cost](c)
	*costs = append(*costs, one)
	return err
}
