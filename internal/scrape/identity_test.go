// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func resource(service, instance string) pcommon.Resource {
	r := pcommon.NewResource()
	for key, value := range map[string]string{"service.name": service, "service.instance.id": instance} {
		if value != "" {
			r.Attributes().PutStr(key, value)
		}
	}
	return r
}

// TestClaim checks that an identity has one owner at a time.
func TestClaim(t *testing.T) {
	r := registry{owners: map[identity]*owner{}}
	a, b := &owner{id: component.MustNewIDWithName("jitsi", "a")}, &owner{id: component.MustNewIDWithName("jitsi", "b")}
	release, err := r.claim(a, []pcommon.Resource{resource("jvb", "host:80/1"), resource("jicofo", "host:80")})
	require.NoError(t, err)

	releaseB, err := r.claim(b, []pcommon.Resource{resource("jvb", "host:80/2")})
	require.NoError(t, err, "another instance")
	releaseB()
	_, err = r.claim(b, []pcommon.Resource{resource("jvb", "host:80/2"), resource("jvb", "host:80/1")})
	require.EqualError(t, err, "jvb host:80/1 is also read by jitsi/a: remove one of the two, or, to read one server twice, "+
		"set resource_attributes::service.instance.id::override_value")
	_, err = r.claim(b, []pcommon.Resource{resource("", "host:80/1"), resource("jvb", "")})
	require.NoError(t, err, "no identity")

	release()
	releaseB, err = r.claim(b, []pcommon.Resource{resource("jvb", "host:80/2"), resource("jvb", "host:80/1")})
	require.NoError(t, err, "the failed claim left nothing, and the owner has released its own")
	releaseB()
	require.Empty(t, r.owners)
}

// TestDiscoveredOwnerYields checks that a receiver in the configuration takes an identity from one of a discovered target, but not the
// other way round.
func TestDiscoveredOwnerYields(t *testing.T) {
	r := registry{owners: map[identity]*owner{}}
	yielded := make(chan struct{})
	resources := []pcommon.Resource{resource("jvb", "host:80")}
	discovered := &owner{component.MustNewIDWithName("jitsi", "files"), func() { close(yielded) }}
	releaseDiscovered, err := r.claim(discovered, resources)
	require.NoError(t, err)
	_, err = r.claim(&owner{component.MustNewIDWithName("jitsi", "dns"), func() {}}, resources)
	require.ErrorContains(t, err, "is also read by jitsi/files")

	release, err := r.claim(&owner{id: component.MustNewIDWithName("jitsi", "a")}, resources)
	require.NoError(t, err)
	<-yielded
	releaseDiscovered()
	_, err = r.claim(discovered, resources)
	require.ErrorContains(t, err, "is also read by jitsi/a", "the first owner no longer owns what it releases")
	release()
	require.Empty(t, r.owners)
}
