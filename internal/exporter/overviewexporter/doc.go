// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate ../../tools/status-block.sh

// Package overviewexporter serves a web page that shows the state of the monitored servers now and in the last hour.
package overviewexporter
