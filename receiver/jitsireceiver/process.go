// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// process turns the answers of one component into metrics: a resource of its own.
type process struct {
	*program
	block  block
	cfg    *Config
	set    receiver.Settings
	mb     *metadata.MetricsBuilder
	client *client
	target scrape.Target
	starts cumulative.Starts
	report *report
	wants  wants

	// What the component told of itself, since it was last away.
	met         bool
	identity    identity
	mixture     mixture
	versionWait int // scrapes until /about/version is asked again
	choice      choice

	resource  pcommon.Resource
	described identity // in resource

	things map[entity]*selection.Set[recorded]

	start pcommon.Timestamp // of the sums; 0 while nothing was recorded
	last  pcommon.Timestamp // time of the last scrape that was recorded
	sums  [2][]float64      // last monotonic values by source and row

	// Of the current scrape.
	answers  [2]*answer // by source; nil where there is none
	partial  bool       // one of them failed
	reported identity
	key      []byte // reused
	metrics  pmetric.Metrics
	up       bool
	err      error

	notices scrape.Notices
	logged  [2]bool // the last choice
	illness string  // why the last health check failed, empty when it passed
}

// report is what the scrapes tell of themselves.
type report = scrape.Report[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]

func newReport(starts *cumulative.Starts) *report {
	return scrape.NewReport[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason](metadata.MapAttributeErrorType, starts)
}

// recorded is the state of a named thing between scrapes.
type recorded struct {
	rows []int // in this scrape
	sums []thingSum
}

// choice says which sources are asked. While it is not made, both are.
type choice struct {
	made    bool
	asked   [2]bool
	scrapes int // since it was made
}

// lasting is for how many scrapes a choice counts: what is turned on meanwhile is found then.
const lasting = 100

func newProcess(ctx context.Context, cfg *Config, b block, host component.Host, set receiver.Settings) (*process, error) {
	p := &process{
		program: b.program, block: b, cfg: cfg, set: set,
		mb: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		things: map[entity]*selection.Set[recorded]{
			metadata.AttributeRtcEntityBridge: selection.New[recorded](cfg.Bridges.selection()),
			metadata.AttributeRtcEntityQueue:  selection.New[recorded](cfg.Queues.selection()),
		},
	}
	p.report = newReport(&p.starts)
	p.wants = countWanted(p.rows, p.mb)
	p.sums = [2][]float64{make([]float64, len(p.rows)), make([]float64, len(p.rows))}
	var err error
	if p.target, err = scrape.NewTarget(b.client.Endpoint, ""); err != nil {
		return nil, err
	}
	p.resource = p.describe()
	p.client, err = newClient(ctx, b.program, b.client, host, set.TelemetrySettings)
	return p, err
}

// wants are the enabled metrics.
type wants struct {
	rows     []bool   // that make one
	sums     []string // names of those that are monotonic, by row
	told     [2]int   // by source that tells them
	pageOnly int
}

// countWanted learns which metrics the rows make by recording each of them once.
func countWanted(rows []row, mb *metadata.MetricsBuilder) wants {
	w := wants{rows: make([]bool, len(rows)), sums: make([]string, len(rows))}
	told := [2]map[string]bool{{}, {}}
	example := fact{decimal: 1, sizes: []size{{}}}
	for i := range rows {
		rows[i].record(&process{mb: mb}, pcommon.Timestamp(2e9), &example)
		made := mb.Emit()
		if made.MetricCount() == 0 {
			continue
		}
		w.rows[i] = true
		metric := made.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
		name := metric.Name()
		if isMonotonic(metric) {
			w.sums[i] = name
		}
		for from, names := range [...]string{fromStats: rows[i].stats, fromPage: rows[i].page} {
			if names != "" {
				told[from][name] = true
			}
		}
	}
	for name := range told[fromPage] {
		if !told[fromStats][name] {
			w.pageOnly++
		}
	}
	w.told = [2]int{len(told[fromStats]), len(told[fromPage])}
	return w
}

