// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestCredentials(t *testing.T) {
	const empty = "secret: is empty: set the variable that it is read from, or remove the setting if the server requires none"
	for name, tc := range map[string]struct {
		written map[string]any
		secret  string
		message string
	}{
		"none":                {map[string]any{}, "", ""},
		"plain":               {map[string]any{"secret": "pa55 w0rd"}, "pa55 w0rd", ""},
		"with a line feed":    {map[string]any{"secret": "pa55\r\n"}, "pa55", ""},
		"not ASCII":           {map[string]any{"secret": "pä55"}, "pä55", ""},
		"empty":               {map[string]any{"secret": ""}, "", empty},
		"null":                {map[string]any{"secret": nil}, "", empty},
		"a line feed only":    {map[string]any{"secret": "\n"}, "", empty},
		"a line feed inside":  {map[string]any{"secret": "pa55\nw0rd"}, "", "secret: has a control character at position 5"},
		"a file":              {map[string]any{"secret_file": "/run/secret"}, "", ""},
		"a file without path": {map[string]any{"secret_file": nil}, "", "secret_file: is empty: set the variable that it is read from, or remove the setting if the server requires none"},
		"both":                {map[string]any{"secret": "a", "secret_file": "/run/secret"}, "", "secret_file: must not be set beside secret"},
		"a control character": {map[string]any{"secret": "pa55wo\x7frd"}, "", "secret: has a control character at position 7"},
	} {
		t.Run(name, func(t *testing.T) {
			var c scheduled
			conf := confmap.NewFromStringMap(tc.written)
			require.NoError(t, conf.Unmarshal(&c))
			err := CheckCredential(conf, "secret", &c.Secret, c.SecretFile)
			if tc.message != "" {
				require.EqualError(t, err, tc.message)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.secret, string(c.Secret))
		})
	}
}

// TestCredentialFile checks that a credential in a file follows the file, and that it is kept while the file is missing or empty.
func TestCredentialFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	_, err := NewCredential("secret", "", path)
	require.ErrorContains(t, err, "secret_file: open "+path)
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	for text, want := range map[string]string{
		"": "secret_file: the file is empty", "\n": "secret_file: the file is empty", "a\nb": "secret_file: has a control character at position 2",
	} {
		write(text)
		_, err := NewCredential("secret", "", path)
		require.EqualError(t, err, want)
	}
	write("first\n")
	c, err := NewCredential("secret", "", path)
	require.NoError(t, err)
	assert.Equal(t, "first", c.Text())
	write("second")
	assert.Equal(t, "second", c.Text())
	write("")
	assert.Equal(t, "second", c.Text())
	require.NoError(t, os.Remove(path))
	assert.Equal(t, "second", c.Text())

	c, err = NewCredential("secret", "written", "")
	require.NoError(t, err)
	assert.Equal(t, "written", c.Text())
}
