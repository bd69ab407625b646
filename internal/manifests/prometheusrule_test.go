// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "update the PrometheusRule")

const prometheusRuleHeader = "# The rules of distribution/alerts. Do not edit: go test -run PrometheusRule -update writes this file in internal/manifests.\n" +
	"# Needs the Prometheus Operator. Without it, remove this file from kustomization.yaml.\n"

// TestPrometheusRule checks that the PrometheusRule contains the rules of distribution/alerts. With -update it writes the file.
func TestPrometheusRule(t *testing.T) {
	rule := monitoring.PrometheusRule{}
	rule.APIVersion, rule.Kind, rule.Name = "monitoring.coreos.com/v1", monitoring.PrometheusRuleKind, "otelcol-rtc"
	files, err := filepath.Glob("../../distribution/alerts/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var spec monitoring.PrometheusRuleSpec
		require.NoError(t, yaml.UnmarshalStrict(text, &spec), file)
		rule.Spec.Groups = append(rule.Spec.Groups, spec.Groups...)
	}
	want, err := yaml.Marshal(rule)
	require.NoError(t, err)

	manifest := filepath.Join(directory, "common", "prometheusrule.yaml")
	if *update {
		require.NoError(t, os.WriteFile(manifest, append([]byte(prometheusRuleHeader), want...), 0o644))
	}
	got, err := os.ReadFile(manifest)
	require.NoError(t, err)
	assert.Equal(t, prometheusRuleHeader+string(want), string(got), "run the test with -update")
}
