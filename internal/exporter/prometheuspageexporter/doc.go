// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate ../../tools/status-block.sh

// Package prometheuspageexporter serves the current metrics as a page for Prometheus.
package prometheuspageexporter
