// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// maxDocument is the maximum size of a file or response in bytes.
const maxDocument = 16 << 20

// group is an element of a document of file_sd or http_sd: targets with common labels.
type group struct {
	Targets []string          `json:"targets" yaml:"targets"`
	Labels  map[string]string `json:"labels" yaml:"labels"`
}

// decodeYAML decodes a YAML document. An empty document has no targets.
func decodeYAML(document []byte) (groups []group, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	decoder.KnownFields(true)
	if err := decoder.Decode(&groups); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return groups, nil
}

// decodeJSON decodes a JSON document. Errors contain the line.
func decodeJSON(document []byte) (groups []group, err error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&groups)
	if err == nil {
		if _, next := decoder.Token(); !errors.Is(next, io.EOF) {
			err = errors.New("text after the list")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", 1+bytes.Count(document[:decoder.InputOffset()], []byte("\n")), err)
	}
	return groups, nil
}

// targets returns the targets of groups.
func (e *Endpoint) targets(groups []group) (targets []Target, err error) {
	for i, g := range groups {
		for j, address := range g.Targets {
			t, err := e.target(address, g.Labels)
			if err != nil {
				return nil, fmt.Errorf("target %d of group %d: %w", j+1, i+1, err)
			}
			targets = append(targets, t)
		}
	}
	return targets, nil
}
