// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

var boards = []board{fleet, zlmediakit, jitsi, kamailio, flussonic, mediasoup}

// interval is the lowest resolution of a query. Grafana makes $__rate_interval at least four times as long.
const interval = "30s"

// tag is that of all dashboards, by which they link to each other.
const tag = "otelcol-rtc"

// Files returns the contents of the dashboards by the names of their files.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, b := range boards {
		built, err := b.build()
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", b.name, err)
		}
		var content bytes.Buffer
		encoder := json.NewEncoder(&content)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(built); err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", b.name, err)
		}
		files[b.name+".json"] = content.Bytes()
	}
	return files, nil
}

// build returns the dashboard as Grafana reads it.
func (b *board) build() (*dashboard.Dashboard, error) {
	d := dashboard.NewDashboard()
	d.Uid, d.Title, d.Description = new(tag+"-"+b.name), new(b.title), new(b.description)
	d.Tags = []string{tag}
	d.Refresh, d.Time = new("30s"), &dashboard.DashboardDashboardTime{From: "now-3h", To: "now"}
	d.GraphTooltip = new(dashboard.DashboardCursorSyncCrosshair)
	d.Templating.List = b.variables()
	d.Annotations.List = b.annotations()
	d.Links = []dashboard.DashboardLink{{
		Title: "Dashboards", Type: dashboard.DashboardLinkTypeDashboards, Icon: "external link", Tags: []string{tag},
		AsDropdown: true, KeepTime: true,
	}}
	grid := &grid{}
	for _, r := range b.rows {
		d.Panels = append(d.Panels, grid.addRow(r.title))
		for i, p := range r.panels {
			built, err := p.build(b)
			if err != nil {
				return nil, fmt.Errorf("panel %s: %w", p.title, err)
			}
			var next size
			if i+1 < len(r.panels) {
				next = r.panels[i+1].size()
			}
			grid.place(&built, p.size(), next)
			d.Panels = append(d.Panels, dashboard.PanelOrRowPanel{Panel: &built})
		}
	}
	return d, d.Validate()
}

