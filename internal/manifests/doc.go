// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package manifests tests the manifests in distribution/kubernetes and the example for Docker Compose with the types of their APIs. It
// is a module of its own, because the collector does not need these dependencies.
package manifests
