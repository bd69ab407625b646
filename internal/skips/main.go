// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command skips reads the output of go test -json and prints it as go test prints it without -json. At the end, it lists the
// skipped tests. It fails if any of them is not listed in the file given as the argument. Each line of the file has a package path
// below the module, a test, which includes its subtests, and a reason. Lines that begin with # are comments.
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
	err := errors.New("requires one argument, the list of tests that may be skipped")
	if len(os.Args) == 2 {
		err = run(os.Args[1], os.Stdin, os.Stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "skips:", err)
		os.Exit(1)
	}
}

// test identifies a test, or a package if Test is empty.
type test struct{ Package, Test string }

// event is a line of go test -json.
type event struct {
	Action string
	test
	Output string
}

// run reads events until the end of the input. It prints all other lines, such as those of make, unchanged.
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
			if e.Test == "" && !isVerbose(e.Output) { // output of the package itself
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
	return errors.Join(report(skipped, reasons, out), failure(failed))
}

// isVerbose reports whether a package prints the line only with -v, which -json implies.
func isVerbose(line string) bool {
	return line == "PASS\n" || strings.HasPrefix(line, "-test.shuffle ")
}

func failure(failed bool) error {
	if failed {
		return errors.New("tests failed")
	}
	return nil
}

// report prints the skipped tests with their reasons, and returns an error if any is not listed.
func report(skipped []test, reasons map[test]string, out io.Writer) error {
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
		return fmt.Errorf("%d skipped tests are not in the list", unlisted)
	}
	return nil
}

// readList reads the tests that may be skipped, with their reasons.
func readList(file string) (map[test]string, error) {
	text, err := os.ReadFile(file) //nolint:gosec // an argument of the command
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
			return nil, fmt.Errorf("%s: expected a package, a test and a reason: %q", file, line)
		}
		reasons[test{path.Join(module, words[0]), words[1]}] = strings.TrimSpace(words[2])
	}
	return reasons, nil
}
