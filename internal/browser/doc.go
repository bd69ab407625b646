// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package browser tests the overview page of the built collector in Chromium.
package browser
