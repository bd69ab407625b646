// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// The page has two vocabularies: flussonic_* and that of API v3 in OpenMetrics. The labels of neither are documented, so several
// alternatives are accepted for each: https://flussonic.com/doc/monitoring-flussonic-with-prometheus/.
var (
	streamLabels    = []string{"stream", "name", "stream_name", "media", "channel"}
	diskLabels      = []string{"path", "disk", "mount", "mountpoint", "device", "dev"}
	interfaceLabels = []string{"interface", "iface", "if", "device", "dev", "name"}
	gpuLabels       = []string{"id", "gpu", "index", "device"}
	gpuNameLabels   = []string{"name", "model"}
	cardLabels      = []string{"name", "card", "adapter", "dvb_card"}
	versionLabels   = []string{"version", "flussonic_version"}
	// serverLabels identify the server of a sample. They are not part of the name of a device or a stream.
	serverLabels = []string{"server_id", "server", "host", "instance", "hostname", "job"}
)

// pageServer maps the samples of the server as a whole to fields.
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

// pageStreams maps the samples of streams to fields. The rates are in kbit/s, contrary to the documentation.
var pageStreams = map[string]streamField{
	"flussonic_stream_client_delay":       streamClientDelay,
	"flussonic_stream_bytes_in":           streamBytesIn,
	"flussonic_stream_bytes_out":          streamBytesOut,
	"flussonic_stream_bitrate":            streamInputKbit,
	"flussonic_stream_start_running_at":   streamRunningAt,
	"flussonic_stream_retry_count":        streamRetries,
	"flussonic_stream_client_count":       streamClients,
	"flussonic_stream_dvr_info_disk_size": streamDisk,
	"flussonic_stream_dvr_info_depth":     streamDepth,
	"flussonic_stream_dvr_info_duration":  streamDuration,
	"stream_bytes_in":                     streamBytesIn,
	"stream_bytes_out":                    streamBytesOut,
	"stream_bitrate":                      streamInputKbit,
	"stream_out_bandwidth":                streamOutputKbit,
	"stream_retry_count":                  streamRetries,
	"stream_online_clients":               streamClients,
	"stream_client_count":                 streamClients,
	"dvr_disk_size":                       streamDisk,
	"dvr_depth":                           streamDepth,
	"dvr_duration":                        streamDuration,
}

// pageDevices maps the samples of devices to functions that store them.
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
	"partition_total_mb":          diskSample(func(d *disk) *number { return &d.Mebibytes }),
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
		path := labelOf(sample, diskLabels)
		setDevice(s, &s.Disks, path, disk{Path: path}, value, sample)
	}
}

func interfaceSample(value func(*ethernet) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		name := labelOf(sample, interfaceLabels)
		setDevice(s, &s.Interfaces, name, ethernet{Name: name}, value, sample)
	}
}

func cardSample(value func(*card) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		name := labelOf(sample, cardLabels)
		setDevice(s, &s.Cards, name, card{Name: name}, value, sample)
	}
}

func dvrDiskSample(value func(*dvrDisk) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		path := labelOf(sample, diskLabels)
		setDevice(s, &s.DVRDisks, path, dvrDisk{Path: path}, value, sample)
	}
}

// gpuSample identifies a GPU by its number, its name, or both, depending on the vocabulary.
func gpuSample(value func(*gpu) *number) func(*server, *exposition.Sample) {
	return func(s *server, sample *exposition.Sample) {
		g := gpu{ID: knownLabel(sample, gpuLabels), Name: knownLabel(sample, gpuNameLabels)}
		if g.ID == "" && g.Name == "" {
			g.ID = otherLabels(sample)
		}
		setDevice(s, &s.GPUs, strings.TrimRight(g.ID+"\x00"+g.Name, "\x00"), g, value, sample)
	}
}

// devicePlace identifies a device of the page by its list and its name.
type devicePlace struct {
	list any
	name string
}

// setDevice sets one number of a device, which it adds if it is new. The first sample of a series is used; samples without a name are
// skipped.
func setDevice[T any](s *server, all *[]T, name string, device T, value func(*T) *number, sample *exposition.Sample) {
	at := devicePlace{all, name}
	i, known := s.places[at]
	switch {
	case name == "" || !known && len(*all) == maxDevices:
		return
	case !known:
		i = len(*all)
		*all = append(*all, device)
		s.places[at] = i
	}
	field := value(&(*all)[i])
	if _, twice := field.Get(); !twice {
		*field = optional.Of(sample.Value)
	}
}

