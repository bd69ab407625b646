// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Command write writes the dashboards to the directory that is its argument.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/otelcol-rtc/otelcol-rtc/internal/dashboards"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("the argument is the directory to write to")
	}
	files, err := dashboards.Files()
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(arguments[0], name), content, 0o644); err != nil { //nolint:gosec // everyone may read dashboards
			return err
		}
	}
	return nil
}