// scrape asks the component once.
func (p *process) scrape(ctx context.Context, now pcommon.Timestamp) {
	p.report.Begin()
	p.answers = [2]*answer{}
	results := scrape.Run(ctx, nil, func() []scrape.Part { return p.parts(now) })
	p.settle(results)
	if p.up = scrape.Up(results); p.up {
		if !p.met {
			p.met, p.versionWait, p.identity = true, 0, identity{}
		}
		p.record(now)
		results = append(results, p.askVersion(ctx)...)
	} else {
		p.met = false // another may come up in its place
	}
	p.err = scrape.Err(p.block.client.Endpoint, results)
	p.report.Record(p.mb, now, p.up, results)
	p.warnOfLimits()
	start := min(cmp.Or(p.start, p.report.Began()), now)
	if p.described != p.identity {
		p.resource, p.described = p.describe(), p.identity
	}
	p.metrics = p.mb.Emit(metadata.WithResource(p.resource), metadata.WithStartTimeOverride(start))
	p.starts.Apply(p.metrics)
	if p.mixture.mixed {
		dropSums(p.metrics)
	}
}

// parts is the table of calls: how many enabled metrics are missing when each fails, and what becomes of its answer.
func (p *process) parts(now pcommon.Timestamp) []scrape.Part {
	keep := func(from source) func(*answer) {
		return func(a *answer) { p.answers[from] = a }
	}
	healthy := 0
	if p.health != "" {
		healthy = scrape.Enabled(p.cfg.MetricsBuilderConfig.Metrics.JitsiJigasiHealthy.Enabled)
	}
	return []scrape.Part{
		{API: p.stats, Metrics: p.missing(fromStats), Call: scrape.Fetch(p.client.Stats, keep(fromStats))},
		{API: apiMetrics, Metrics: p.missing(fromPage), Call: scrape.Fetch(p.client.Page, keep(fromPage))},
		{API: p.health, Metrics: healthy, Call: scrape.Fetch(p.client.Health, func(h health) { p.recordHealth(now, h) })},
	}
}

// recordHealth records the result of a health check, and logs the reason of a failure when it changes.
func (p *process) recordHealth(now pcommon.Timestamp, h health) {
	p.mb.RecordJitsiJigasiHealthyDataPoint(now, scrape.Number(h.passed))
	switch {
	case h.reason == p.illness:
		return
	case h.passed:
		p.set.Logger.Info("the health check of a component of jitsi passes again", zap.String("component", p.program.block))
	default:
		p.set.Logger.Warn("the health check of a component of jitsi fails",
			zap.String("component", p.program.block), zap.String("reason", h.reason))
	}
	p.illness = h.reason
}

// missing returns how many metrics are missing when a source fails, 0 when it is not to be asked.
func (p *process) missing(from source) int {
	switch {
	case !p.asks(from):
		return 0
	case from == fromPage && p.asks(fromStats):
		return max(1, p.wants.pageOnly)
	}
	return max(1, p.wants.told[from])
}

func (p *process) asks(from source) bool {
	switch {
	case p.block.source == sourceMetrics:
		return from == fromPage
	case p.block.source != sourceAuto:
		return from == fromStats
	case p.choice.made:
		return p.choice.asked[from]
	}
	return from == fromStats || p.wants.told[fromPage] > 0
}

// settle pardons a source that the component does not have if the other answered, and keeps the choice between them.
func (p *process) settle(results []scrape.Result) {
	answered := [2]bool{p.answers[fromStats] != nil, p.answers[fromPage] != nil}
	p.partial = false
	for i := range results {
		r := &results[i]
		if isAbsent(r.Err) && r.API != p.health && (answered[fromStats] || answered[fromPage]) {
			p.noteAbsent(r)
		}
		p.partial = p.partial || !r.Answered()
	}
	p.choice.scrapes++
	switch {
	case p.block.source != sourceAuto:
	case p.partial, p.choice.scrapes >= lasting:
		p.choice = choice{}
	case !p.choice.made:
		p.choose(answered)
	}
}

// choose settles on the sources that tell something of their own.
func (p *process) choose(answered [2]bool) {
	p.choice = choice{made: true, asked: [2]bool{answered[fromStats], answered[fromPage] && p.pageTellsMore()}}
	if p.logged == p.choice.asked {
		return
	}
	p.logged = p.choice.asked
	var paths []string
	for from, path := range [...]string{fromStats: p.stats, fromPage: apiMetrics} {
		if p.choice.asked[from] {
			paths = append(paths, path)
		}
	}
	p.set.Logger.Info("chose what to ask a component of jitsi for", zap.String("component", p.program.block), zap.Strings("paths", paths))
}

