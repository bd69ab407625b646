// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// helpers are added to the package under test.
const helpers = `package %s

import (
	"os"
	"strconv"
)

var mutantNumber, _ = strconv.Atoi(os.Getenv("MUTANT"))

func mutantOn(n int) bool { return n == mutantNumber }

func mutantPick[T any](n int, right, wrong T) T {
	if mutantOn(n) {
		return wrong
	}
	return right
}

type mutantNumeric interface {
	~int | ~int32 | ~int64 | ~uint | ~uint32 | ~uint64 | ~float64
}

func mutantSum[T mutantNumeric](n int, a, b T) T {
	if mutantOn(n) {
		return a - b
	}
	return a + b
}

func mutantDifference[T mutantNumeric](n int, a, b T) T {
	if mutantOn(n) {
		return a + b
	}
	return a - b
}

func mutantZero[T any](n int, right T) T {
	var zero T
	return mutantPick(n, right, zero)
}
`

// quickTests are the tests that notice most errors; all others are run only for what these let pass.
const quickTests = "TestLeaves|TestScenes|TestEachMetricAlone|TestConstructed"

// tests is the compiled test of a receiver with errors planted, of which number i+1 is mutants[i].
type tests struct {
	folder, temporary string
	mutants           []mutant
}

// compile compiles the tests of a receiver. It skips errors that do not compile.
func compile(ctx context.Context, folder string, mutants []mutant) (*tests, error) {
	temporary, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	t := &tests{folder: folder, temporary: temporary, mutants: mutants}
	for {
		broken, err := t.build(ctx)
		if err != nil {
			t.close()
			return nil, err
		}
		if len(broken) == 0 {
			return t, nil
		}
		kept := t.mutants[:0]
		for i, m := range t.mutants {
			if !broken[i+1] {
				kept = append(kept, m)
			}
		}
		t.mutants = kept
	}
}

func (t *tests) close() { _ = os.RemoveAll(t.temporary) }

func (t *tests) binary() string { return filepath.Join(t.temporary, "receiver.test") }

// mark is a comment that says which error a piece of source is.
var mark = regexp.MustCompile(`/\*mutant(\d+)\*/`)

// build writes the changed source and compiles it. It returns the numbers of errors that do not compile.
func (t *tests) build(ctx context.Context) (broken map[int]bool, err error) {
	files, err := t.write()
	if err != nil {
		return nil, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(t.temporary, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", file, "-o", t.binary(), "./"+t.folder) //nolint:gosec // paths of this repository
	text, err := build.CombinedOutput()
	if err == nil {
		return nil, nil
	}
	if broken = t.brokenBy(text, files); len(broken) == 0 {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return broken, nil
}

// write writes the changed files, and returns by which file each one of the receiver's is replaced.
func (t *tests) write() (map[string]string, error) {
	byFile := map[string][]int{}
	for i, m := range t.mutants {
		byFile[m.file] = append(byFile[m.file], i)
	}
	files := map[string]string{}
	for file, numbers := range byFile {
		source, err := os.ReadFile(file) //nolint:gosec // a file of this repository
		if err != nil {
			return nil, err
		}
		slices.SortFunc(numbers, func(a, b int) int { return cmp.Compare(t.mutants[b].start, t.mutants[a].start) })
		for _, i := range numbers {
			m := &t.mutants[i]
			number := strconv.Itoa(i + 1)
			text := "/*mutant" + number + "*/" + strings.ReplaceAll(m.replacement, "%d", number)
			source = slices.Concat(source[:m.start], []byte(text), source[m.end:])
		}
		if err := t.add(files, file, source); err != nil {
			return nil, err
		}
	}
	return files, t.add(files, filepath.Join(t.folder, "mutant.go"), fmt.Appendf(nil, helpers, filepath.Base(t.folder)))
}

func (t *tests) add(files map[string]string, file string, source []byte) error {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	files[absolute] = filepath.Join(t.temporary, filepath.Base(file))
	return os.WriteFile(files[absolute], source, 0o600) //nolint:gosec // in a folder of our own
}

// brokenBy finds out which errors the compiler complains of: the last one that is marked before the place of a complaint.
func (t *tests) brokenBy(text []byte, files map[string]string) map[int]bool {
	broken := map[int]bool{}
	for _, place := range regexp.MustCompile(`(?m)^(\S+\.go):(\d+):(\d+): `).FindAllSubmatch(text, -1) {
		for file, changed := range files {
			if filepath.Base(file) != filepath.Base(string(place[1])) {
				continue
			}
			source, err := os.ReadFile(changed) //nolint:gosec // a file of this repository
			if err != nil {
				continue
			}
			line, _ := strconv.Atoi(string(place[2]))
			column, _ := strconv.Atoi(string(place[3]))
			lines := bytes.SplitAfter(source, []byte("\n"))
			before := bytes.Join(lines[:line-1], nil)
			before = append(before, lines[line-1][:min(column-1+len("/*mutant000*/"), len(lines[line-1]))]...)
			if marks := mark.FindAllSubmatch(before, -1); len(marks) > 0 {
				number, _ := strconv.Atoi(string(marks[len(marks)-1][1]))
				broken[number] = true
			}
		}
	}
	return broken
}

// pass runs the tests without any error planted.
func (t *tests) pass(ctx context.Context, timeout time.Duration) error {
	text, err := t.run(ctx, timeout, 0, quickTests)
	if err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// run runs some tests with one error planted.
func (t *tests) run(ctx context.Context, timeout time.Duration, number int, pattern string) ([]byte, error) {
	test := exec.CommandContext(ctx, t.binary(), "-test.run", pattern, "-test.failfast", "-test.timeout", timeout.String()) //nolint:gosec // compiled above
	test.Dir = t.folder
	test.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(number))
	return test.CombinedOutput()
}

// survivors returns the errors that no test notices.
func (t *tests) survivors(ctx context.Context, o options) (survivors []mutant) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	numbers := make(chan int)
	for range o.workers {
		wg.Go(func() {
			for number := range numbers {
				if t.notices(ctx, o.timeout, number) {
					continue
				}
				mu.Lock()
				survivors = append(survivors, t.mutants[number-1])
				mu.Unlock()
			}
		})
	}
	for i := range t.mutants {
		if ctx.Err() == nil {
			numbers <- i + 1
		}
	}
	close(numbers)
	wg.Wait()
	return survivors
}

// notices reports whether any test fails with an error planted.
func (t *tests) notices(ctx context.Context, timeout time.Duration, number int) bool {
	for _, pattern := range []string{quickTests, "."} {
		var failed *exec.ExitError
		if _, err := t.run(ctx, timeout, number, pattern); errors.As(err, &failed) {
			return true
		}
	}
	return false
}
