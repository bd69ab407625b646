// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// socketDialer makes an HTTP client connect to a Unix socket. It is a middleware, because confighttp gives no other access to the
// transport.
type socketDialer struct {
	component.StartFunc
	component.ShutdownFunc

	path string
}

var _ extensionmiddleware.HTTPClient = socketDialer{}

// socketDialerID does not collide with configured extensions, because no component has its type.
var socketDialerID = component.MustNewID("mediasoup_socket")

// throughSocket returns settings and extensions of a client that connects to a socket instead of the host of a URL.
func throughSocket(
	settings confighttp.ClientConfig, extensions map[component.ID]component.Component, path string,
) (confighttp.ClientConfig, map[component.ID]component.Component) {
	all := map[component.ID]component.Component{socketDialerID: socketDialer{path: path}}
	maps.Copy(all, extensions)
	settings.ProxyURL = ""
	settings.Middlewares = append(slices.Clone(settings.Middlewares), configmiddleware.Config{ID: socketDialerID})
	return settings, all
}

// GetHTTPRoundTripper returns a function that makes a transport connect to the socket.
func (d socketDialer) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		transport, ok := base.(*http.Transport)
		if !ok {
			return nil, fmt.Errorf("connect to socket %s: the transport is a %T", d.path, base)
		}
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.path)
		}
		return transport, nil
	}, nil
}
