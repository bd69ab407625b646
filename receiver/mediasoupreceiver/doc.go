// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
//go:generate ../../internal/tools/status-block.sh

// Package mediasoupreceiver scrapes a mediasoup application through its agent, or the exporter of edumeet 3.
package mediasoupreceiver
