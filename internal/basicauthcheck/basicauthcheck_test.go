// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package basicauthcheck

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

func TestConvert(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                     "",
		"extensions: ":           "",
		"extensions: [a]":        "",
		"extensions: {zpages: }": "",
		"extensions: {basicauth: {client_auth: {username: a, password: b}}}":                  "",
		"extensions: {basicauth: {htpasswd: {inline: ''}}}":                                   "",
		"extensions: {basicauth: {client_auth: {username: , username_file: a, password: 1}}}": "",
		"extensions: {other: {client_auth: {username: ''}}}":                                  "",
		"extensions: {basicauth: {client_auth: {username: , password: b}}}":                   "extensions::basicauth::client_auth::username: is empty: set the variable that it is read from",
		"extensions: {basicauth/2: {client_auth: {username: a, password: ''}}}":               "extensions::basicauth/2::client_auth::password: is empty: set the variable that it is read from",
	} {
		t.Run(text, func(t *testing.T) {
			var content map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(text), &content))
			err := NewFactory().Create(confmap.ConverterSettings{}).Convert(t.Context(), confmap.NewFromStringMap(content))
			if want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, want)
			}
		})
	}
}
