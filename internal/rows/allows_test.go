// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// recorded is a builder that keeps the last value.
type recorded struct{ v float64 }

func (r *recorded) decimal(_ pcommon.Timestamp, v float64) { r.v = v }

func (r *recorded) whole(_ pcommon.Timestamp, n int64) { r.v = float64(n) }

func TestAllows(t *testing.T) {
	for name, tt := range map[string]struct {
		point Point[*recorded, None]
		v     float64
		want  float64 // NaN if the value is not recorded
	}{
		"whole":                 {Whole((*recorded).whole), 1.2e13, 1.2e13},
		"a fraction":            {Whole((*recorded).whole), 1.5, math.NaN()},
		"a rounded fraction":    {Whole((*recorded).whole).Rounded(), 1.5, 2},
		"beyond int64":          {Whole((*recorded).whole), 1 << 63, math.NaN()},
		"negative":              {Decimal((*recorded).decimal), -1, math.NaN()},
		"negative and signed":   {Decimal((*recorded).decimal).Signed(), -1, -1},
		"not a number":          {Decimal((*recorded).decimal).Signed(), math.NaN(), math.NaN()},
		"infinite":              {Decimal((*recorded).decimal), math.Inf(1), math.NaN()},
		"the limit, in a unit":  {Decimal((*recorded).decimal).In(Percent).Within(0, 10), 1000, 10},
		"beyond it, in a unit":  {Decimal((*recorded).decimal).In(Percent).Within(0, 10), 1001, math.NaN()},
		"per minute":            {Decimal((*recorded).decimal).In(PerMinute), 90, 1.5},
		"infinite in base unit": {Whole((*recorded).whole).In(Mebibytes), 1e303, math.NaN()},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorded{v: math.NaN()}
			b := &Builder[*recorded]{Generated: r}
			allowed := tt.point.Allows(tt.v)
			assert.Equal(t, !math.IsNaN(tt.want), allowed)
			assert.Equal(t, allowed, tt.point.RecordFloat(b, tt.v, None{}))
			if allowed {
				assert.InDelta(t, tt.want, r.v, 0)
			} else {
				assert.True(t, math.IsNaN(r.v))
			}
		})
	}
}
