// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package testdata embeds the captured answers of the monitored servers in programs that emulate them.
package testdata

import "embed"

// Files holds the captures, one directory per system. The prefix all: includes files whose names begin with an underscore.
//
//go:embed flussonic jitsi all:kamailio mediasoup zlmediakit
var Files embed.FS
