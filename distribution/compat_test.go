// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// exporter is one whose names the collector can serve beside its own.
type exporter struct {
	config string // the ordinary configuration
	often  string // laid over it, so that tests need not wait long
	// start starts what the old exporter read, and returns where the collector finds it.
	start func(t *testing.T) (env []string)
	// varying are the families whose values differ from run to run.
	varying []string
	// absent are the families that are not on the page of this server, or not supplied at all, and why.
	absent map[string]string
	// same are facts under both names: the sum over the old family, in the unit of the new one, is the sum over the new family.
	same []sameFact
}

type sameFact struct {
	old, new string
	labels   labels  // of the new family
	factor   float64 // from the old unit to the new one
}

var exporters = map[string]exporter{
	"zlm_exporter": {
		config: "prometheus.yaml", often: often,
		start: func(t *testing.T) []string {
			return []string{"ZLMEDIAKIT_ENDPOINT=" + zlmediakit(t, emulator.ZLMediaKit{}).URL()}
		},
		varying: []string{"zlm_exporter_scrapes_total"},
		absent:  map[string]string{"zlm_scrape_errors_total": "nothing failed"},
		same: []sameFact{
			{"zlm_up", "rtc_target_up", nil, 1},
			{"zlm_stream_bitrate", "zlmediakit_stream_throughput_bytes_per_second", nil, 1},
			{"zlm_stream_total_reader_count", "zlmediakit_stream_reader_count", nil, 1},
			{"zlm_stream_total", "zlmediakit_stream_count", nil, 1},
			{"zlm_session_total", "zlmediakit_session_count", nil, 1},
			{"zlm_network_threads_total", "zlmediakit_thread_count", labels{"zlmediakit_thread_pool": "network"}, 1},
			{"zlm_network_threads_load_total", "zlmediakit_thread_utilization_ratio", labels{"zlmediakit_thread_pool": "network"}, 0.01},
			{"zlm_network_threads_delay_total", "zlmediakit_thread_delay_seconds", labels{"zlmediakit_thread_pool": "network"}, 0.001},
			{"zlm_statistics_rtp_packet", "zlmediakit_object_count", labels{"zlmediakit_object_type": "rtp_packet"}, 1},
		},
	},
}

// Old and new names are served at once. The old page is what the exporter says of the same captured answers: the same
// families, types, labels and values, and it has every family that the exporter documents.
func TestCompat(t *testing.T) {
	t.Parallel()
	for name, x := range exporters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := freeAddress(t)
			c := start(t, append(x.start(t), "COMPAT="+address), shipped(x.config), filepath.Join("compat", name+".yaml"), x.often, `yaml:
exporters:
  prometheus/`+name+`: {endpoint: "${env:COMPAT}"}
`)
			want := oldPage(t, name)
			eventually(t, func(ct *assert.CollectT) {
				got := parsePage(ct, fetch(ct, "http://"+address+"/metrics"))
				for _, varying := range x.varying {
					assert.NotEmpty(ct, got[varying].GetMetric(), varying)
					delete(got, varying)
				}
				assert.Equal(ct, seriesByType(want), seriesByType(got))
			})
			checkFamilies(t, name, x, want)
			checkSame(t, x, scrapePage(t, c), parsePage(t, fetch(t, "http://"+address+"/metrics")))
			c.Stop(t)
		})
	}
}

// oldPage is what the exporter said.
func oldPage(t *testing.T, name string) families {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "testdata", "compat", name+".prom"))
	require.NoError(t, err)
	return parsePage(t, string(page))
}

func parsePage(t require.TestingT, page string) families {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	f, err := parser.TextToMetricFamilies(strings.NewReader(page))
	require.NoError(t, err)
	return f
}

// seriesByType returns the value of every series, keyed by its type, name and labels.
func seriesByType(f families) map[string]float64 {
	values := map[string]float64{}
	for name, family := range f {
		for _, series := range family.GetMetric() {
			var key []string
			for _, pair := range series.GetLabel() {
				key = append(key, pair.GetName()+"="+pair.GetValue())
			}
			slices.Sort(key)
			values[family.GetType().String()+" "+name+"{"+strings.Join(key, ",")+"}"] = value(series)
		}
	}
	return values
}

func value(series *dto.Metric) float64 {
	return series.GetCounter().GetValue() + series.GetGauge().GetValue() + series.GetUntyped().GetValue() // all but one are 0
}

// checkFamilies holds the old page against the list of all families that the exporter documents.
func checkFamilies(t *testing.T, name string, x exporter, page families) {
	t.Helper()
	for _, row := range rtctest.Table(t, filepath.Join("..", "testdata", "compat", name+".tsv")) {
		if _, absent := x.absent[row[0]]; !absent && !slices.Contains(x.varying, row[0]) {
			assert.NotEmpty(t, page[row[0]].GetMetric(), row[0])
		}
	}
}

func checkSame(t *testing.T, x exporter, ours, old families) {
	t.Helper()
	for _, fact := range x.same {
		require.NotEmpty(t, old[fact.old].GetMetric(), fact.old)
		require.NotEmpty(t, ours.values(fact.new, fact.labels), fact.new)
		assert.InEpsilon(t, 1+sum(ours.values(fact.new, fact.labels)), 1+sum(old.values(fact.old, nil))*fact.factor, 1e-9, fact.old)
	}
}
