// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// generated records data points, as a generated builder does.
type generated struct{ metrics pmetric.MetricSlice }

func newBuilder() *Builder[*generated] {
	return &Builder[*generated]{Generated: &generated{pmetric.NewMetricSlice()}}
}

func (g *generated) add(name string, start pcommon.Timestamp, attributes ...string) pmetric.NumberDataPoint {
	m := g.metrics.AppendEmpty()
	m.SetName(name)
	if name == "calls" {
		m.SetEmptySum().SetIsMonotonic(true)
	} else {
		m.SetEmptyGauge()
	}
	dp := Points(m).AppendEmpty()
	dp.SetTimestamp(start)
	for _, a := range attributes {
		dp.Attributes().PutStr(a, a)
	}
	return dp
}

func (g *generated) RecordCallsDataPoint(start pcommon.Timestamp, n int64) {
	g.add("calls", start).SetIntValue(n)
}

func (g *generated) RecordLoadDataPoint(start pcommon.Timestamp, v float64) {
	g.add("load", start).SetDoubleValue(v)
}

func (g *generated) RecordRoomDataPoint(start pcommon.Timestamp, n int64, room, state string) {
	g.add("room", start, room, state).SetIntValue(n)
}

func (g *generated) emit() pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	g.metrics.MoveAndAppendTo(metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics())
	return metrics
}

// points returns the values of the recorded data points.
func (g *generated) points() (values []float64) {
	for _, m := range g.metrics.All() {
		dp := Points(m).At(0)
		if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
			values = append(values, float64(dp.IntValue()))
		} else {
			values = append(values, dp.DoubleValue())
		}
	}
	return values
}

var (
	whole   = Whole((*generated).RecordCallsDataPoint)
	decimal = Decimal((*generated).RecordLoadDataPoint)
)

func TestRecord(t *testing.T) {
	for name, tt := range map[string]struct {
		point Point[*generated, None]
		n     int64
		want  []float64 // nil if the value is rejected
	}{
		"whole":                     {whole, 7, []float64{7}},
		"zero":                      {whole, 0, []float64{0}},
		"negative":                  {whole, -1, nil},
		"signed":                    {whole.Signed(), -1, []float64{-1}},
		"in a larger unit":          {whole.In(Kibibytes), 3, []float64{3072}},
		"beyond int64":              {whole.In(Kibibytes), math.MaxInt64 / 1023, nil},
		"beyond int64, negative":    {whole.In(Kibibytes).Signed(), math.MinInt64 / 1023, nil},
		"in a smaller unit":         {whole.In(Bits), 16, []float64{2}},
		"in a smaller unit, a part": {whole.In(Bits), 17, nil},
		"decimal":                   {decimal.In(Milliseconds), 1500, []float64{1.5}},
		"decimal, negative":         {decimal, -1, nil},
		"within":                    {decimal.In(Percent).Within(0, 1), 100, []float64{1}},
		"outside":                   {decimal.In(Percent).Within(0, 1), 101, nil},
		"below 0, within":           {decimal.Within(-50, 200), -40, []float64{-40}},
		"no value":                  {whole.Signed().Except(-1), -1, nil},
		"another value":             {whole.Signed().Except(-1), -2, []float64{-2}},
		"nothing to record":         {Point[*generated, None]{}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBuilder()
			ok := tt.point.Record(b, tt.n, None{})
			assert.Equal(t, tt.want, b.Generated.points())
			if name != "nothing to record" {
				assert.Equal(t, tt.want != nil, ok)
			}
			refused := tt.want == nil && name != "nothing to record" && name != "no value"
			assert.Equal(t, BoolToInt(refused), b.TakeRefused())
			assert.Zero(t, b.TakeRefused())
		})
	}
}

func TestRecordFloat(t *testing.T) {
	for name, tt := range map[string]struct {
		point Point[*generated, None]
		v     float64
		want  []float64
	}{
		"decimal":              {decimal, 0.5, []float64{0.5}},
		"no value":             {decimal.In(Percent).Except(0), 0, nil},
		"NaN":                  {decimal, math.NaN(), nil},
		"NaN, signed":          {decimal.Signed(), math.NaN(), nil},
		"NaN, within":          {decimal.Within(0, 1), math.NaN(), nil},
		"infinite":             {decimal, math.Inf(1), nil},
		"infinite, signed":     {decimal.Signed(), math.Inf(-1), nil},
		"infinite in the unit": {decimal.In(Mebibytes), math.MaxFloat64, nil},
		"negative":             {decimal, -0.5, nil},
		"negative, signed":     {decimal.Signed(), -0.5, []float64{-0.5}},
		"whole":                {whole, 1.2e13, []float64{1.2e13}},
		"not whole":            {whole, 1.5, nil},
		"rounded":              {whole.Rounded(), 1.5, []float64{2}},
		"rounded in the unit":  {whole.In(Megabytes).Rounded(), 1.5, []float64{1.5e6}},
		"beyond int64":         {whole, 1 << 63, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBuilder()
			assert.Equal(t, tt.want != nil, tt.point.RecordFloat(b, tt.v, None{}))
			assert.Equal(t, tt.want, b.Generated.points())
			assert.Equal(t, BoolToInt(tt.want == nil && name != "no value"), b.TakeRefused())
		})
	}
}

