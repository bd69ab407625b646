// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"bytes"
	"strings"
)

// jitsiComponent describes one of the components of Jitsi.
type jitsiComponent struct {
	name    string // in the configuration, and in the names of metrics
	title   string // in messages
	service string // service.name
	example string // of an endpoint

	stats       string // path of the JSON response
	statsSource string // its name in the setting source
	// about and health are the paths of the version and the health check; empty if they are not requested.
	about, health string
	// absent says, by path, how to enable a path that is absent.
	absent map[string]string
	// own lists keys of the JSON response that no other component has. They identify the sender of a response.
	own []string
}

const metricsPage = "it is there since 2022, unless the component's configuration turns it off"

// components holds the components by name.
var components = map[string]*jitsiComponent{
	"jvb": {
		name: "jvb", title: "a JVB", service: "jitsi-videobridge", example: "http://127.0.0.1:8080",
		stats: apiColibri, statsSource: "colibri", about: apiVersion,
		absent: map[string]string{
			apiColibri: "it is off by default; videobridge.apis.rest.enabled=true in jvb.conf turns it on, or COLIBRI_REST_ENABLED=true for Docker",
			apiMetrics: "it is there since JVB 2.2, unless videobridge.rest.prometheus.enabled=false in jvb.conf",
		},
		own: []string{
			"bit_rate_download", "bit_rate_upload", "packet_rate_download", "rtt_aggregate", "total_bytes_received", "local_endpoints",
			"inactive_conferences", "muc_clients_configured", "octo_conferences", "drain", "audiochannels", "total_channels", "videostreams",
		},
	},
	"jicofo": {
		name: "jicofo", title: "Jicofo", service: "jitsi-jicofo", example: "http://127.0.0.1:8888",
		stats: apiStats, statsSource: "stats", about: apiVersion,
		absent: map[string]string{apiStats: "its private API is on port 8888, unless configured otherwise", apiMetrics: metricsPage},
		own: []string{
			"bridge_selector", "bridge_failures", "jibri_detector", "jigasi_detector", "participant_notifications", "jingle", "endpoint_pairs",
		},
	},
	"jigasi": {
		name: "jigasi", title: "Jigasi", service: "jitsi-jigasi", example: "http://127.0.0.1:8788",
		stats: apiAboutStats, statsSource: sourceAuto, about: apiVersion, health: apiHealth,
		absent: map[string]string{apiMetrics: metricsPage},
		own: []string{
			"total_calls_with_dropped_media", "total_calls_with_connection_failed", "total_count_dropped_media", "total_transcriber_started",
		},
	},
	"jibri": {
		name: "jibri", title: "Jibri", service: "jitsi-jibri", example: "http://127.0.0.1:2222",
		stats: apiJibri, statsSource: sourceAuto,
		absent: map[string]string{apiMetrics: "it is off by default; jibri.stats.prometheus.enabled=true in jibri.conf turns it on"},
		own:    []string{"status.busyStatus"},
	},
}

// owners maps own keys to their components. ownerGroups holds the objects that contain own keys.
var owners, ownerGroups = func() (owners map[string]string, groups map[string]bool) {
	owners, groups = map[string]string{}, map[string]bool{}
	for name, c := range components {
		for _, path := range c.own {
			owners[path] = name
			if group, _, within := strings.Cut(path, "."); within {
				groups[group] = true
			}
		}
	}
	return owners, groups
}()

// family returns a sample's name without prefix and suffix, and the component whose prefix it has. Before 2023-03 the prefix of JVB was
// jitsi_.
func family(sample []byte) (family []byte, owner string) {
	family, ok := bytes.CutPrefix(sample, []byte("jitsi_"))
	if !ok {
		return nil, ""
	}
	family = bytes.TrimSuffix(family, []byte("_total"))
	if first, rest, ok := bytes.Cut(family, []byte("_")); ok && components[string(first)] != nil {
		return rest, components[string(first)].name
	}
	return family, "jvb"
}
