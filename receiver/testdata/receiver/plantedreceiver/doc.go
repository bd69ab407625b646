// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package plantedreceiver breaks the rule that only a client knows the wire, and that it knows no metrics. The linter must notice it.
package plantedreceiver
