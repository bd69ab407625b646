// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate ../../tools/status-block.sh

// Package hostnetworkreceiver reads the counters of a Linux host that show lost UDP datagrams.
package hostnetworkreceiver