func (p *process) noteAbsent(r *scrape.Result) {
	if p.notices.First("absent " + r.API) {
		p.set.Logger.Info("a component of jitsi does not offer an API: the metrics that it alone tells are left out",
			zap.String("component", p.program.block), zap.String("api", r.API), zap.Error(r.Err))
	}
	r.Err = nil
}

// pageTellsMore reports whether the page tells an enabled metric that the JSON answer does not.
func (p *process) pageTellsMore() bool {
	stats, page := p.answers[fromStats], p.answers[fromPage]
	for i := range p.rows {
		if p.wants.rows[i] && page.facts[i].rank > 0 && (stats == nil || stats.facts[i].rank == 0) {
			return true
		}
	}
	for i := range page.things {
		if p.wants.rows[page.things[i].row] {
			return true
		}
	}
	return false
}

// record records what the sources told, each fact once: what both tell, as the JSON answer has it.
func (p *process) record(now pcommon.Timestamp) {
	fell := p.sumsFell()
	p.reported = identity{}
	for i := range p.rows {
		for from, a := range p.answers {
			if a != nil && a.facts[i].rank > 0 {
				f, r := &a.facts[i], &p.rows[i]
				f.decimal = r.unit.base(f.decimal, source(from), p.reported.version)
				r.record(p, now, f)
				break
			}
		}
	}
	p.identity.update(p.reported)
	ended := p.noteMixture()
	p.start = p.startOfSums(now, fell || ended)
	for of, set := range p.things {
		p.recordThings(now, of, set)
	}
	p.last = now
}

// noteMixture looks whether several processes answer in turn, and reports whether they no longer do.
func (p *process) noteMixture() (ended bool) {
	changed := p.mixture.observe(p.reported.fingerprint(p.identity.about))
	others := 0
	if p.mixture.mixed {
		others = len(p.mixture.different()) - 1
	}
	if len(p.mixture.recent) > 0 {
		p.report.Omit(metadata.AttributeRtcEntityBridge, metadata.AttributeRtcOmissionReasonMerged, int64(others))
	}
	switch {
	case !changed:
		return false
	case p.mixture.mixed:
		p.set.Logger.Warn("several components of jitsi answer at one address in turn, and their sums are left out: point each receiver at one of them (pod address, headless service)",
			zap.String("component", p.program.block), zap.String("endpoint", p.block.client.Endpoint), zap.Stringers("identities", p.mixture.different()))
		return false
	}
	p.set.Logger.Info("it is no longer several components of jitsi that answer at one address",
		zap.String("component", p.program.block), zap.String("endpoint", p.block.client.Endpoint))
	return true
}

// thingsOf walks over the wanted facts of things of one kind, those of the JSON answer first.
func (p *process) thingsOf(of entity) iter.Seq[*thing] {
	return func(yield func(*thing) bool) {
		for _, a := range p.answers {
			if a == nil {
				continue
			}
			for i := range a.things {
				t := &a.things[i]
				if p.rows[t.row].of == of && p.wants.rows[t.row] && t.whole >= 0 && !yield(t) {
					return
				}
			}
		}
	}
}

// beginThings starts a scrape of things of one kind. All of them are known before, unless a source failed.
func (p *process) beginThings(of entity, set *selection.Set[recorded]) {
	if p.partial {
		set.Begin()
		return
	}
	set.BeginOf(func(yield func([]byte) bool) {
		for t := range p.thingsOf(of) {
			p.key = selection.AppendName(p.key[:0], t.word)
			if !yield(p.key) {
				return
			}
		}
	})
}

