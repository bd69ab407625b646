// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards generates the Grafana dashboards in distribution/dashboards. It is a module of its own, because the collector does not
// need these dependencies.
package dashboards

//go:generate go run ./write ../../distribution/dashboards
