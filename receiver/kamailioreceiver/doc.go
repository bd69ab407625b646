// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
//go:generate ../../internal/tools/status-block.sh

// Package kamailioreceiver scrapes a Kamailio SIP server through its RPC interface, and an rtpengine through its metrics page.
package kamailioreceiver
