// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package plantedreceiver

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
)

var (
	_ = http.MethodGet
	_ = json.Valid
	_ = jsonwalk.NewReader
)
