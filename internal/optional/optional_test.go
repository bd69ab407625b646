// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package optional

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestValue(t *testing.T) {
	for name, tc := range map[string]struct {
		in      Value[int]
		want    int
		present bool
	}{
		"absent": {},
		"zero":   {Of(0), 0, true},
		"value":  {Of(7), 7, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, present := tc.in.Get()
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.present, present)
		})
	}
	assert.NotEqual(t, Value[string]{}, Of(""), "an empty value is not absent")
}
