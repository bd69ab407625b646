// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const directory = "../../distribution/kubernetes"

// manifests are the rendered manifests of one variant.
type manifests struct {
	Deployment     apps.Deployment
	StatefulSet    apps.StatefulSet
	ConfigMap      core.ConfigMap
	Secret         core.Secret
	Service        core.Service
	NetworkPolicy  networking.NetworkPolicy
	PodMonitor     monitoring.PodMonitor
	PrometheusRule monitoring.PrometheusRule

	kinds []string
}

// render renders a variant like kubectl does, and decodes its manifests. Unknown and duplicate fields are errors.
func render(t *testing.T, variant string) *manifests {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(directory, variant))
	require.NoError(t, err)
	m := &manifests{}
	into := map[string]any{
		"apps/v1 Deployment":                      &m.Deployment,
		"apps/v1 StatefulSet":                     &m.StatefulSet,
		"v1 ConfigMap":                            &m.ConfigMap,
		"v1 Secret":                               &m.Secret,
		"v1 Service":                              &m.Service,
		"networking.k8s.io/v1 NetworkPolicy":      &m.NetworkPolicy,
		"monitoring.coreos.com/v1 PodMonitor":     &m.PodMonitor,
		"monitoring.coreos.com/v1 PrometheusRule": &m.PrometheusRule,
	}
	for _, resource := range rendered.Resources() {
		kind := resource.GetApiVersion() + " " + resource.GetKind()
		require.Contains(t, into, kind)
		text, err := resource.AsYAML()
		require.NoError(t, err)
		require.NoError(t, yaml.UnmarshalStrict(text, into[kind]), kind)
		m.kinds = append(m.kinds, resource.GetKind())
	}
	return m
}

// variant is a way to run the collector.
type variant struct {
	*manifests
	kind     string // of the workload
	replicas int32
	template core.PodTemplateSpec
	selector map[string]string
}

func variants(t *testing.T) map[string]variant {
	t.Helper()
	single, sharded := render(t, "single"), render(t, "sharded")
	d, s := single.Deployment.Spec, sharded.StatefulSet.Spec
	return map[string]variant{
		"single":  {single, "Deployment", *d.Replicas, d.Template, d.Selector.MatchLabels},
		"sharded": {sharded, "StatefulSet", *s.Replicas, s.Template, s.Selector.MatchLabels},
	}
}

// TestFiles checks that the YAML files do not repeat a key, which rendering would hide.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(directory, "*", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range append(files, filepath.Join(directory, "collector-chart-values.yaml")) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var content map[string]any
		assert.NoError(t, yaml.UnmarshalStrict(text, &content), file)
	}
}

func TestKinds(t *testing.T) {
	for name, v := range variants(t) {
		assert.ElementsMatch(t, []string{"ConfigMap", "NetworkPolicy", "PodMonitor", "PrometheusRule", "Secret", "Service", v.kind}, v.kinds, name)
	}
}

// TestReferences checks that the manifests refer to each other by labels, names and ports that exist.
func TestReferences(t *testing.T) {
	for name, v := range variants(t) {
		t.Run(name, func(t *testing.T) {
			labels, pod := v.template.Labels, v.template.Spec
			for _, selector := range []map[string]string{
				v.selector, v.Service.Spec.Selector, v.PodMonitor.Spec.Selector.MatchLabels, v.NetworkPolicy.Spec.PodSelector.MatchLabels,
			} {
				assert.NotEmpty(t, selector)
				assert.Subset(t, labels, selector)
			}
			container := pod.Containers[0]
			assert.Equal(t, v.Secret.Name, container.EnvFrom[0].SecretRef.Name)
			assert.Equal(t, v.ConfigMap.Name, pod.Volumes[0].ConfigMap.Name)
			assert.Equal(t, pod.Volumes[0].Name, container.VolumeMounts[0].Name)
			file, err := filepath.Rel(container.VolumeMounts[0].MountPath, container.Args[1])
			require.NoError(t, err)
			assert.Contains(t, v.ConfigMap.Data, file)

			ports := map[string]int32{}
			for _, port := range container.Ports {
				ports[port.Name] = port.ContainerPort
			}
			assert.Equal(t, map[string]int32{"metrics": 9464, "telemetry": 18888, "health": 13133}, ports)
			assert.Equal(t, "health", container.LivenessProbe.HTTPGet.Port.String())
			assert.Equal(t, "health", container.ReadinessProbe.HTTPGet.Port.String())
			for _, port := range v.Service.Spec.Ports {
				assert.Equal(t, port.Port, ports[port.TargetPort.String()])
			}
			for _, endpoint := range v.PodMonitor.Spec.PodMetricsEndpoints {
				assert.Contains(t, ports, *endpoint.Port)
				assert.Equal(t, *endpoint.Port == "metrics", endpoint.HonorLabels)
			}
			for _, port := range v.NetworkPolicy.Spec.Ingress[0].Ports {
				assert.Contains(t, ports, port.Port.String())
			}
		})
	}
	assert.Equal(t, render(t, "sharded").Service.Name, render(t, "sharded").StatefulSet.Spec.ServiceName)
}

