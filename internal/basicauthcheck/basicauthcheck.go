// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package basicauthcheck refuses configurations in which the basicauth extension has an empty user name or password, usually because
// the variable is unset from which it is read. The extension itself accepts them, and every server then rejects the credentials.
package basicauthcheck

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// NewFactory returns the factory of the check, a converter that changes nothing.
func NewFactory() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return converter{} })
}

type converter struct{}

// Convert returns an error if a user name or password is empty.
func (converter) Convert(_ context.Context, conf *confmap.Conf) error {
	extensions, err := conf.Sub("extensions")
	if err != nil {
		return nil //nolint:nilerr // the collector reports a malformed configuration
	}
	var errs []error
	for name := range extensions.ToStringMap() {
		var id component.ID
		if id.UnmarshalText([]byte(name)) != nil || id.Type().String() != "basicauth" {
			continue
		}
		for _, setting := range []string{"username", "password"} {
			path := name + "::client_auth::" + setting
			if value := extensions.Get(path); extensions.IsSet(path) && (value == nil || value == "") && !extensions.IsSet(path+"_file") {
				errs = append(errs, fmt.Errorf("extensions::%s: is empty: set the variable that it is read from", path))
			}
		}
	}
	return errors.Join(errs...)
}
