// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

// version is printed by --version. The Makefile sets it with the linker flag -X main.version=v1.2.3.
var version = "dev"
