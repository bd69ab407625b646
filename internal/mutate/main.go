// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command mutate plants errors in the rows and records of the receivers and checks that a test of the receiver fails for each of them.
//
// It rewrites the source so that each error is off unless the environment variable MUTANT names it, compiles the tests of a receiver
// once with go test -overlay, and runs them once for each error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type options struct {
	rows, records int           // errors to plant in the rows and in the records of a receiver
	seed          uint64        // of the choice
	workers       int           // runs at a time
	timeout       time.Duration // of one run
	accepted      string        // file of the errors that change nothing
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 50, "errors to plant in the rows of a receiver")
	flag.IntVar(&o.records, "records", 20, "errors to plant in the records of a receiver")
	flag.Uint64Var(&o.seed, "seed", 1, "`number` that decides which errors are planted")
	flag.IntVar(&o.workers, "workers", 2, "test runs at a time")
	flag.DurationVar(&o.timeout, "timeout", 3*time.Minute, "limit of one test run")
	flag.StringVar(&o.accepted, "accepted", "internal/mutate/accepted.tsv", "`file` of the errors that change nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, flag.Args(), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run plants errors in receivers, all where none is named, and returns an error if a planted one went unnoticed.
func run(ctx context.Context, o options, receivers []string, out io.Writer) error {
	accepted, err := readAccepted(o.accepted)
	if err != nil {
		return err
	}
	if len(receivers) == 0 {
		folders, err := filepath.Glob("receiver/*receiver")
		if err != nil {
			return err
		}
		receivers = folders
	}
	unnoticed := 0
	for _, folder := range receivers {
		missed, err := check(ctx, o, folder, accepted, out)
		if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		unnoticed += missed
	}
	if unnoticed > 0 {
		return fmt.Errorf("%d errors were not noticed", unnoticed)
	}
	return nil
}

// check plants errors in one receiver and returns how many were not noticed.
func check(ctx context.Context, o options, folder string, accepted map[string]bool, out io.Writer) (unnoticed int, err error) {
	began := time.Now()
	all, err := find(folder)
	if err != nil {
		return 0, err
	}
	chosen := choose(all, o, accepted)
	tests, err := compile(ctx, folder, chosen)
	if err != nil {
		return 0, err
	}
	defer tests.close()
	if err := tests.pass(ctx, o.timeout); err != nil {
		return 0, fmt.Errorf("the tests fail without any error planted: %w", err)
	}
	survivors := tests.survivors(ctx, o)
	inRecords := 0
	for _, m := range tests.mutants {
		if m.inRecord() {
			inRecords++
		}
	}
	_, err = fmt.Fprintf(out, "%s\t%d planted, %d of them in records\t%d noticed\t%v\n",
		filepath.Base(folder), len(tests.mutants), inRecords, len(tests.mutants)-len(survivors), time.Since(began).Round(time.Second))
	for _, m := range survivors {
		_, printErr := fmt.Fprintf(out, "\tnot noticed: %s\n", m)
		err = errors.Join(err, printErr)
	}
	return len(survivors), errors.Join(err, ctx.Err())
}

// choose takes some of the errors that can be planted, as different as possible: kinds take turns.
func choose(all []mutant, o options, accepted map[string]bool) (chosen []mutant) {
	random := rand.New(rand.NewPCG(o.seed, 0)) //nolint:gosec // no secret depends on it
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	byKind := map[string][]mutant{}
	for _, m := range all {
		if !accepted[m.key()] {
			byKind[m.kind] = append(byKind[m.kind], m)
		}
	}
	kinds := make([]string, 0, len(byKind))
	for kind := range byKind {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	rows, records := o.rows, o.records
	for len(byKind) > 0 && rows+records > 0 {
		for _, kind := range kinds {
			rest := byKind[kind]
			if len(rest) == 0 {
				delete(byKind, kind)
				continue
			}
			m := rest[0]
			byKind[kind] = rest[1:]
			budget := &rows
			if m.inRecord() {
				budget = &records
			}
			if *budget == 0 || slices.ContainsFunc(chosen, m.overlaps) {
				continue
			}
			*budget--
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// readAccepted reads the errors that change nothing that a test could notice: file, kind, source text and the reason, separated by tabs.
func readAccepted(file string) (map[string]bool, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of this repository
	if err != nil {
		return nil, err
	}
	accepted := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		switch {
		case strings.HasPrefix(line, "#"), strings.TrimSpace(line) == "":
		case len(fields) != 4:
			return nil, fmt.Errorf("%s: %q has %d fields instead of 4", file, line, len(fields))
		default:
			accepted[strings.Join(fields[:3], "\t")] = true
		}
	}
	return accepted, nil
}
