// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

// board describes a dashboard.
type board struct {
	name        string // of the file; its uid is otelcol-rtc-<name>
	title       string
	description string
	jobs        string    // regular expression of the values of job
	processes   []process // empty if the system has one kind of process
	alerts      string    // regular expression of the names of the alerts to show
	filters     []filter
	restarts    []string // expressions with a value where a server has restarted
	rows        []row
}

// process is one kind of process of a system with several. It has a variable for its instances, so that the selection of an instance does
// not hide the other processes. Expressions select its servers with {$<name>s}.
type process struct {
	name, title string // of the variable
	jobs        string // regular expression of the values of job
}

// filter is a variable with the values of a label of the series that a selector matches. Expressions refer to it as $name.
type filter struct {
	name, title, label, selector string
}

type row struct {
	title  string
	panels []panel
}

// panel describes a panel. Its width and height follow from its kind unless width is set.
type panel struct {
	kind        kind
	title       string
	description string // what it shows, and what to do
	unit        string
	decimals    int // 0: chosen by Grafana
	width       int
	upTo        float64 // highest value of the axis; 0: chosen by Grafana
	limits      limits
	texts       []text
	opens       bool              // a click opens the dashboard of the system
	units       map[string]string // of the columns of a table that have another unit than the panel
	queries     []query
}

// query is an expression and the legend of its series. In a table, the legend is the title of the column of its values.
type query struct {
	expression, legend string
}

// kind is the visualization of a panel.
type kind int

const (
	stat       kind = iota
	timeSeries      // lines
	stacked         // lines whose areas are added
	table           // of the current values, highest first
	states          // bands of mapped values over time
)

// limits are the values from which a panel is orange and red. If red is lower than orange, lower values are worse.
type limits struct {
	orange, red float64
}

// text replaces a value.
type text struct {
	value, text, color string
}

// Units of Grafana.
const (
	bitsPerSecond    = "bps"
	sizeInBytes      = "bytes"
	celsius          = "celsius"
	count            = "short"
	days             = "d"
	eventsPerSecond  = "cps"
	framesPerSecond  = "fps"
	packetsPerSecond = "pps"
	ratio            = "percentunit"
	requests         = "reqps"
	seconds          = "s"
	uptime           = "dtdurations"
	yesNo            = "bool"
)

// Colors of Grafana.
const (
	blue   = "blue"
	gray   = "#808080"
	green  = "green"
	orange = "orange"
	red    = "red"
)

var (
	upDown   = []text{{"0", "down", red}, {"1", "up", green}}
	healthy  = []text{{"0", "unhealthy", red}, {"1", "healthy", green}}
	isActive = []text{{"0", "no", gray}, {"1", "yes", blue}}
	isWrong  = []text{{"0", "no", green}, {"1", "yes", red}}
)

// zeroIsGood colors every positive value.
var zeroIsGood = limits{orange: 1e-9, red: 1}