// knownLabel returns the value of the first of the given labels that the sample has.
func knownLabel(sample *exposition.Sample, names []string) string {
	for _, name := range names {
		if value := sample.Label(name); len(value) > 0 {
			return selection.Name(value)
		}
	}
	return ""
}

// labelOf returns the name of the device of a sample: the value of a known label, otherwise of the remaining labels.
func labelOf(sample *exposition.Sample, names []string) string {
	if value := knownLabel(sample, names); value != "" {
		return value
	}
	return otherLabels(sample)
}

// otherLabels returns the value of the only label that does not identify the server. If there are several, it returns all as
// name=value.
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

// streamSamples are the samples of streams on a page, in page order. They are valid until the next page is read.
type streamSamples struct {
	names [][]byte
	all   []streamSample
	cut   bool // streams are missing: there are too many, or lines are malformed

	known map[string]*pageStream // from this page and earlier ones
	page  uint64                 // counts from 1
	name  []byte
}

type streamSample struct {
	stream int // index in names
	field  streamField
	value  float64
}

// pageStream is a stream on a page.
type pageStream struct {
	name  []byte
	page  uint64 // last page with this stream
	index int    // index in names of that page
}

// begin starts a page. It keeps the names of earlier pages, because most repeat, unless there are too many of them.
func (s *streamSamples) begin() {
	if s.known == nil || len(s.known) > 2*len(s.names) {
		*s = streamSamples{known: map[string]*pageStream{}, page: s.page}
	}
	s.names, s.all, s.cut = s.names[:0], s.all[:0], false
	s.page++
}

func (s *streamSamples) add(sample *exposition.Sample, field streamField) {
	s.name = s.name[:0]
	for _, label := range streamLabels {
		if value := sample.Label(label); len(value) > 0 {
			s.name = selection.AppendName(s.name, value)
			break
		}
	}
	if len(s.name) == 0 {
		s.name = append(s.name, otherLabels(sample)...)
	}
	if len(s.name) == 0 {
		return
	}
	if stream := s.stream(); stream != nil && len(s.all) < maxItems*len(pageStreams) {
		s.all = append(s.all, streamSample{stream.index, field, sample.Value})
	} else {
		s.cut = true
	}
}

// stream returns the stream with the name s.name, nil if there are too many streams.
func (s *streamSamples) stream() *pageStream {
	stream := s.known[string(s.name)]
	switch {
	case stream != nil && stream.page == s.page:
		return stream
	case len(s.names) == maxItems:
		return nil
	case stream == nil:
		stream = &pageStream{name: bytes.Clone(s.name)}
		s.known[string(s.name)] = stream
	}
	stream.page, stream.index = s.page, len(s.names)
	s.names = append(s.names, stream.name)
	return stream
}

// Each calls f for each sample.
func (s *streamSamples) Each(f func(name []byte, field streamField, value float64)) {
	for i := range s.all {
		one := &s.all[i]
		f(s.names[one.stream], one.field, one.value)
	}
}

// page is the Prometheus page.
type page struct {
	server
	Streams *streamSamples

	wanted func(streamField) bool
}

// fullServer returns a server with every number that a page can have and one device of each type.
func fullServer() *server {
	p := page{server: server{places: map[devicePlace]int{}}}
	for _, samples := range []iter.Seq[string]{maps.Keys(pageServer), maps.Keys(pageDevices)} {
		for name := range samples {
			p.add(&exposition.Sample{Name: []byte(name), Labels: []exposition.Label{{Name: []byte("name"), Value: []byte("x")}}})
		}
	}
	return &p.server
}

// Page requests the Prometheus page and returns its samples, of streams only the wanted fields. NaN is skipped.
func (c *client) Page(ctx context.Context, wanted func(streamField) bool) (page, error) {
	p := page{server: server{places: map[devicePlace]int{}}, Streams: &c.samples, wanted: wanted}
	p.Streams.begin()
	err := c.http.GetPage(ctx, apiPage, nil, c.page, func(sample *exposition.Sample) (known bool, err error) {
		return !math.IsNaN(sample.Value) && p.add(sample), nil
	})
	p.Streams.cut = p.Streams.cut || err != nil
	return p, explain(err)
}

// add adds one sample and reports whether it is a known one.
func (p *page) add(sample *exposition.Sample) bool {
	if id := sample.Label("server_id"); p.ID == "" && len(id) > 0 {
		p.ID = string(id)
	}
	if field, known := pageStreams[string(sample.Name)]; known {
		if p.wanted(field) {
			p.Streams.add(sample, field)
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
