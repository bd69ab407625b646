// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package plantedreceiver breaks the rule that only a client decodes responses, and that a client does not record metrics. The linter must
// report it.
package plantedreceiver