// recordThings records the facts of things of one kind.
func (p *process) recordThings(now pcommon.Timestamp, of entity, set *selection.Set[recorded]) {
	p.beginThings(of, set)
	merged := int64(0)
	for t := range p.thingsOf(of) {
		p.key = selection.AppendName(p.key[:0], t.word)
		item, first := set.Get(p.key)
		if first {
			item.Value.rows = item.Value.rows[:0]
		}
		if slices.Contains(item.Value.rows, t.row) {
			merged++
			continue
		}
		item.Value.rows = append(item.Value.rows, t.row)
		if item.Kept {
			t.word = item.Name
			p.rows[t.row].record(p, now, &t.fact)
		}
		if sum := p.wants.sums[t.row]; sum != "" {
			start := item.Value.startOf(t.row, t.whole, p.last)
			if item.Kept {
				p.starts.Add(sum, max(start, p.start), now)
			}
		}
	}
	if len(set.Seen()) > 0 {
		p.report.Omit(of, metadata.AttributeRtcOmissionReasonLimit, int64(set.Limited()))
		p.report.Omit(of, metadata.AttributeRtcOmissionReasonMerged, merged)
	}
	set.End(!p.partial)
}

// onPage returns what the page told of a family.
func (p *process) onPage(family string) fact {
	a := p.answers[fromPage]
	if a == nil {
		return fact{}
	}
	return a.facts[p.client.names.page[family].row]
}

// recordStart records how long the bridge has been running. One that started since, in seconds since 1970, may have another version.
func (p *process) recordStart(now pcommon.Timestamp, f *fact) {
	if f.decimal <= 0 {
		return
	}
	p.reported.started = f.decimal
	if p.reported.started != p.identity.started {
		p.identity.about, p.versionWait = "", 0
	}
	if seconds := float64(now)/1e9 - f.decimal; seconds >= 0 {
		p.mb.RecordJitsiJvbUptimeDataPoint(now, seconds)
	}
}

// askVersion asks for the version of a component that does not tell it elsewhere. One that has none, which some say with
// status 503, is asked again after a while.
func (p *process) askVersion(ctx context.Context) []scrape.Result {
	wanted := p.cfg.MetricsBuilderConfig.ResourceAttributes.ServiceVersion.Enabled
	if p.about == "" || !wanted || cmp.Or(p.identity.version, p.identity.about) != "" || p.mixture.mixed || ctx.Err() != nil {
		return nil
	}
	if p.versionWait > 0 {
		p.versionWait--
		return nil
	}
	results := scrape.Run(ctx, nil, func() []scrape.Part {
		return []scrape.Part{{API: p.about, Metrics: 1, Call: scrape.Fetch(p.client.Version, func(v string) { p.identity.about = v })}}
	})
	for i := range results {
		if isAbsent(results[i].Err) || hasStatus(results[i].Err, http.StatusServiceUnavailable) {
			p.noteAbsent(&results[i])
		}
		if results[i].Err == nil && p.identity.about == "" {
			p.versionWait = lasting
		}
	}
	return results
}

// describe makes the resource of the component as it was last seen, so that its identity stays the same while it is down.
func (p *process) describe() pcommon.Resource {
	rb := p.mb.NewResourceBuilder()
	rb.SetServiceName(p.service)
	rb.SetServiceInstanceID(p.target.Instance)
	rb.SetServerAddress(p.target.Address)
	rb.SetServerPort(p.target.Port)
	for _, attribute := range []struct {
		set   func(string)
		value string
	}{
		{rb.SetServiceVersion, cmp.Or(p.identity.version, p.identity.about)},
		{rb.SetJitsiRegion, p.identity.region},
		{rb.SetJitsiRelayID, p.identity.relayID},
		{rb.SetJitsiRelease, p.identity.release},
		{rb.SetJitsiOctoVersion, p.identity.octo},
	} {
		if attribute.value != "" {
			attribute.set(selection.Name(attribute.value))
		}
	}
	return rb.Emit()
}

// settings are the parts of the configuration that limit things.
var settings = map[entity]string{
	metadata.AttributeRtcEntityBridge: "bridges",
	metadata.AttributeRtcEntityQueue:  "queues",
}

func (p *process) warnOfLimits() {
	for of, n := range p.report.Omitted(metadata.AttributeRtcOmissionReasonLimit) {
		if p.notices.First("limit " + of.String()) {
			key := settings[of]
			p.set.Logger.Warn("things are left out of the metrics: raise "+key+"::limit, or narrow it with "+key+"::include and "+key+"::exclude",
				zap.Stringer("kind", of), zap.Int64("left out", n))
		}
	}
}
