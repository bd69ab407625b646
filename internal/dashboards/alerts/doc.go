// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package alerts tests the Prometheus rules in distribution/alerts.
package alerts