// datasource refers to the variable with the data source.
func datasource() *common.DataSourceRef {
	return &common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

// expand replaces $servers and $<process>s in the selectors of an expression by the matchers of the selected servers.
func (b *board) expand(expression string) string {
	expanded := strings.ReplaceAll(expression, "$servers", `job=~"$job", instance=~"$instance"`)
	for _, p := range b.processes {
		expanded = strings.ReplaceAll(expanded, "$"+p.name+"s", `job=~"$jobs", instance=~"$`+p.name+`"`)
	}
	return expanded
}

func (b *board) variables() []dashboard.VariableModel {
	variables := append([]dashboard.VariableModel{{
		Type: dashboard.VariableTypeDatasource, Name: "datasource", Label: new("Data source"),
		Query: &dashboard.StringOrMap{String: new("prometheus")},
	}}, b.serverVariables()...)
	for _, f := range b.filters {
		variables = append(variables, b.variable(f.name, f.title, f.selector, f.label, ".*"))
	}
	return variables
}

// serverVariables returns the variables that select servers. Those of several kinds of processes do not use the name job, which links from
// the fleet set: the job of one process would hide the others.
func (b *board) serverVariables() []dashboard.VariableModel {
	up := fmt.Sprintf(`rtc_target_up{job=~%q}`, b.jobs)
	if len(b.processes) == 0 {
		return []dashboard.VariableModel{
			b.variable("job", "Job", up, "job", ""),
			b.variable("instance", "Server", `rtc_target_up{job=~"$job"}`, "instance", ".*"),
		}
	}
	variables := []dashboard.VariableModel{b.variable("jobs", "Job", up, "job", "")}
	for _, p := range b.processes {
		up := fmt.Sprintf(`rtc_target_up{job=~"$jobs", job=~%q}`, p.jobs)
		variables = append(variables, b.variable(p.name, p.title, up, "instance", ".*"))
	}
	return variables
}

// variable returns a variable with the values of a label of the series that a selector matches. If all is not empty, it is the regular
// expression for all values.
func (b *board) variable(name, title, selector, label, all string) dashboard.VariableModel {
	definition := fmt.Sprintf("label_values(%s, %s)", b.expand(selector), label)
	every := func(text string) dashboard.StringOrArrayOfString {
		return dashboard.StringOrArrayOfString{ArrayOfString: []string{text}}
	}
	v := dashboard.VariableModel{
		Type: dashboard.VariableTypeQuery, Name: name, Label: &title, Datasource: datasource(), Definition: &definition,
		Query:   &dashboard.StringOrMap{Map: map[string]any{"qryType": 1, "query": definition, "refId": "PrometheusVariableQueryEditor-VariableQuery"}},
		Refresh: new(dashboard.VariableRefreshOnTimeRangeChanged), Sort: new(dashboard.VariableSortNaturalAsc),
		Multi: new(true), IncludeAll: new(true),
		Current: &dashboard.VariableOption{Selected: new(true), Text: every("All"), Value: every("$__all")},
	}
	if all != "" {
		v.AllValue = &all
	}
	return v
}

// annotations returns marks for firing alerts and restarts.
func (b *board) annotations() []dashboard.AnnotationQuery {
	instances := "$instance|" // alerts on a sum over servers have no instance
	if len(b.processes) > 0 {
		instances = ""
		for _, p := range b.processes {
			instances += "$" + p.name + "|"
		}
	}
	alerts := fmt.Sprintf(`ALERTS{alertstate="firing", alertname=~%q, instance=~%q}`, b.alerts, instances)
	list := []dashboard.AnnotationQuery{annotation("Alerts", red, alerts, "{{alertname}} {{instance}}")}
	if len(b.restarts) > 0 {
		list = append(list, annotation("Restarts", blue, b.expand(strings.Join(b.restarts, " or ")), "{{job}} {{instance}} restarted"))
	}
	return list
}

func annotation(name, color, expression, title string) dashboard.AnnotationQuery {
	return dashboard.AnnotationQuery{
		Name: name, Enable: true, IconColor: color, Datasource: datasource(), Expr: &expression,
		Target: prometheus.Dataquery{
			RefId: new("Anno"), Expr: expression, LegendFormat: &title, Interval: new(interval), Range: new(true), Datasource: datasource(),
		},
	}
}

// linkToSystem opens the dashboard of the system of a series with its job and instance. Its labels dashboard and variable are those of
// linked.
func linkToSystem(k kind) dashboard.DashboardLink {
	value := "${__field.labels.%s}"
	if k == table {
		value = "${__data.fields.%s}"
	}
	field := func(name string) string { return fmt.Sprintf(value, name) }
	url := "/d/" + tag + "-" + field("dashboard") + "?var-job=" + field("job") + "&var-" + field("variable") + "=" + field("instance") +
		"&${datasource:queryparam}&${__url_time_range}"
	return dashboard.DashboardLink{Title: "Open the dashboard of the system", Type: dashboard.DashboardLinkTypeLink, Url: &url, Tags: []string{}}
}

// linked adds labels to the series of an expression: dashboard is the name of the dashboard of the system, and variable is the name of its
// variable for the instance.
func linked(expression string) string {
	const replace = `label_replace(%s, %q, %q, "job", %q)`
	for _, label := range [][3]string{
		{"dashboard", "$1", "(?:.+/)?(zlmediakit|jitsi|kamailio|flussonic|mediasoup)(?:-.*)?"},
		{"dashboard", "kamailio", "(?:.+/)?rtpengine"},
		{"variable", "instance", ".*"},
		{"variable", "$1", "(?:.+/)?(?:jitsi-)?(videobridge|jicofo|jigasi|jibri|kamailio|rtpengine)"},
	} {
		expression = fmt.Sprintf(replace, expression, label[0], label[1], label[2])
	}
	return expression
}
