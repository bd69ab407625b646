// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

// fleet is a receiver that runs an ordinary receiver, a member, for each target.
type fleet struct {
	set       receiver.Settings
	endpoints []Endpoint
	shard     *Shard
	// create returns the receiver of a target.
	create   func(*assignment) (targetReceiver, error)
	resolver *net.Resolver // replaced by tests

	sources []*source
	status  status
	metrics metrics
	changed chan struct{}   // signals that a source has been refreshed or a member has stopped
	close   []func()        // closes the connections of sources
	started context.Context // from Start to Shutdown
	cancel  context.CancelFunc
	running sync.WaitGroup // sources, watchers and the loop
	ending  sync.WaitGroup // members that are being stopped

	mu       sync.Mutex
	members  map[string]*member // by key
	stopping map[string]bool    // keys of members that are being stopped
	failed   map[string]string  // errors of targets that could not be started, by key
	omitted  map[string]int     // number of targets over the limit, by setting
}

// member is the receiver of a target.
type member struct {
	assignment
	receiver targetReceiver
}

// targetReceiver is the receiver of a target.
type targetReceiver interface {
	component.Component
	// Withdraw ends the series of the target after the shutdown.
	Withdraw(context.Context) error
}

// assignment says which endpoint of the configuration a target stands for.
type assignment struct {
	Target
	key        string // of the section and the target
	index      int    // of the endpoint
	configured bool   // in the configuration, not discovered
	displace   func() // stops the member, because a receiver in the configuration reads the same process
}

// newFleet returns a fleet that starts the receivers that create returns.
func newFleet(
	set receiver.Settings, endpoints []Endpoint, shard *Shard, create func(*assignment) (targetReceiver, error),
) *fleet {
	return &fleet{
		set: set, endpoints: endpoints, shard: shard, create: create, resolver: net.DefaultResolver,
		status: status{down: map[string]string{}}, changed: make(chan struct{}, 1), members: map[string]*member{}, stopping: map[string]bool{},
	}
}

// Start starts the members of the targets in the configuration and the sources of all others.
func (f *fleet) Start(ctx context.Context, host component.Host) error {
	if err := f.addSources(ctx, host); err != nil {
		return err
	}
	return f.startSources(ctx)
}

// addSources adds the sources of all endpoints.
func (f *fleet) addSources(ctx context.Context, host component.Host) error {
	f.status.host = host
	f.started, f.cancel = context.WithCancel(context.Background())
	for i := range f.endpoints {
		if err := f.addSourcesOf(ctx, &f.endpoints[i], host); err != nil {
			return err
		}
	}
	return nil
}

// startSources starts the members that are known, and the search for others.
func (f *fleet) startSources(ctx context.Context) error {
	if err := f.metrics.start(f); err != nil {
		return err
	}
	if err := f.apply(ctx); err != nil {
		return err
	}
	for _, s := range f.sources {
		if s.find != nil {
			f.running.Go(func() { s.run(f.started, f.wake) })
		}
	}
	f.running.Go(f.run)
	return nil
}

// wake makes run apply changes.
func (f *fleet) wake() {
	select {
	case f.changed <- struct{}{}:
	default: // already signaled
	}
}

// run applies changes until the shutdown.
func (f *fleet) run() {
	for {
		select {
		case <-f.started.Done():
			return
		case <-f.changed:
			_ = f.apply(f.started) // only fails for targets in the configuration, which have been started
		}
	}
}

// Shutdown stops the sources, and then all members concurrently.
func (f *fleet) Shutdown(context.Context) error {
	f.status.close()
	if f.cancel == nil {
		return nil // not started
	}
	f.cancel()
	f.running.Wait()
	for _, c := range f.close {
		c()
	}
	f.metrics.stop()
	f.mu.Lock()
	for key := range f.members {
		f.stop(key, false)
	}
	f.mu.Unlock()
	f.ending.Wait()
	return nil
}

// addSourcesOf adds the sources of an endpoint.
func (f *fleet) addSourcesOf(ctx context.Context, e *Endpoint, host component.Host) error {
	add := func(setting string, s *source) {
		s.setting, s.endpoint, s.logger = e.setting(setting), e, f.set.Logger
		f.sources = append(f.sources, s)
	}
	cfg := e.Targets.Get()
	if cfg == nil {
		if e.Client.Endpoint != "" {
			add("endpoint", listSource([]Target{{Endpoint: e.Client.Endpoint}}))
		}
		return nil
	}
	allowed := newAddressFilter(f.resolver, cfg.AllowedNetworks)
	if len(cfg.Static) > 0 {
		targets, err := e.targets([]group{{Targets: cfg.Static}})
		if err != nil {
			return err
		}
		add("targets::static", listSource(targets))
	}
	if len(cfg.Files) > 0 {
		files := &fileFinder{endpoint: e, patterns: cfg.Files, known: map[string][]string{}}
		add("targets::files", f.watched(&source{find: files.find, allowed: allowed}, cfg.Files))
	}
	if cfg.HTTP.HasValue() {
		server, err := newHTTPFinder(ctx, e, cfg.HTTP.Get(), host, f.set.TelemetrySettings)
		if err != nil {
			return err
		}
		f.close = append(f.close, server.client.CloseIdle)
		add("targets::http", &source{find: server.find, interval: cfg.HTTP.Get().RefreshInterval, allowed: allowed})
	}
	for _, query := range cfg.DNS {
		names := &dnsFinder{endpoint: e, query: query, resolver: f.resolver}
		add("targets::dns", &source{find: names.find, interval: query.RefreshInterval, allowed: allowed})
	}
	if len(cfg.Sockets) > 0 {
		add("targets::sockets", f.watched(&source{find: findSockets(cfg.Sockets), allowed: allowed}, cfg.Sockets))
	}
	return nil
}

