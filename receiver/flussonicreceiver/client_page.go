// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"context"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// The page has two vocabularies, flussonic_* and that of API v3 as OpenMetrics. Neither is documented with its labels, so
// that each thing is known by several: https://flussonic.com/doc/monitoring-flussonic-with-prometheus/.
var (
	streamLabels    = []string{"stream", "name", "stream_name", "media", "channel"}
	diskLabels      = []string{"path", "disk", "mount", "mountpoint", "device", "dev"}
	interfaceLabels = []string{"interface", "iface", "if", "device", "dev", "name"}
	gpuLabels       = []string{"id", "gpu", "index", "device"}
	gpuNameLabels   = []string{"name", "model"}
	cardLabels      = []string{"name", "card", "adapter", "dvb_card"}
	versionLabels   = []string{"version", "flussonic_version"}
	// serverLabels tell which server a sample is of, which is no part of a thing's name.
	serverLabels = []string{"server_id", "server", "host", "instance", "hostname", "job"}
)

// maxPageStreams bounds the samples of streams that are kept of one page.
const maxPageStreams = 20 * maxItems

// pageServer are the samples of the server as a whole.
var pageServer = map[string]serverField{
	"flussonic_boot_time_seconds": serverStarted,
	"flussonic_memory_usage":      serverMemory,
	"flussonic_clients":           serverClients,
	"flussonic_streams":           serverStreams,
	"flussonic_opened_files":      serverOpenFiles,
	"flussonic_scheduler_load":    serverScheduler,
	"flussonic_cpu_usage":         serverCPU,
	"server_started_at":           serverStarted,
	"server_memory_usage":         serverMemory,
	"server_total_clients":        serverClients,
	"server_online_streams":       serverOnlineStreams,
	"server_opened_files":         serverOpenFiles,
	"server_scheduler_load":       serverScheduler,
	"server_cpu_usage":            serverCPU,
	"server_input_bitrate":        serverInput,
	"server_output_bitrate":       serverOutput,
}

// pageStreams are the samples of streams. The rates are kbit/s, whatever their documentation says.
var pageStreams = map[string]streamSource{
	"flussonic_stream_client_delay":       {"", streamClientDelay, 1},
	"flussonic_stream_bytes_in":           {"", streamBytesIn, 1},
	"flussonic_stream_bytes_out":          {"", streamBytesOut, 1},
	"flussonic_stream_bitrate":            {"", streamInputKbit, 1},
	"flussonic_stream_start_running_at":   {"", streamRunningAt, 1},
	"flussonic_stream_retry_count":        {"", streamRetries, 1},
	"flussonic_stream_client_count":       {"", streamClients, 1},
	"flussonic_stream_dvr_info_disk_size": {"", streamDisk, 1},
	"flussonic_stream_dvr_info_depth":     {"", streamDepth, 1},
	"flussonic_stream_dvr_info_duration":  {"", streamDuration, 1},
	"stream_bytes_in":                     {"", streamBytesIn, 1},
	"stream_bytes_out":                    {"", streamBytesOut, 1},
	"stream_bitrate":                      {"", streamInputKbit, 1},
	"stream_out_bandwidth":                {"", streamOutputBits, 1000},
	"stream_retry_count":                  {"", streamRetries, 1},
	"stream_online_clients":               {"", streamClients, 1},
	"stream_client_count":                 {"", streamClients, 1},
	"dvr_disk_size":                       {"", streamDisk, 1},
	"dvr_depth":                           {"", streamDepth, 1},
	"dvr_duration":                        {"", streamDuration, 1},
}

// pageDevices are the samples of things that the server has several of.
var pageDevices = map[string]func(*server, *exposition.Sample){
	"flussonic_disk_size":         diskSample(func(d *disk) *number { return &d.Bytes }),
	"flussonic_disk_usage":        diskSample(func(d *disk) *number { return &d.Usage }),
	"flussonic_disk_io_usage":     diskSample(func(d *disk) *number { return &d.Busy }),
	"flussonic_net_input_bytes":   interfaceSample(func(e *ethernet) *number { return &e.Received }),
	"flussonic_net_output_bytes":  interfaceSample(func(e *ethernet) *number { return &e.Transmit }),
	"flussonic_dvb_card_strength": cardSample(func(c *card) *number { return &c.Strength }),
	"flussonic_gpu_dec":           gpuSample(func(g *gpu) *number { return &g.Decoder }),
	"flussonic_gpu_enc":           gpuSample(func(g *gpu) *number { return &g.Encoder }),
	"flussonic_gpu_temp":          gpuSample(func(g *gpu) *number { return &g.Temperature }),
	"partition_total_mb":          diskSample(func(d *disk) *number { return &d.Megabyte }),
	"partition_usage":             diskSample(func(d *disk) *number { return &d.Usage }),
	"raid_disk_io_usage":          dvrDiskSample(func(d *dvrDisk) *number { return &d.Busy }),
	"gpu_temperature":             gpuSample(func(g *gpu) *number { return &g.Temperature }),
	"gpu_encoder_load":            gpuSample(func(g *gpu) *number { return &g.Encoder }),
	"gpu_decoder_load":            gpuSample(func(g *gpu) *number { return &g.Decoder }),
	"dvb_card_strength":           cardSample(func(c *card) *number { return &c.Strength }),
	"flussonic_version_info":      func(s *server, sample *exposition.Sample) { s.Version = labelOf(sample, versionLabels) },
}

func diskSample(value func(*disk) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		setDevice(&s.Disks, disk{Path: labelOf(sample, diskLabels)}, func(d *disk) string { return d.Path }, value, sample)
	}
}

