// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package testdata embeds the captured answers of the monitored servers in programs that emulate them.
package testdata

import "embed"

// Files are the captures, one folder per system, also those whose names begin with an underscore.
//
//go:embed all:*
var Files embed.FS