// listSource returns the source of targets in the configuration.
func listSource(targets []Target) *source {
	return &source{answers: map[string][]Target{"": targets}, order: []string{""}}
}

// watched makes a source refresh when files that match patterns change, as far as the system notifies about that, and now and then.
func (f *fleet) watched(s *source, patterns []string) *source {
	s.interval = pollInterval
	w, err := newWatcher(patterns)
	if err != nil {
		f.set.Logger.Warn("no notifications about files: they are read every 30 s", zap.Error(err))
		return s
	}
	f.running.Go(func() { w.run(f.started, f.set.Logger) })
	find := s.find
	s.wake, s.find = w.wake, func(ctx context.Context) []answer {
		w.add()
		return find(ctx)
	}
	return s
}

// wanted returns the targets of this collector. If several sources list a target, the first one counts.
func (f *fleet) wanted() map[string]*assignment {
	wanted := map[string]*assignment{}
	perEndpoint, omitted := map[*Endpoint]int{}, map[string]int{}
	for _, s := range f.sources {
		index := slices.IndexFunc(f.endpoints, func(e Endpoint) bool { return e.Section == s.endpoint.Section })
		targets := s.targets()
		if s.find != nil { // so that a limit omits the same targets whatever the order of answers
			slices.SortStableFunc(targets, func(a, b Target) int { return strings.Compare(a.Endpoint, b.Endpoint) })
		}
		for _, t := range targets {
			key := s.endpoint.setting(t.key())
			if wanted[key] != nil || !f.shard.owns(key) {
				continue
			}
			if cfg := s.endpoint.Targets.Get(); cfg != nil && perEndpoint[s.endpoint] == cfg.Limit {
				omitted[s.endpoint.setting("targets::limit")]++
				continue
			}
			perEndpoint[s.endpoint]++
			wanted[key] = &assignment{
				Target: t, key: key, index: index, configured: s.find == nil, displace: func() { f.displace(key) },
			}
		}
	}
	f.warnOfLimit(omitted)
	return wanted
}

// warnOfLimit logs when targets are omitted because of a limit.
func (f *fleet) warnOfLimit(omitted map[string]int) {
	for setting, n := range omitted {
		if f.omitted[setting] == 0 {
			f.set.Logger.Warn("targets are omitted: raise "+setting+", or set shard to share them among collectors", zap.Int("omitted", n))
		}
	}
	f.omitted = omitted
}

// apply stops members whose targets are gone or have changed, and starts those of new targets. A target in the configuration that
// cannot be started is an error; any other is tried again after the next refresh.
func (f *fleet) apply(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	wanted := f.wanted()
	for key, m := range f.members {
		if wanted[key] == nil || !wanted[key].equal(&m.Target) {
			f.stop(key, true)
		}
	}
	var errs []error
	failed := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		a := wanted[key]
		if f.members[key] != nil || f.stopping[key] {
			continue
		}
		err := f.start(ctx, a)
		switch {
		case err == nil:
		case a.configured:
			errs = append(errs, err)
		default:
			failed[key] = err.Error()
			if failed[key] != f.failed[key] {
				f.set.Logger.Warn("the target is skipped", zap.String("target", a.Endpoint), zap.Error(err))
			}
		}
	}
	f.failed = failed
	f.metrics.count(len(f.members), len(failed), f.omitted)
	f.status.setTotal(len(f.members))
	return errors.Join(errs...)
}

// start starts the member of a target.
func (f *fleet) start(ctx context.Context, a *assignment) error {
	r, err := f.create(a)
	if err != nil {
		return err
	}
	if err := r.Start(ctx, f.status.hostOf(a.key, a.Endpoint)); err != nil {
		return errors.Join(err, r.Shutdown(ctx))
	}
	f.members[a.key] = &member{assignment: *a, receiver: r}
	return nil
}

// displace stops the member with the key, if it is still running.
func (f *fleet) displace(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members[key] != nil {
		f.stop(key, false)
	}
}

// stop stops the member with the key in the background, and ends its series if nobody else reads the target.
func (f *fleet) stop(key string, withdraw bool) {
	m := f.members[key]
	delete(f.members, key)
	f.stopping[key] = true
	f.ending.Go(func() {
		err := m.receiver.Shutdown(context.Background())
		if withdraw {
			err = errors.Join(err, m.receiver.Withdraw(context.Background()))
		}
		if err != nil {
			f.set.Logger.Warn("the receiver of a target did not stop cleanly", zap.String("target", m.Endpoint), zap.Error(err))
		}
		f.status.remove(key)
		f.mu.Lock()
		delete(f.stopping, key)
		f.mu.Unlock()
		f.wake()
	})
}
