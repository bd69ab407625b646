// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package prometheuspageexporter

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
)

var (
	buffers     = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 64<<10) }}
	compressors = sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for other levels only
		return w
	}}
)

// serve answers a request for the page.
func (e *pageExporter) serve(response http.ResponseWriter, request *http.Request) {
	format := negotiate(request.Header, e.config.EnableOpenMetrics)
	response.Header().Set("Content-Type", string(format))
	var w io.Writer = response
	if acceptsGzip(request.Header) {
		response.Header().Set("Content-Encoding", "gzip")
		compressor := compressors.Get().(*gzip.Writer)
		defer compressors.Put(compressor)
		compressor.Reset(response)
		defer func() { _ = compressor.Close() }() // the client has gone
		w = compressor
	}
	buffer := buffers.Get().(*bufio.Writer)
	defer buffers.Put(buffer)
	buffer.Reset(w)
	defer func() { _ = buffer.Flush() }() // the client has gone
	snapshot := e.store.Snapshot(time.Now())
	defer snapshot.Release()
	p := page{
		Writer: buffer, openMetrics: format.FormatType() == expfmt.TypeOpenMetrics, timestamps: e.config.SendTimestamps,
		escaping: format.ToEscapingScheme(),
	}
	p.write(snapshot)
}

// negotiate returns the format that the client prefers, among those that the page has.
func negotiate(header http.Header, openMetrics bool) expfmt.Format {
	accept := strings.Split(strings.Join(header.Values("Accept"), ","), ",")
	accept = slices.DeleteFunc(accept, func(s string) bool { return strings.Contains(s, "protobuf") })
	header = http.Header{"Accept": {strings.Join(accept, ",")}}
	if openMetrics {
		return expfmt.NegotiateIncludingOpenMetrics(header)
	}
	return expfmt.Negotiate(header)
}

// acceptsGzip reports whether the client accepts gzip.
func acceptsGzip(header http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			_, q, _ := strings.Cut(weight, "q=")
			quality, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return err != nil || quality > 0
		}
	}
	return false
}

// page writes a snapshot in the format that the client has asked for. It ignores errors of the writer: the client has gone.
type page struct {
	*bufio.Writer
	openMetrics, timestamps bool
	escaping                model.EscapingScheme
	buffer                  []byte
}

func (p *page) write(snapshot *current.Snapshot) {
	for i := range snapshot.Families {
		f := family{Family: &snapshot.Families[i]}
		f.escaped = f.Name
		if !model.LegacyValidation.IsValidMetricName(f.Name) {
			f.escaped = model.EscapeName(f.Name, p.escaping)
		}
		f.announced = f.escaped
		if p.openMetrics && f.Kind == current.Counter {
			f.announced = strings.TrimSuffix(f.escaped, "_total")
		}
		p.writeHeader(&f)
		for _, part := range f.Parts {
			if f.Quoted && p.escaping != model.NoEscaping || p.openMetrics && (p.timestamps || f.Kind != current.Gauge) {
				p.rewrite(&f, part)
			} else {
				_, _ = p.Write(part.Text)
			}
		}
	}
	if p.openMetrics {
		_, _ = p.WriteString("# EOF\n")
	}
}

// family is a family with its names on this page.
type family struct {
	*current.Family
	escaped   string
	announced string // after HELP and TYPE
}

// created reports whether there are lines with the start of the series.
func (f *family) created() bool {
	return f.Kind != current.Gauge && (f.Kind != current.Counter || f.announced != f.escaped)
}

