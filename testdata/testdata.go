// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package testdata holds the captured answers of the monitored servers, so that a program that plays such a server is
// self-contained.
package testdata

import "embed"

// Files are the captures, one folder per system.
//
// all: captures whose names begin with an underscore are wanted too.
//
//go:embed flussonic jitsi all:kamailio mediasoup zlmediakit
var Files embed.FS
