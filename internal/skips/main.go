// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command skips reads the output of go test -json and prints it as go test does without -json. At the end it lists the
// tests that were skipped, and fails when one is not in the file that its argument names: each line a package below the
// module, a test (its subtests are meant too) and a reason; lines that begin with # are comments.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

const module = "github.com/otelcol-rtc/otelcol-rtc"

func main() {
	err := errors.New("wants one argument, the list of tests that may be skipped")
	if len(os.Args) == 2 {
		err = run(os.Args[1], os.Stdin, os.Stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "skips:", err)
		os.Exit(1)
	}
}

// test is a test of a package, or with an empty name the package itself.
type test struct{ Package, Test string }

// event is a line of go test -json.
type event struct {
	Action string
	test
	Output string
}

// run reads events to their end. Lines that are none, such as those of make, are printed as they are.
func run(list string, in io.Reader, out io.Writer) error {
	reasons, err := readList(list)
	if err != nil {
		return err
	}
	var skipped []test
	output := map[test][]byte{}
	failed := false
	for r := bufio.NewReader(in); ; {
		line, err := r.ReadBytes('\n')
		var e event
		switch {
		case !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &e) != nil:
			_, _ = out.Write(line)
		case e.Action == "output" || e.Action == "build-output":
			output[e.test] = append(output[e.test], e.Output...)
			if e.Test == "" && !noise(e.Output) { // the words of a package come at once
				_, _ = io.WriteString(out, e.Output)
			}
		case e.Action == "fail":
			failed = true
			if e.Test != "" {
				_, _ = out.Write(output[e.test])
			}
		case e.Action == "skip" && e.Test != "":
			skipped = append(skipped, e.test)
		}
		if e.Action == "pass" || e.Action == "fail" {
			delete(output, e.test)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(judge(skipped, reasons, out), failure(failed))
}

// noise is what a package says of itself only with -v, which -json implies.
func noise(line string) bool {
	return line == "PASS\n" || strings.HasPrefix(line, "-test.shuffle ")
}

func failure(failed bool) error {
	if failed {
		return errors.New("tests failed")
	}
	return nil
}

// judge prints every skipped test with its reason.
func judge(skipped []test, reasons map[test]string, out io.Writer) error {
	slices.SortFunc(skipped, func(a, b test) int { return strings.Compare(a.Package+a.Test, b.Package+b.Test) })
	_, _ = fmt.Fprintf(out, "skipped tests: %d\n", len(skipped))
	unlisted := 0
	for _, t := range skipped {
		name, _, _ := strings.Cut(t.Test, "/")
		reason := reasons[test{t.Package, name}]
		if reason == "" {
			reason = "NOT IN THE LIST"
			unlisted++
		}
		_, _ = fmt.Fprintf(out, "  %s %s: %s\n", t.Package, t.Test, reason)
	}
	if unlisted > 0 {
		return fmt.Errorf("%d tests were skipped that may not be", unlisted)
	}
	return nil
}

// readList reads the tests that may be skipped, with their reasons.
func readList(file string) (map[test]string, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the caller's own file
	if err != nil {
		return nil, err
	}
	reasons := map[test]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.SplitN(line, " ", 3)
		if len(words) < 3 {
			return nil, fmt.Errorf("%s: a package, a test and a reason are wanted: %q", file, line)
		}
		reasons[test{path.Join(module, words[0]), words[1]}] = strings.TrimSpace(words[2])
	}
	return reasons, nil
}
