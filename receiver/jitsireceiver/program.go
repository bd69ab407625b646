// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import "bytes"

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
	// foreign are keys of other components' answers, with their blocks.
	foreign map[string]string

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
		foreign: map[string]string{"bridge_selector": "jicofo", "jibri_detector": "jicofo"},
	},
	"jicofo": {
		block: "jicofo", title: "Jicofo", service: "jitsi-jicofo", example: "http://127.0.0.1:8888",
		stats: apiStats, source: "stats", about: apiVersion, rows: jicofoRows,
		absent:  map[string]string{apiStats: "check that the setting jicofo::endpoint leads to its private API, on port 8888 unless configured otherwise", apiMetrics: metricsPage},
		foreign: map[string]string{"local_endpoints": "jvb", "bit_rate_download": "jvb"},
	},
	"jigasi": {
		block: "jigasi", title: "Jigasi", service: "jitsi-jigasi", example: "http://127.0.0.1:8788",
		stats: apiAboutStats, source: sourceAuto, about: apiVersion, health: apiHealth, rows: jigasiRows,
		absent: map[string]string{apiMetrics: metricsPage},
	},
	"jibri": {
		block: "jibri", title: "Jibri", service: "jitsi-jibri", example: "http://127.0.0.1:2222",
		stats: apiJibri, source: sourceAuto, rows: jibriRows,
		absent: map[string]string{apiMetrics: "it is off by default; jibri.stats.prometheus.enabled=true in jibri.conf turns it on"},
	},
}

// family returns a sample's name without what all of a component's families have in common, or the block of the component
// that it is of instead. Before 2023-03 the prefix of JVB was jitsi_.
func (p *program) family(sample []byte) (family []byte, foreign string) {
	family, ok := bytes.CutPrefix(sample, []byte("jitsi_"))
	if !ok {
		return nil, ""
	}
	family = bytes.TrimSuffix(family, []byte("_total"))
	first, rest, ok := bytes.Cut(family, []byte("_"))
	switch {
	case ok && string(first) == p.block:
		return rest, ""
	case ok && programs[string(first)] != nil:
		return nil, string(first)
	case p.block != "jvb":
		return nil, ""
	}
	return family, ""
}
