// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

// version is what --version prints. The Makefile sets it with the linker: -X main.version=v1.2.3.
var version = "dev"
