// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package completeness_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
)

func TestContext(t *testing.T) {
	assert.Equal(t, completeness.Unknown, completeness.From(t.Context()))
	full := completeness.With(t.Context(), completeness.Full)
	assert.Equal(t, completeness.Full, completeness.From(full))
	assert.Equal(t, completeness.Incremental, completeness.From(completeness.With(full, completeness.Incremental)))
}
