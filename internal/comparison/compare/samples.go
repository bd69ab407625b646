// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/prometheus/client_golang/prometheus"

// samples sends the samples of a scrape to the registry.
type samples struct {
	ch chan<- prometheus.Metric
}

func (s samples) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func (s samples) counter(desc *prometheus.Desc, value float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, labels...)
}

// optional sends a value in base units unless the server omitted it.
func (s samples) optional(desc *prometheus.Desc, kind prometheus.ValueType, value *float64, unit float64, labels ...string) {
	if value != nil {
		s.ch <- prometheus.MustNewConstMetric(desc, kind, *value*unit, labels...)
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