var (
	textEscaper        = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	openMetricsEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func (p *page) writeHeader(f *family) {
	name, kind, help := f.announced, f.Kind.String(), textEscaper.Replace(f.Help)
	if p.openMetrics {
		help = openMetricsEscaper.Replace(f.Help)
		if f.Kind == current.Counter && !f.created() {
			kind = "unknown" // counters must end in _total
		}
	}
	if !model.LegacyValidation.IsValidMetricName(name) {
		name = `"` + openMetricsEscaper.Replace(name) + `"`
	}
	p.buffer = append(p.buffer[:0], "# HELP "...)
	p.buffer = append(append(append(append(p.buffer, name...), ' '), help...), "\n# TYPE "...)
	p.buffer = append(append(append(append(p.buffer, name...), ' '), kind...), '\n')
	_, _ = p.Write(p.buffer)
}

// rewrite writes lines whose names must be escaped, or which are different in OpenMetrics.
func (p *page) rewrite(f *family, part current.Part) {
	for series := range part.Series() {
		p.buffer = p.buffer[:0]
		for line := range bytes.Lines(series.Lines) {
			name, labels, rest := splitLine(line)
			suffix := name[len(f.Name):]
			p.buffer = p.appendLine(p.buffer, f.escaped+suffix, labels)
			value, timestamp, ok := bytes.Cut(rest, []byte{' '})
			p.buffer = append(p.buffer, value...)
			if ok && p.openMetrics {
				ms, _ := strconv.ParseInt(string(timestamp), 10, 64) // the store wrote it
				p.buffer = appendSeconds(append(p.buffer, ' '), ms)
			} else if ok {
				p.buffer = append(append(p.buffer, ' '), timestamp...)
			}
			p.buffer = append(p.buffer, '\n')
		}
		if ms := int64(series.Start) / 1e6; p.openMetrics && f.created() && ms >= 1000 { //nolint:gosec // as pcommon.Timestamp.AsTime
			p.buffer = p.appendLine(p.buffer, f.announced+"_created", series.Labels)
			p.buffer = append(appendSeconds(p.buffer, ms), '\n')
		}
		_, _ = p.Write(p.buffer)
	}
}

// splitLine returns the name of a line without quotes, its labels, and the value with the timestamp.
func splitLine(line []byte) (name string, labels, rest []byte) {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	end := bytes.LastIndexByte(line, '}')
	if end < 0 {
		before, after, _ := bytes.Cut(line, []byte{' '})
		return string(before), nil, after
	}
	rest, line = line[end+len("} "):], line[:end]
	if line[0] != '{' {
		before, after, _ := bytes.Cut(line, []byte{'{'})
		return string(before), after, rest
	}
	name, labels = unquote(line[1:])
	return name, bytes.TrimPrefix(labels, []byte{','}), rest
}

var unescaper = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\"`, `"`)

// unquote returns the string between the quotes that the text begins with, and what follows.
func unquote(text []byte) (string, []byte) {
	end := 1
	for text[end] != '"' {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	return unescaper.Replace(string(text[1:end])), text[end+1:]
}

// appendLine appends a line up to its value.
func (p *page) appendLine(dst []byte, name string, labels []byte) []byte {
	if model.LegacyValidation.IsValidMetricName(name) {
		dst = append(dst, name...)
		if len(labels) == 0 {
			return append(dst, ' ')
		}
		dst = append(dst, '{')
	} else {
		dst = append(append(append(dst, `{"`...), openMetricsEscaper.Replace(name)...), '"')
		if len(labels) > 0 {
			dst = append(dst, ',')
		}
	}
	return append(p.appendLabels(dst, labels), "} "...)
}

// appendLabels appends labels, with quoted names escaped if the client does not understand them.
func (p *page) appendLabels(dst, labels []byte) []byte {
	if p.escaping == model.NoEscaping {
		return append(dst, labels...)
	}
	for len(labels) > 0 {
		if labels[0] == '"' {
			var name string
			name, labels = unquote(labels)
			dst = append(dst, strings.ReplaceAll(model.EscapeName(name, p.escaping), ":", "_")...)
		}
		value := bytes.IndexByte(labels, '"')
		_, rest := unquote(labels[value:])
		rest = bytes.TrimPrefix(rest, []byte{','})
		dst = append(dst, labels[:len(labels)-len(rest)]...)
		labels = rest
	}
	return dst
}

// appendSeconds appends a time in the unit of OpenMetrics.
func appendSeconds(dst []byte, milliseconds int64) []byte {
	return strconv.AppendFloat(dst, float64(milliseconds)/1000, 'f', -1, 64)
}