// TestConfiguration checks that the configuration listens on the ports of the container, and that its variables are set.
func TestConfiguration(t *testing.T) {
	for name, v := range variants(t) {
		t.Run(name, func(t *testing.T) {
			text := v.ConfigMap.Data["config.yaml"]
			for _, port := range v.template.Spec.Containers[0].Ports {
				assert.Regexp(t, `(endpoint: 0\.0\.0\.0:|port: )`+strconv.Itoa(int(port.ContainerPort))+`\b`, text)
			}
			set := map[string]bool{}
			for _, env := range v.template.Spec.Containers[0].Env {
				set[env.Name] = true
			}
			for variable := range v.Secret.Data {
				set[variable] = true
			}
			for _, rest := range strings.Split(text, "${env:")[1:] {
				variable, _, _ := strings.Cut(rest, "}")
				assert.True(t, set[variable], variable)
			}
		})
	}
}

// TestRestricted checks the requirements of the pod security standard "restricted", and that the collector cannot write or use the API
// of the cluster.
func TestRestricted(t *testing.T) {
	for name, v := range variants(t) {
		t.Run(name, func(t *testing.T) {
			pod := v.template.Spec
			assert.False(t, *pod.AutomountServiceAccountToken)
			assert.False(t, pod.HostNetwork || pod.HostPID || pod.HostIPC)
			assert.True(t, *pod.SecurityContext.RunAsNonRoot)
			assert.Positive(t, *pod.SecurityContext.RunAsUser)
			assert.Equal(t, core.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
			for _, volume := range pod.Volumes {
				assert.NotNil(t, volume.ConfigMap, volume.Name)
			}
			require.Len(t, pod.Containers, 1)
			security := pod.Containers[0].SecurityContext
			assert.False(t, *security.AllowPrivilegeEscalation)
			assert.True(t, *security.ReadOnlyRootFilesystem)
			assert.Equal(t, &core.Capabilities{Drop: []core.Capability{"ALL"}}, security.Capabilities)
			for _, port := range pod.Containers[0].Ports {
				assert.Zero(t, port.HostPort)
			}
			resources := pod.Containers[0].Resources
			assert.False(t, resources.Requests.Cpu().IsZero() || resources.Requests.Memory().IsZero() || resources.Limits.Memory().IsZero())
		})
	}
}

// TestShards checks that each target belongs to exactly one of the collectors.
func TestShards(t *testing.T) {
	all := variants(t)
	single, sharded := environment(all["single"]), environment(all["sharded"])
	assert.Equal(t, int32(1), all["single"].replicas)
	assert.Equal(t, "0", single["SHARD_INDEX"].Value)
	assert.Equal(t, "1", single["SHARD_COUNT"].Value)
	assert.Equal(t, apps.RecreateDeploymentStrategyType, all["single"].Deployment.Spec.Strategy.Type)
	assert.Equal(t, strconv.Itoa(int(all["sharded"].replicas)), sharded["SHARD_COUNT"].Value)
	assert.Equal(t, "metadata.labels['apps.kubernetes.io/pod-index']", sharded["SHARD_INDEX"].ValueFrom.FieldRef.FieldPath)
}

func environment(v variant) map[string]core.EnvVar {
	variables := map[string]core.EnvVar{}
	for _, variable := range v.template.Spec.Containers[0].Env {
		variables[variable.Name] = variable
	}
	return variables
}
