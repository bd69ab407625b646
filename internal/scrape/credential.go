// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
)

// CheckCredential removes the line feed at the end of a credential, which files and secret stores add. It returns an error if the
// setting is present but empty, such as after an unset variable, if a header cannot contain the credential, or if both the setting and
// the path of a file with the credential are present, which is the setting with the suffix _file.
func CheckCredential(conf *confmap.Conf, setting string, credential *configopaque.String, file string) error {
	*credential = configopaque.String(trim(string(*credential)))
	ofFile := setting + "_file"
	switch {
	case conf.IsSet(setting) && conf.IsSet(ofFile):
		return fmt.Errorf("%s: must not be set beside %s", ofFile, setting)
	case conf.IsSet(setting) && *credential == "":
		return emptyCredential(setting)
	case conf.IsSet(ofFile) && file == "":
		return emptyCredential(ofFile)
	}
	if err := checkHeader(string(*credential)); err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	return nil
}

func emptyCredential(setting string) error {
	return fmt.Errorf("%s: is empty: set the variable that it is read from, or remove the setting if the server requires none", setting)
}

func trim(text string) string { return strings.TrimRight(text, "\r\n") }

// checkHeader returns an error if a header cannot contain the text.
func checkHeader(text string) error {
	for i := range len(text) {
		if text[i] < ' ' && text[i] != '\t' || text[i] == 0x7f {
			return fmt.Errorf("has a control character at position %d", i+1)
		}
	}
	return nil
}

// Credential is a secret. It is safe for concurrent use.
type Credential struct {
	path string // of the file with the secret; empty if it is in the configuration

	mu   sync.Mutex
	text string // as last read
}

// NewCredential returns the credential of a setting, or the one in a file if path is not empty. It fails if the file cannot be read.
func NewCredential(setting string, text configopaque.String, path string) (*Credential, error) {
	c := &Credential{path: path, text: string(text)}
	if path == "" {
		return c, nil
	}
	var err error
	if c.text, err = readCredential(path); err != nil {
		return nil, fmt.Errorf("%s_file: %w", setting, err)
	}
	return c, nil
}

// Text returns the credential. It is empty if there is none. The file is read again each time, so that the credential can be replaced;
// while it cannot be read, the last one is returned.
func (c *Credential) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path != "" {
		if text, err := readCredential(c.path); err == nil {
			c.text = text
		}
	}
	return c.text
}

func readCredential(path string) (string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the path is configured
	if err != nil {
		return "", err
	}
	text := trim(string(content))
	if text == "" {
		return "", errors.New("the file is empty")
	}
	return text, checkHeader(text)
}
