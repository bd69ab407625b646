// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"bytes"
	"strings"
)

// program is what there is to know of a component of Jitsi.
type program struct {
	block   string // in the configuration, and in the names of metrics
	title   string // in messages
	service string // service.name
	example string // of an endpoint

	stats  string // path of the JSON answer
	source string // what the setting source calls it
	// about and health are the paths of its version and its health, where they are asked for.
	about, health string
	// absent says of a path that is not there how it comes to be.
	absent map[string]string
	// own are keys of its JSON answer that no other component has. They tell whose answer it is.
	own []string

	rows []row
}

const metricsPage = "it is there since 2022, unless the component's configuration turns it off"

// programs are the components by block.
var programs = map[string]*program{
	"jvb": {
		block: "jvb", title: "a JVB", service: "jitsi-videobridge", example: "http://127.0.0.1:8080",
		stats: apiColibri, source: "colibri", about: apiVersion, rows: jvbRows,
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
		block: "jicofo", title: "Jicofo", service: "jitsi-jicofo", example: "http://127.0.0.1:8888",
		stats: apiStats, source: "stats", about: apiVersion, rows: jicofoRows,
		absent: map[string]string{apiStats: "its private API is on port 8888, unless configured otherwise", apiMetrics: metricsPage},
		own: []string{
			"bridge_selector", "bridge_failures", "jibri_detector", "jigasi_detector", "participant_notifications", "jingle", "endpoint_pairs",
		},
	},
	"jigasi": {
		block: "jigasi", title: "Jigasi", service: "jitsi-jigasi", example: "http://127.0.0.1:8788",
		stats: apiAboutStats, source: sourceAuto, about: apiVersion, health: apiHealth, rows: jigasiRows,
		absent: map[string]string{apiMetrics: metricsPage},
		own: []string{
			"total_calls_with_dropped_media", "total_calls_with_connection_failed", "total_count_dropped_media", "total_transcriber_started",
		},
	},
	"jibri": {
		block: "jibri", title: "Jibri", service: "jitsi-jibri", example: "http://127.0.0.1:2222",
		stats: apiJibri, source: sourceAuto, rows: jibriRows,
		absent: map[string]string{apiMetrics: "it is off by default; jibri.stats.prometheus.enabled=true in jibri.conf turns it on"},
		own:    []string{"status.busyStatus"},
	},
}

// owners are the blocks of all own keys, ownerGroups the objects on the way to those within one.
var owners, ownerGroups = func() (owners map[string]string, groups map[string]bool) {
	owners, groups = map[string]string{}, map[string]bool{}
	for block, p := range programs {
		for _, path := range p.own {
			owners[path] = block
			if group, _, within := strings.Cut(path, "."); within {
				groups[group] = true
			}
		}
	}
	return owners, groups
}()

// family returns a sample's name without what all of a component's families have in common, and the block of the component whose
// prefix it has. Before 2023-03 the prefix of JVB was jitsi_.
func family(sample []byte) (family []byte, block string) {
	family, ok := bytes.CutPrefix(sample, []byte("jitsi_"))
	if !ok {
		return nil, ""
	}
	family = bytes.TrimSuffix(family, []byte("_total"))
	if first, rest, ok := bytes.Cut(family, []byte("_")); ok && programs[string(first)] != nil {
		return rest, programs[string(first)].block
	}
	return family, "jvb"
}
