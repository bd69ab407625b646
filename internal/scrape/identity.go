// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// identity identifies a monitored process at the backend. In Prometheus, its parts are job and instance.
type identity struct{ service, instance string }

// identities holds the identities of all receivers in this collector. Two receivers with the same identity would overwrite each
// other's points.
var identities = registry{owners: map[identity]*owner{}}

// registry maps identities to the receivers that own them.
type registry struct {
	mu     sync.Mutex
	owners map[identity]*owner
}

// owner is a receiver that owns identities.
type owner struct {
	id component.ID
	// yield stops a receiver of a discovered target, whose identities a receiver in the configuration may take. It is nil for others.
	yield func()
}

// claim registers o as the only receiver of these resources until release is called. If it returns an error, it registers none.
// Resources without service.name or service.instance.id, which can be disabled, have no identity.
func (r *registry) claim(o *owner, resources []pcommon.Resource) (release func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var claimed []identity
	for _, resource := range resources {
		service, hasService := resource.Attributes().Get("service.name")
		instance, hasInstance := resource.Attributes().Get("service.instance.id")
		if !hasService || !hasInstance {
			continue
		}
		id := identity{service.AsString(), instance.AsString()}
		if other := r.owners[id]; other != nil && (other.yield == nil || o.yield != nil) {
			r.release(o, claimed)
			return nil, fmt.Errorf("%s %s is also read by %s: remove one of the two, or, to read one server twice, "+
				"set resource_attributes::service.instance.id::override_value", id.service, id.instance, other.id)
		} else if other != nil {
			go other.yield()
		}
		r.owners[id] = o
		claimed = append(claimed, id)
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.release(o, claimed)
	}, nil
}

// release removes those of the claimed identities that o still owns.
func (r *registry) release(o *owner, claimed []identity) {
	for _, id := range claimed {
		if r.owners[id] == o {
			delete(r.owners, id)
		}
	}
}
