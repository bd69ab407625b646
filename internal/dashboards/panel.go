// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"regexp"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	sdkstat "github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	sdktable "github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// build returns the panel as Grafana reads it, without its position.
func (p *panel) build(b *board) (dashboard.Panel, error) {
	built, err := p.visualization()
	if err != nil {
		return built, err
	}
	built.Title, built.Description, built.Datasource = &p.title, &p.description, datasource()
	if built.FieldConfig == nil {
		built.FieldConfig = dashboard.NewFieldConfigSource()
	}
	p.configure(&built.FieldConfig.Defaults)
	for i, q := range p.queries {
		built.Targets = append(built.Targets, p.target(b, q, string(rune('A'+i))))
	}
	if p.kind == table {
		built.Transformations = p.transformations()
		built.FieldConfig.Overrides = p.columns()
	}
	return built, nil
}

// visualization returns a panel with the settings of its kind.
func (p *panel) visualization() (dashboard.Panel, error) {
	legend := common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).
		Placement(common.LegendPlacementBottom)
	tooltip := common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)
	switch p.kind {
	case timeSeries, stacked:
		builder := timeseries.NewPanelBuilder().LineWidth(1).FillOpacity(5).ShowPoints(common.VisibilityModeNever).Legend(legend).Tooltip(tooltip)
		if p.kind == stacked {
			builder.FillOpacity(40).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
		}
		if p.limits != (limits{}) && p.limits != zeroIsGood {
			builder.ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
		}
		return builder.Build()
	case states:
		return statetimeline.NewPanelBuilder().MergeValues(true).ShowValue(common.VisibilityModeAuto).RowHeight(0.8).FillOpacity(70).
			LineWidth(0).Legend(legend.ShowLegend(false)).Build()
	case table:
		footer := common.NewTableFooterOptionsBuilder().Reducer([]string{"sum"}) // required, although it is not shown
		return sdktable.NewPanelBuilder().Footer(footer).ShowHeader(true).CellHeight(common.TableCellHeightSm).Filterable(true).
			SortBy([]cog.Builder[common.TableSortByFieldState]{
				common.NewTableSortByFieldStateBuilder().DisplayName(p.queries[0].legend).Desc(p.limits.red >= p.limits.orange),
			}).Build()
	default:
		reduce := common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})
		return sdkstat.NewPanelBuilder().ReduceOptions(reduce).GraphMode(common.BigValueGraphModeArea).
			ColorMode(common.BigValueColorModeValue).Build()
	}
}

// configure sets how values are shown.
func (p *panel) configure(field *dashboard.FieldConfig) {
	field.Unit, field.Thresholds = &p.unit, p.limits.thresholds()
	if p.decimals > 0 {
		field.Decimals = new(float64(p.decimals))
	}
	if p.kind == timeSeries || p.kind == stacked {
		field.Min = new(0.)
		field.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassic}
	} else {
		field.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}
	}
	if p.upTo > 0 {
		field.Max = &p.upTo
	}
	if len(p.texts) > 0 {
		options := map[string]dashboard.ValueMappingResult{}
		for i, t := range p.texts {
			options[t.value] = dashboard.ValueMappingResult{Text: &t.text, Color: &t.color, Index: new(int32(i))}
		}
		field.Mappings = []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
	}
	if p.opens && p.kind != table {
		field.Links = []dashboard.DashboardLink{linkToSystem(p.kind)}
	}
}

// thresholds returns the colors of values.
func (l limits) thresholds() *dashboard.ThresholdsConfig {
	steps := []dashboard.Threshold{{Color: green}}
	switch {
	case l == (limits{}):
	case l.red < l.orange:
		steps = []dashboard.Threshold{{Color: red}, {Value: &l.red, Color: orange}, {Value: &l.orange, Color: green}}
	default:
		steps = append(steps, dashboard.Threshold{Value: &l.orange, Color: orange}, dashboard.Threshold{Value: &l.red, Color: red})
	}
	return &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: steps}
}

func (p *panel) target(b *board, q query, id string) prometheus.Dataquery {
	target := prometheus.Dataquery{
		RefId: &id, Expr: b.expand(q.expression), LegendFormat: &q.legend, EditorMode: new(prometheus.QueryEditorModeCode),
		Interval: new(interval), Datasource: datasource(), Format: new(prometheus.PromQueryFormatTimeSeries),
	}
	if p.kind == table {
		target.Instant, target.Format = new(true), new(prometheus.PromQueryFormatTable)
	} else {
		target.Range = new(true)
	}
	return target
}

// transformations join the queries of a table and give its columns titles.
func (p *panel) transformations() []dashboard.DataTransformerConfig {
	titles := map[string]string{}
	for i, q := range p.queries {
		titles["Value #"+string(rune('A'+i))] = q.legend
		for _, label := range labelsOf(q.expression) {
			titles[label] = columnTitle(label)
		}
	}
	if len(p.queries) == 1 {
		titles["Value"] = p.queries[0].legend
	}
	return []dashboard.DataTransformerConfig{
		{Id: "merge", Options: map[string]any{}},
		{Id: "organize", Options: map[string]any{"excludeByName": map[string]bool{"Time": true}, "renameByName": titles}},
	}
}

// columns returns the settings of single columns of a table.
func (p *panel) columns() (overrides []dashboard.DashboardFieldConfigSourceOverrides) {
	add := func(column string, properties ...dashboard.DynamicConfigValue) {
		byName := dashboard.MatcherConfig{Id: "byName", Options: column}
		overrides = append(overrides, dashboard.DashboardFieldConfigSourceOverrides{Matcher: byName, Properties: properties})
	}
	for i, q := range p.queries {
		if i == 0 && (p.limits != (limits{}) || len(p.texts) > 0) {
			add(q.legend, dashboard.DynamicConfigValue{Id: "custom.cellOptions", Value: map[string]string{"type": "color-text"}})
		}
		if unit := p.units[q.legend]; unit != "" {
			add(q.legend, dashboard.DynamicConfigValue{Id: "unit", Value: unit})
		}
	}
	if p.opens {
		add("instance", dashboard.DynamicConfigValue{Id: "links", Value: []dashboard.DashboardLink{linkToSystem(p.kind)}})
		add("dashboard", dashboard.DynamicConfigValue{Id: "custom.hidden", Value: true})
		add("variable", dashboard.DynamicConfigValue{Id: "custom.hidden", Value: true})
	}
	return overrides
}

var grouping = regexp.MustCompile(`\bby \(([^)]+)\)`)

// labelsOf returns the labels by which an expression groups.
func labelsOf(expression string) (labels []string) {
	for _, match := range grouping.FindAllStringSubmatch(expression, -1) {
		labels = append(labels, strings.Split(match[1], ", ")...)
	}
	return labels
}

var systemPrefix = regexp.MustCompile("^(zlmediakit|jitsi|kamailio|rtpengine|flussonic|mediasoup|rtc)_")

// columnTitle returns the words of a label, without the name of the system.
func columnTitle(label string) string {
	return strings.ReplaceAll(systemPrefix.ReplaceAllString(label, ""), "_", " ")
}
