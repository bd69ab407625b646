// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
//go:generate ../../internal/tools/status-block.sh

// Package jitsireceiver scrapes the components of a Jitsi Meet installation: Videobridge, Jicofo, Jigasi and Jibri.
package jitsireceiver
