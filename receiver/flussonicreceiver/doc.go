// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
//go:generate ../../internal/tools/status-block.sh

// Package flussonicreceiver scrapes a Flussonic Media Server through API v3 and its Prometheus page.
package flussonicreceiver
