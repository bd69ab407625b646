// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// dnsFinder queries targets from the domain name system.
type dnsFinder struct {
	endpoint *Endpoint
	query    DNSConfig
	resolver *net.Resolver
}

// find makes the query. A name that does not exist has no targets: this is the answer for a service that is scaled to zero.
func (f *dnsFinder) find(ctx context.Context) []answer {
	a := answer{part: f.query.Type + " " + f.query.Name}
	a.targets, a.err = f.lookup(ctx)
	if e, ok := errors.AsType[*net.DNSError](a.err); ok && e.IsNotFound {
		a.targets, a.err = nil, nil
	}
	return []answer{a}
}

func (f *dnsFinder) lookup(ctx context.Context) (targets []Target, err error) {
	var addresses []string
	var name string
	if f.query.Type == "SRV" {
		addresses, err = f.services(ctx)
	} else {
		name = strings.TrimRight(f.query.Name, ".")
		addresses, err = f.hosts(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, address := range addresses {
		t, err := f.endpoint.target(address, nil)
		if err != nil {
			return nil, err
		}
		t.Name = name
		targets = append(targets, t)
	}
	return targets, nil
}

func (f *dnsFinder) services(ctx context.Context) (addresses []string, err error) {
	_, records, err := f.resolver.LookupSRV(ctx, "", "", f.query.Name)
	for _, r := range records {
		addresses = append(addresses, net.JoinHostPort(strings.TrimRight(r.Target, "."), strconv.Itoa(int(r.Port))))
	}
	return addresses, err
}

func (f *dnsFinder) hosts(ctx context.Context) (addresses []string, err error) {
	network := map[string]string{"A": "ip4", "AAAA": "ip6"}[f.query.Type]
	ips, err := f.resolver.LookupNetIP(ctx, network, f.query.Name)
	for _, ip := range ips {
		addresses = append(addresses, net.JoinHostPort(ip.Unmap().String(), strconv.Itoa(f.query.Port)))
	}
	return addresses, err
}

// addressFilter drops targets outside of the allowed networks.
type addressFilter struct {
	networks []netip.Prefix
	resolver *net.Resolver

	mu      sync.Mutex
	allowed map[string]bool // hosts whose addresses were in the networks when last resolved
}

// newAddressFilter returns a filter of valid networks.
func newAddressFilter(resolver *net.Resolver, allowed []string) *addressFilter {
	f := &addressFilter{resolver: resolver, allowed: map[string]bool{}}
	for _, network := range allowed {
		f.networks = append(f.networks, netip.MustParsePrefix(network))
	}
	return f
}

// parallelLookups is the maximum number of host names that are resolved at the same time.
const parallelLookups = 20

// filter returns the targets whose addresses all belong to the allowed networks, and the number of the others. While a host cannot be
// resolved, the last result applies; a host that was never resolved is refused. Sockets are local.
func (f *addressFilter) filter(ctx context.Context, targets []Target) (allowed []Target, refused int) {
	if len(f.networks) == 0 {
		return targets, 0
	}
	verdicts := make([]bool, len(targets))
	running := make(chan struct{}, parallelLookups)
	var wg sync.WaitGroup
	for i := range targets {
		running <- struct{}{}
		wg.Go(func() {
			defer func() { <-running }()
			verdicts[i] = f.allows(ctx, targets[i].host())
		})
	}
	wg.Wait()
	for i, ok := range verdicts {
		if ok {
			allowed = append(allowed, targets[i])
		}
	}
	return allowed, len(targets) - len(allowed)
}

func (f *addressFilter) allows(ctx context.Context, host string) bool {
	if host == "" {
		return true
	}
	addresses, err := f.resolver.LookupNetIP(ctx, "ip", host)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.allowed[host] = f.contain(addresses)
	}
	return f.allowed[host]
}

// contain reports whether the networks contain all addresses.
func (f *addressFilter) contain(addresses []netip.Addr) bool {
	for _, address := range addresses {
		inside := func(network netip.Prefix) bool { return network.Contains(address.Unmap()) }
		if !slices.ContainsFunc(f.networks, inside) {
			return false
		}
	}
	return true
}