func interfaceSample(value func(*ethernet) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		setDevice(&s.Interfaces, ethernet{Name: labelOf(sample, interfaceLabels)}, func(e *ethernet) string { return e.Name }, value, sample)
	}
}

func cardSample(value func(*card) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		setDevice(&s.Cards, card{Name: labelOf(sample, cardLabels)}, func(c *card) string { return c.Name }, value, sample)
	}
}

func dvrDiskSample(value func(*dvrDisk) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		setDevice(&s.DVRDisks, dvrDisk{Path: labelOf(sample, diskLabels)}, func(d *dvrDisk) string { return d.Path }, value, sample)
	}
}

// gpuSample knows a GPU by its number, its name, or both: the vocabularies differ in that.
func gpuSample(value func(*gpu) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		g := gpu{ID: knownLabel(sample, gpuLabels), Name: knownLabel(sample, gpuNameLabels)}
		if g.ID == "" && g.Name == "" {
			g.ID = otherLabels(sample)
		}
		setDevice(&s.GPUs, g, func(g *gpu) string { return strings.TrimRight(g.ID+"\x00"+g.Name, "\x00") }, value, sample)
	}
}

// setDevice sets one number of a device, which may be a new one. The first sample of a series counts; one without a name is none.
func setDevice[T any](all *[]T, device T, name func(*T) string, value func(*T) *number, sample *exposition.Sample) {
	i := slices.IndexFunc(*all, func(known T) bool { return name(&known) == name(&device) })
	switch {
	case name(&device) == "" || i < 0 && len(*all) == maxDevices:
		return
	case i < 0:
		i = len(*all)
		*all = append(*all, device)
	}
	field := value(&(*all)[i])
	if _, twice := field.Get(); !twice {
		*field = optional.Of(sample.Value)
	}
}

// knownLabel returns the value of the first of these labels that the sample has.
func knownLabel(sample *exposition.Sample, names []string) string {
	for _, name := range names {
		if value := sample.Label(name); len(value) > 0 {
			return selection.Name(value)
		}
	}
	return ""
}

// labelOf returns what names the thing that a sample is of: one of the known labels, else whatever labels there are.
func labelOf(sample *exposition.Sample, names []string) string {
	if value := knownLabel(sample, names); value != "" {
		return value
	}
	return otherLabels(sample)
}

// otherLabels returns the only label, but for those of the server; of several, all with their names.
func otherLabels(sample *exposition.Sample) string {
	var only string
	var pairs []string
	for _, l := range sample.Labels {
		if !slices.Contains(serverLabels, string(l.Name)) {
			only = string(l.Value)
			pairs = append(pairs, string(l.Name)+"="+only)
		}
	}
	if len(pairs) > 1 {
		slices.Sort(pairs)
		only = strings.Join(pairs, ",")
	}
	return selection.Name(only)
}

// streamSamples are the samples of streams on a page, in its order. They last until the next page is read.
type streamSamples struct {
	all   []streamSample
	names []byte
}

type streamSample struct {
	from, to int // of the name
	field    streamField
	value    float64
}

func (s *streamSamples) add(sample *exposition.Sample, source streamSource) {
	from := len(s.names)
	for _, name := range streamLabels {
		if value := sample.Label(name); len(value) > 0 {
			s.names = selection.AppendName(s.names, value)
			break
		}
	}
	if len(s.names) == from {
		s.names = append(s.names, otherLabels(sample)...)
	}
	if len(s.names) > from {
		s.all = append(s.all, streamSample{from, len(s.names), source.field, sample.Value * source.factor})
	}
}

// Each walks over the samples. The name is valid only inside f.
func (s *streamSamples) Each(f func(name []byte, field streamField, value float64)) {
	for i := range s.all {
		one := &s.all[i]
		f(s.names[one.from:one.to], one.field, one.value)
	}
}

// page is what the Prometheus page tells.
type page struct {
	server
	Streams *streamSamples

	wanted func(streamField) bool
}

// Page reads the Prometheus page, whichever its vocabulary, with the wanted fields of streams. What is no finite number is none.
func (c *client) Page(ctx context.Context, wanted func(streamField) bool) (page, error) {
	p := page{Streams: &c.samples, wanted: wanted}
	c.samples = streamSamples{all: c.samples.all[:0], names: c.samples.names[:0]}
	known := 0
	err := c.http.Get(ctx, apiPage, nil, nil, func(header http.Header, body io.Reader) error {
		c.page.Reset(body, header.Get("Content-Type"))
		return c.page.Each(func(sample *exposition.Sample) error {
			if !math.IsNaN(sample.Value) && !math.IsInf(sample.Value, 0) && p.add(sample) {
				known++
			}
			return nil
		})
	})
	if err == nil && known == 0 {
		err = &httpapi.Error{Kind: httpapi.KindDecode, Text: "a page without a single metric of flussonic"}
	}
	return p, explain(err)
}

// add takes in one sample, and reports whether it is one that the server's page has.
func (p *page) add(sample *exposition.Sample) bool {
	if id := sample.Label("server_id"); p.ID == "" && len(id) > 0 {
		p.ID = string(id)
	}
	if source, known := pageStreams[string(sample.Name)]; known {
		if p.wanted(source.field) && len(p.Streams.all) < maxPageStreams {
			p.Streams.add(sample, source)
		}
		return true
	}
	if field, known := pageServer[string(sample.Name)]; known {
		if _, twice := p.Numbers[field].Get(); !twice {
			p.Numbers[field] = optional.Of(sample.Value)
		}
		return true
	}
	device, known := pageDevices[string(sample.Name)]
	if known {
		device(&p.server, sample)
	}
	return known
}
