// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package plantedreceiver

import (
	"net/http"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
)

var (
	_ = http.MethodGet
	_ = pmetric.NewMetrics
	_ = jsonwalk.NewReader
)