func TestAttributes(t *testing.T) {
	b := newBuilder()
	WholeOf(WithLast((*generated).RecordRoomDataPoint, "busy")).Record(b, 1, "a")
	Whole(With2((*generated).RecordRoomDataPoint, "b", "idle")).Record(b, 1, None{})
	RecordState(WholeOf(WithLast((*generated).RecordRoomDataPoint, "state")), b, []string{"x", "y"}, "y", func(s string) string { return s })
	var got []string
	for _, m := range b.Generated.metrics.All() {
		for key := range m.Gauge().DataPoints().At(0).Attributes().All() {
			got = append(got, key)
		}
	}
	assert.Equal(t, []string{"a", "busy", "b", "idle", "x", "state", "y", "state"}, got)
	assert.Equal(t, []float64{1, 1, 0, 1}, b.Generated.points())
}

func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		unit Unit
		want float64 // base units per unit
	}{
		{Unit{}, 1},
		{Percent, 0.01},
		{Per256, 1.0 / 256},
		{Milliseconds, 1e-3},
		{Microseconds, 1e-6},
		{Minutes, 60},
		{Bits, 0.125},
		{Kilobits, 125},
		{Kibibytes, 1024},
		{Megabytes, 1e6},
		{Mebibytes, 1048576},
	} {
		assert.InDelta(t, tt.want, tt.unit.Base(1), 0)
	}
}

// TestMetrics checks that Metrics finds Points wherever they are exported.
func TestMetrics(t *testing.T) {
	type row struct {
		Key    string
		Point  Point[*generated, None]
		hidden Point[*generated, None]
	}
	room := WholeOf(func(g *generated, start pcommon.Timestamp, n int64, of *struct{ room, state string }) {
		g.RecordRoomDataPoint(start, n, of.room, of.state)
	})
	calls, load, rooms := Metric{"calls", true}, Metric{Name: "load"}, Metric{Name: "room"}
	for name, tt := range map[string]struct {
		tables []any
		want   []Metric
	}{
		"a point":               {[]any{whole}, []Metric{calls}},
		"attributes by pointer": {[]any{room}, []Metric{rooms}},
		"rows":                  {[]any{[]row{{"a", whole, Point[*generated, None]{}}, {"b", decimal, whole}}}, []Metric{calls, load}},
		"a map":                 {[]any{map[string]Point[*generated, None]{"a": decimal}}, []Metric{load}},
		"a pointer to an array": {[]any{&[1]any{row{Point: whole}}}, []Metric{calls}},
		"several tables":        {[]any{whole, []any{decimal, nil, 7, (*row)(nil)}}, []Metric{calls, load}},
		"hidden":                {[]any{row{hidden: whole}}, nil},
		"none":                  {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBuilder()
			assert.Equal(t, tt.want, Metrics(b.Generated, b.Generated.emit, tt.tables...))
			assert.Zero(t, b.Generated.metrics.Len())
		})
	}
}

// TestFinish checks that each data point has its own start time or that of the process, whatever was recorded before it.
func TestFinish(t *testing.T) {
	b := newBuilder()
	seconds := func(s int64) pcommon.Timestamp { return pcommon.NewTimestampFromTime(time.Unix(s, 0)) }
	starts := []pcommon.Timestamp{0, seconds(20), 0, seconds(90), seconds(10)}
	for _, start := range starts {
		require.True(t, whole.RecordSince(b, start, 1, None{}))
		require.True(t, decimal.RecordFloatSince(b, start, 1, None{}))
		require.False(t, whole.RecordSince(b, seconds(1), -1, None{}))
	}
	metrics := b.Generated.emit()
	Finish(metrics, seconds(5), seconds(50))
	var got []pcommon.Timestamp
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		dp := Points(m).At(0)
		assert.Equal(t, seconds(50), dp.Timestamp())
		got = append(got, dp.StartTimestamp())
	}
	five, ten, twenty, fifty := seconds(5), seconds(10), seconds(20), seconds(50)
	assert.Equal(t, []pcommon.Timestamp{five, five, twenty, twenty, five, five, fifty, fifty, ten, ten}, got)
}

func TestToWhole(t *testing.T) {
	for v, want := range map[float64]struct {
		n  int64
		ok bool
	}{
		0: {0, true}, 1.2e13: {12e12, true}, -3: {-3, true}, 0.5: {}, math.Inf(1): {}, 1 << 63: {}, -1 << 63: {math.MinInt64, true}, 1e300: {},
	} {
		n, ok := ToWhole(v)
		assert.Equal(t, want.ok, ok, v)
		assert.Equal(t, want.n, n, v)
	}
	_, ok := ToWhole(math.NaN())
	assert.False(t, ok)
}
