// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// streamField is a number of a stream, independent of the source and the release.
type streamField int

const (
	streamDisabled              streamField = iota // 0 or 1, also static and alive
	streamStatic                                   //
	streamAlive                                    //
	streamClients                                  //
	streamClientDelay                              // milliseconds
	streamBytesIn                                  //
	streamBytesOut                                 //
	streamInputKbit                                // kbit/s
	streamOutputBits                               // bit/s
	streamOutputKbit                               // kbit/s
	streamRetries                                  //
	streamErrors                                   //
	streamErrorsPerMinute                          //
	streamErrorsPerSecond                          //
	streamFrameDelay                               // milliseconds
	streamFrameAt                                  // Unix time in milliseconds, also the next two; 0 means never
	streamOpenedAt                                 //
	streamRunningAt                                //
	streamLifetime                                 // milliseconds
	streamBackup                                   // 0 or 1
	streamDepth                                    // seconds, also duration
	streamDuration                                 //
	streamArchive                                  // bytes, also disk
	streamDisk                                     //
	streamTranscoding                              // 0 or 1, also overloaded
	streamOverloaded                               //
	streamRestarts                                 //
	streamTranscoded                               // frames
	streamQualities                                //
	streamFrames                                   //
	streamSwitches                                 //
	streamOnPrimary                                // seconds, also the next two
	streamOnSecondary                              //
	streamOnNone                                   //
	streamValidInputs                              //
	streamInvalidInputs                            //
	streamResyncs                                  //
	streamResyncJumps                              //
	streamResyncDrifts                             //
	streamRoundTrip                                // milliseconds
	streamWritesFast                               // segments, also the fields up to streamReadsFailed
	streamWritesSlow                               //
	streamWritesDelayed                            //
	streamWritesCollapsed                          //
	streamWritesFailed                             //
	streamWritesSkipped                            //
	streamWritesBroken                             //
	streamReadsMissing                             //
	streamReadsFailed                              //
	streamAuthorizations                           // of viewers, also the next three
	streamAuthorizationsFailed                     //
	streamAuthorizationsDenied                     //
	streamAuthorizationsRefused                    //
	streamDivergent                                // 0 or 1
	streamMediaInfoChanges                         //
	streamSRTPackets                               //
	streamSRTDropped                               // packets, also the next two
	streamSRTLost                                  //
	streamSRTRetransmitted                         //
	streamSRTLatency                               // milliseconds
	streamUDPPackets                               //
	streamUDPUnaligned                             // packets
	streamNACKs                                    //
	streamRetransmitted                            // packets
	streamExpiration                               // seconds
	streamThumbnailDrops                           //
	streamThumbnailErrors                          //
	streamTSContinuity                             // packets, also the next two: sums over stats.input.pids
	streamTSScrambled                              //
	streamTSTransport                              //
	streamFields
)

// streamSource is the path of a number of a stream in API v3. If a field has several sources, the first one that is present is used. [] in
// a path follows the name of a list: the number is the sum over its elements.
type streamSource struct {
	path  string
	field streamField
}

// streamSources are the sources for all releases, the newest first: 25.11, 23.10, 23.01.
var streamSources = []streamSource{
	{"disabled", streamDisabled},
	{"static", streamStatic},
	{"stats.alive", streamAlive},
	{"stats.play.play_opened_sessions", streamClients},
	{"stats.online_clients", streamClients},
	{"stats.client_count", streamClients},
	{"stats.input.bytes", streamBytesIn},
	{"stats.bytes_in", streamBytesIn},
	{"stats.bytes_out", streamBytesOut},
	{"stats.input_bitrate", streamInputKbit},
	{"stats.bitrate", streamInputKbit},
	{"stats.output_bandwidth", streamOutputBits},
	{"stats.out_bandwidth", streamOutputKbit},
	{"stats.input.retries", streamRetries},
	{"stats.retry_count", streamRetries},
	{"stats.input.errors", streamErrors},
	{"stats.input.error_rate", streamErrorsPerMinute}, // errors in the last minute
	{"stats.input_error_rate", streamErrorsPerSecond},
	{"stats.ts_delay", streamFrameDelay},
	{"stats.last_dts_at", streamFrameAt},
	{"stats.opened_at", streamOpenedAt},
	{"stats.start_running_at", streamRunningAt},
	{"stats.lifetime", streamLifetime},
	{"stats.backup_running", streamBackup},
	{"stats.dvr_info.depth", streamDepth},
	{"stats.dvr_info.duration", streamDuration},
	{"stats.dvr_info.bytes", streamArchive},
	{"stats.dvr_info.disk_size", streamDisk},
	{"stats.running_transcoder", streamTranscoding},
	{"stats.transcoder_overloaded", streamOverloaded},
	{"stats.transcoder.restarts", streamRestarts},
	{"stats.transcoder.frames", streamTranscoded},
	{"stats.transcoder.qualities", streamQualities},
	{"stats.input.frames", streamFrames},
	{"stats.input.input_switches", streamSwitches},
	{"stats.input.num_sec_on_primary_input", streamOnPrimary},
	{"stats.input.num_sec_on_secondary_input", streamOnSecondary},
	{"stats.input.num_sec_no_data", streamOnNone},
	{"stats.input.valid_secondary_inputs", streamValidInputs},
	{"stats.input.invalid_secondary_inputs", streamInvalidInputs},
	{"stats.input.resync_count_normal", streamResyncs},
	{"stats.input.resync_count_jump", streamResyncJumps},
	{"stats.input.resync_count_drift", streamResyncDrifts},
	{"stats.input.srt.rtt", streamRoundTrip},
	{"stats.dvr_write.segments_written_fast", streamWritesFast},
	{"stats.dvr_write.segments_written_slow", streamWritesSlow},
	{"stats.dvr_write.segments_written_delayed", streamWritesDelayed},
	{"stats.dvr_write.segments_written_collapsed", streamWritesCollapsed},
	{"stats.dvr_write.segments_failed", streamWritesFailed},
	{"stats.dvr_write.segments_skipped", streamWritesSkipped},
	{"stats.dvr_write.segments_discontinuity", streamWritesBroken},
	{"stats.dvr_read_performance.segments_read_enoent", streamReadsMissing},
	{"stats.dvr_read_performance.segments_read_failed", streamReadsFailed},
	{"stats.play.authorizations_success", streamAuthorizations},
	{"stats.play.authorizations_failed", streamAuthorizationsFailed},
	{"stats.play.authorizations_denied", streamAuthorizationsDenied},
	{"stats.play.authorizations_declined", streamAuthorizationsRefused},
	{"stats.input.divergent_inputs", streamDivergent},
	{"stats.input.media_info_changes", streamMediaInfoChanges},
	{"stats.input.srt.packets", streamSRTPackets},
	{"stats.input.srt.error_dropped_packets", streamSRTDropped},
	{"stats.input.srt.error_lost_packets", streamSRTLost},
	{"stats.input.srt.retransmitted_packets", streamSRTRetransmitted},
	{"stats.input.srt.latency", streamSRTLatency},
	{"stats.input.udp_mpegts.packets", streamUDPPackets},
	{"stats.input.udp_mpegts.not_aligned_packets", streamUDPUnaligned},
	{"stats.play.webrtc_nacks", streamNACKs},
	{"stats.play.webrtc_retransmits", streamRetransmitted},
	{"dvr.expiration", streamExpiration},
	{"stats.thumbnails.dropped_count", streamThumbnailDrops},
	{"stats.thumbnails.errors_count", streamThumbnailErrors},
	{"stats.input.pids[].errors_ts_cc", streamTSContinuity},
	{"stats.input.pids[].errors_ts_scrambled", streamTSScrambled},
	{"stats.input.pids[].errors_ts_tei", streamTSTransport},
}

// streamFlags are the fields that are JSON booleans.
var streamFlags = []streamField{streamDisabled, streamStatic, streamAlive, streamBackup, streamTranscoding, streamOverloaded, streamDivergent}

// streamGroup is a set of numbers of a stream whose names the server chooses.
type streamGroup int

const (
	groupInputErrors streamGroup = iota
	groupOpened
	groupPlays
	groupBytes
	groupAnswers
	groupReads
	groupInputs
	groupPIDs
	groupPushes
	groupPushErrors
	groupTracks
	streamGroups
)

// groupPath is the path of a group.
type groupPath struct {
	path   string
	group  streamGroup
	fields string            // fields to select, if not path
	older  bool              // the other path of the group takes precedence
	has    func([]byte) bool // reports whether a member belongs to the group; nil if all do
}

var groupPaths = []groupPath{
	{path: "stats.input", group: groupInputErrors, has: isError, fields: errorsOf("stats.input", inputErrorTypes)},
	{path: "stats.play.play_opened_sessions_by_proto", group: groupOpened},
	{path: "stats.play.play_total_sessions_by_proto", group: groupPlays},
	{path: "stats.play.play_bytes_by_proto", group: groupBytes},
	{path: "stats.play", group: groupAnswers, has: isAnswer},
	{path: "stats.dvr_read_performance.segments_read_fast", group: groupReads},
	{path: "stats.dvr_read_performance.segments_read_slow", group: groupReads},
	{path: "stats.dvr_read_performance.segments_read_delayed", group: groupReads},
	{path: "stats.inputs", group: groupInputs, fields: membersOf("stats.inputs", inputFields)},
	{path: "inputs", group: groupInputs, fields: membersOf("inputs.stats", inputFields), older: true},
	{path: "stats.input.pids", group: groupPIDs, fields: membersOf("stats.input.pids", append([]string{"pid"}, pidErrors[:]...))},
	{path: "stats.push", group: groupPushes, fields: membersOf("stats.push", pushFields)},
	{path: "pushes", group: groupPushes, fields: membersOf("pushes.stats", pushFields), older: true},
	{path: "stats.push", group: groupPushErrors, fields: errorsOf("stats.push", pushErrorTypes)},
	{path: "pushes", group: groupPushErrors, fields: errorsOf("pushes.stats", pushErrorTypes), older: true},
	{path: "stats.media_info.tracks", group: groupTracks, fields: "stats.media_info.tracks.content"},
}

// Members of the inputs and pushes of a stream.
var (
	inputFields = []string{"active", "bytes", "retries", "errors", "ts_delay", "opened_at"}
	pushFields  = []string{"status", "bytes", "retries", "pusher_restarts", "opened_at"}
	// inputErrorTypes are the types of errors of an input that Flussonic documents.
	inputErrorTypes = []string{
		"403", "404", "500", "broken_payload", "crashed", "decoder_reset", "desync", "dropped_frames", "lost_packets", "ts_jump_restarts",
		"ts_pat", "ts_pmt", "ts_service_lost", "ts_stuck_restarts",
	}
	// pushErrorTypes are the types of errors of a push that Flussonic documents.
	pushErrorTypes = []string{
		"401", "403", "404", "409", "500", "audio_frame_decode", "connection_lost", "device_buffer_overflow", "device_not_opened",
		"dropped_frames", "dropped_segments", "no_destination", "not_authorized", "redirect_limit", "stop_overloaded", "tls",
		"video_frame_decode",
	}
)

// pidErrors are the numbers of errors of a packet identifier, and pidSums the fields of a stream for the sums of the first ones.
var (
	pidErrors = [...]string{
		"errors_ts_cc", "errors_ts_scrambled", "errors_ts_tei", "errors_ts_pmt", "errors_ts_psi_checksum", "errors_pid_lost",
		"errors_adaptation_broken",
	}
	pidSums = [...]streamField{streamTSContinuity, streamTSScrambled, streamTSTransport}
)

// membersOf returns the fields to select for the members of a path.
func membersOf(path string, members []string) string {
	return path + "." + strings.Join(members, ","+path+".")
}

// errorsOf returns the fields to select for the numbers of errors of a path.
func errorsOf(path string, types []string) string {
	return path + "." + errorsPrefix + strings.Join(types, ","+path+"."+errorsPrefix)
}

// errorsPrefix is the prefix of the names of errors by type.
const errorsPrefix = "errors_"

func isError(key []byte) bool { return bytes.HasPrefix(key, []byte(errorsPrefix)) }

// Parts of the names of responses to viewers: play_hls_segment_http_200, play_other_time_longms.
const (
	answersPrefix   = "play_"
	answersByStatus = "_http_"
	answersByTime   = "_time_"
)

func isAnswer(key []byte) bool {
	return bytes.HasPrefix(key, []byte(answersPrefix)) && (bytes.Contains(key, []byte(answersByStatus)) || bytes.Contains(key, []byte(answersByTime)))
}

// stream is one item of the list of streams.
type stream struct {
	Name      []byte
	NamedBy   []byte   // config, user, external, remote
	RunningOn [][]byte // host names of the servers on which the stream runs
	Status    []byte   // running, waiting, error
	// SourceError is the server's code for a source that it cannot capture, if any.
	SourceError []byte
	HasStats    bool
	Entries     []entry
	parts
	Tracks [][]byte // content: video, audio, text ...

	older  parts  // from deprecated fields
	pid    []byte // reused
	values [streamFields]float64
	rank   [streamFields]int8 // rank of the source of each value, from 1; 0 if absent
}

// entry is a number whose name the server chooses.
type entry struct {
	Group streamGroup
	Name  []byte // for DVR reads: outcome.source; for packet identifiers: number.error
	Value number
}

// parts are the inputs and pushes of a stream, by their position in the configuration.
type parts struct {
	Inputs []input
	Pushes []push

	InputsOver, PushesOver int64 // beyond maxParts
}

func (p *parts) reset() {
	*p = parts{Inputs: p.Inputs[:0], Pushes: p.Pushes[:0]}
}

// fill sets values that are missing to those of older.
func (p *parts) fill(older *parts) {
	for i := range older.Inputs {
		p.input(i).fill(&older.Inputs[i])
	}
	for i := range older.Pushes {
		p.push(i).fill(&older.Pushes[i])
	}
	p.InputsOver = max(p.InputsOver, older.InputsOver)
	p.PushesOver = max(p.PushesOver, older.PushesOver)
}

// input returns the input at index i, which may be len(p.Inputs).
func (p *parts) input(i int) *input {
	if i == len(p.Inputs) {
		p.Inputs = append(p.Inputs, input{})
	}
	return &p.Inputs[i]
}

// push returns the push at index i, which may be len(p.Pushes).
func (p *parts) push(i int) *push {
	if i == len(p.Pushes) {
		p.Pushes = next(p.Pushes)
		p.Pushes[i] = push{Status: p.Pushes[i].Status[:0], Errors: p.Pushes[i].Errors[:0]}
	}
	return &p.Pushes[i]
}

// input is a source of a stream.
type input struct {
	Active                 optional.Value[bool] // whether it is in use
	Bytes, Retries, Errors number
	FrameDelay             number // milliseconds
	OpenedAt               number // Unix time
}

func (i *input) fill(older *input) {
	i.Active = either(i.Active, older.Active)
	i.Bytes = either(i.Bytes, older.Bytes)
	i.Retries = either(i.Retries, older.Retries)
	i.Errors = either(i.Errors, older.Errors)
	i.FrameDelay = either(i.FrameDelay, older.FrameDelay)
	i.OpenedAt = either(i.OpenedAt, older.OpenedAt)
}

// push is a stream that the server sends to another server.
type push struct {
	Status            []byte
	Bytes             number
	Restarts, Retries number // the same number in different releases
	OpenedAt          number // Unix time
	Errors            []entry
}

func (p *push) fill(older *push) {
	if len(p.Status) == 0 {
		p.Status = append(p.Status, older.Status...)
	}
	p.Bytes = either(p.Bytes, older.Bytes)
	p.Restarts = either(p.Restarts, older.Restarts)
	p.Retries = either(p.Retries, older.Retries)
	p.OpenedAt = either(p.OpenedAt, older.OpenedAt)
	if len(p.Errors) == 0 {
		p.Errors, older.Errors = older.Errors, p.Errors // both keep their memory
	}
}

// either returns a if present, otherwise b.
func either[T any](a, b optional.Value[T]) optional.Value[T] {
	if _, ok := a.Get(); ok {
		return a
	}
	return b
}

// Get returns a number of the stream and whether it is present; an absent one is 0.
func (s *stream) Get(f streamField) (float64, bool) {
	if s.rank[f] == 0 { // the value is from an earlier stream
		return 0, false
	}
	return s.values[f], true
}

// number returns the result of Get as an optional value.
func (s *stream) number(f streamField) number {
	v, ok := s.Get(f)
	if !ok {
		return number{}
	}
	return optional.Of(v)
}

// set sets a number, unless it is already set from a source with a lower rank.
func (s *stream) set(f streamField, v float64, rank int8) {
	if s.rank[f] == 0 || rank < s.rank[f] {
		s.values[f], s.rank[f] = v, rank
	}
}

// add adds to a number that is a sum.
func (s *stream) add(f streamField, v float64) {
	if s.rank[f] == 0 {
		s.values[f], s.rank[f] = 0, 1
	}
	s.values[f] += v
}

func (s *stream) reset() {
	s.Name, s.NamedBy, s.Status, s.SourceError = s.Name[:0], s.NamedBy[:0], s.Status[:0], s.SourceError[:0]
	s.RunningOn, s.Entries, s.Tracks, s.HasStats = s.RunningOn[:0], s.Entries[:0], s.Tracks[:0], false
	s.parts.reset()
	s.older.reset()
	s.rank = [streamFields]int8{}
}

// Take returns the stream with its memory, so that it stays valid.
func (s *stream) Take() *stream {
	taken := *s
	*s = stream{}
	return &taken
}

// next extends a list by one element, which reuses the memory of an earlier one.
func next[T any](list []T) []T {
	if len(list) < cap(list) {
		return list[:len(list)+1]
	}
	return append(list, *new(T))
}

// fieldReader reads a member of a stream, or the stream itself.
type fieldReader struct {
	source streamSource
	rank   int8 // of the source, from 1; 0 if the member is not a source
	flag   bool
	stats  bool // the member is stats
	text   func(*stream) *[]byte
	list   func(*stream, *jsonwalk.Reader) error
	group  streamGroup
	has    func([]byte) bool // reports whether a member belongs to group; nil if none do
	name   string            // prefix of the names of the members

	members map[string]*fieldReader
}

// streamQuery selects fields of the streams in the list and reads them.
type streamQuery struct {
	Fields string // the query parameter
	root   *fieldReader
}

// newStreamQuery returns the query for the given fields and groups, and for the name, owner, server and state, and the error of the
// source if sourceError is set.
func newStreamQuery(fields map[streamField]bool, groups map[streamGroup]bool, sourceError bool) *streamQuery {
	s := &streamQuery{root: &fieldReader{}}
	paths := []string{"name", "named_by", "stats.running_on", "stats.status"}
	s.at("name").text = func(s *stream) *[]byte { return &s.Name }
	s.at("named_by").text = func(s *stream) *[]byte { return &s.NamedBy }
	s.at("stats").stats = true
	s.at("stats.running_on").list = (*stream).readRunningOn
	s.at("stats.status").text = func(s *stream) *[]byte { return &s.Status }
	if sourceError {
		paths = append(paths, "stats.source_error")
		s.at("stats.source_error").text = func(s *stream) *[]byte { return &s.SourceError }
	}
	for i, source := range streamSources {
		if !fields[source.field] {
			continue
		}
		list, member, isSum := strings.Cut(source.path, "[]")
		paths = append(paths, list+member)
		r := s.at(list)
		if isSum {
			r.list = (*stream).readPIDs
			continue
		}
		r.source, r.rank, r.flag = source, int8(i+1), slices.Contains(streamFlags, source.field)
	}
	for _, p := range groupPaths {
		if !groups[p.group] {
			continue
		}
		ask := p.path
		if p.fields != "" {
			ask = p.fields
		}
		paths = append(paths, ask)
		r := s.at(p.path)
		place := func(s *stream) *parts { return &s.parts }
		if p.older {
			place = func(s *stream) *parts { return &s.older }
		}
		switch p.group {
		case groupInputs:
			r.list = func(s *stream, r *jsonwalk.Reader) error { return place(s).readInputs(r) }
		case groupPushes, groupPushErrors:
			r.list = func(s *stream, r *jsonwalk.Reader) error { return place(s).readPushes(r) }
		case groupPIDs:
			r.list = (*stream).readPIDs
		case groupTracks:
			r.list = (*stream).readTracks
		case groupReads:
			r.name = p.path[strings.LastIndexByte(p.path, '_')+1:] + "."
			fallthrough
		default:
			if r.group, r.has = p.group, p.has; p.has == nil {
				r.has = func([]byte) bool { return true }
			}
		}
	}
	s.Fields = strings.Join(paths, ",")
	return s
}

// at returns the reader of a path.
func (s *streamQuery) at(path string) *fieldReader {
	r := s.root
	for key := range strings.SplitSeq(path, ".") {
		if r.members == nil {
			r.members = map[string]*fieldReader{}
		}
		if r.members[key] == nil {
			r.members[key] = &fieldReader{}
		}
		r = r.members[key]
	}
	return r
}

// EachStream calls f for each stream in the list. The stream is valid only until f returns. If EachStream returns an error, f may
// have been called for some streams.
func (c *client) EachStream(ctx context.Context, query *streamQuery, f func(*stream)) error {
	s := &c.stream
	return c.pages(ctx, c.list, apiStreams, "streams", query.Fields, func() error {
		s.reset()
		if err := query.root.read(s, c.list); err != nil {
			return err
		}
		if len(s.Name) > 0 {
			s.fill(&s.older)
			f(s)
		}
		return nil
	})
}

// read reads a member of a stream, or the stream itself.
func (m *fieldReader) read(s *stream, r *jsonwalk.Reader) error {
	switch {
	case m.text != nil:
		text := m.text(s)
		var err error
		*text, err = r.Str(*text)
		return err
	case m.list != nil:
		return m.list(s, r)
	case m.flag:
		var v optional.Value[bool]
		err := r.Bool(&v)
		if on, ok := v.Get(); ok {
			s.set(m.source.field, float64(rows.BoolToInt(on)), m.rank)
		}
		return err
	case m.rank > 0:
		var v number
		err := r.Float(&v)
		if n, ok := v.Get(); ok {
			s.set(m.source.field, n, m.rank)
		}
		return err
	}
	if m.stats {
		s.HasStats = !r.IsNull()
	}
	return r.Object(func(key []byte) error {
		if member := m.members[string(key)]; member != nil {
			return member.read(s, r)
		}
		return m.readEntry(s, r, key)
	})
}

// readEntry reads a number whose name the server chooses.
func (m *fieldReader) readEntry(s *stream, r *jsonwalk.Reader, key []byte) error {
	if m.has == nil || !m.has(key) || len(s.Entries) == maxEntries {
		return r.Skip()
	}
	return r.Float(addEntry(&s.Entries, m.group, m.name, key))
}

// addEntry adds an entry, whose name consists of two parts, and returns its value to be set.
func addEntry[A, B string | []byte](all *[]entry, group streamGroup, prefix A, key B) *number {
	*all = next(*all)
	e := &(*all)[len(*all)-1]
	e.Group, e.Value = group, number{}
	e.Name = append(append(e.Name[:0], prefix...), key...)
	return &e.Value
}

func (s *stream) readRunningOn(r *jsonwalk.Reader) error {
	return r.Array(func() (err error) {
		if len(s.RunningOn) == maxEntries {
			return r.Skip()
		}
		s.RunningOn = next(s.RunningOn)
		last := &s.RunningOn[len(s.RunningOn)-1]
		*last, err = r.Str(*last)
		return err
	})
}

// readPIDs reads the errors of all packet identifiers, which become entries, and their sums.
func (s *stream) readPIDs(r *jsonwalk.Reader) error {
	return r.Objects(func() error {
		var pid number
		var errs [len(pidErrors)]number
		err := r.Object(func(key []byte) error {
			if string(key) == "pid" {
				return r.Float(&pid)
			}
			for i, name := range pidErrors {
				if string(key) == name {
					return r.Float(&errs[i])
				}
			}
			return r.Skip()
		})
		for i, name := range pidErrors {
			n, ok := errs[i].Get()
			switch {
			case !ok:
				continue
			case n < 0:
				r.NoteWrong()
				continue
			case i < len(pidSums):
				s.add(pidSums[i], n)
			}
			s.addPIDError(pid, name, n)
		}
		return err
	})
}

// addPIDError adds an entry for an error of a packet identifier.
func (s *stream) addPIDError(pid number, name string, n float64) {
	id, ok := pid.Get()
	if whole, isWhole := rows.ToWhole(id); ok && isWhole && len(s.Entries) < maxEntries {
		s.pid = append(strconv.AppendInt(s.pid[:0], whole, 10), '.')
		*addEntry(&s.Entries, groupPIDs, s.pid, name) = optional.Of(n)
	}
}

func (p *parts) readInputs(r *jsonwalk.Reader) error {
	i := 0
	return r.Objects(func() error {
		if i == maxParts {
			p.InputsOver++
			return r.Skip()
		}
		one := p.input(i)
		i++
		return eachStat(r, func(key []byte) error {
			switch string(key) {
			case "active":
				return r.Bool(&one.Active)
			case "bytes":
				return r.Float(&one.Bytes)
			case "retries":
				return r.Float(&one.Retries)
			case "errors":
				return r.Float(&one.Errors)
			case "ts_delay":
				return r.Float(&one.FrameDelay)
			case "opened_at":
				return r.Float(&one.OpenedAt)
			}
			return r.Skip()
		})
	})
}

func (p *parts) readPushes(r *jsonwalk.Reader) error {
	i := 0
	return r.Objects(func() error {
		if i == maxParts {
			p.PushesOver++
			return r.Skip()
		}
		one := p.push(i)
		i++
		return eachStat(r, func(key []byte) (err error) {
			switch string(key) {
			case "status":
				one.Status, err = r.Str(one.Status)
				return err
			case "bytes":
				return r.Float(&one.Bytes)
			case "pusher_restarts":
				return r.Float(&one.Restarts)
			case "retries":
				return r.Float(&one.Retries)
			case "opened_at":
				return r.Float(&one.OpenedAt)
			}
			if !isError(key) || len(one.Errors) == maxParts {
				return r.Skip()
			}
			return r.Float(addEntry(&one.Errors, groupPushErrors, "", key))
		})
	})
}

func (s *stream) readTracks(r *jsonwalk.Reader) error {
	return r.Objects(func() error {
		return r.Object(func(key []byte) (err error) {
			if string(key) != "content" || len(s.Tracks) == maxEntries {
				return r.Skip()
			}
			s.Tracks = next(s.Tracks)
			last := &s.Tracks[len(s.Tracks)-1]
			*last, err = r.Str(*last)
			return err
		})
	})
}

// eachStat calls member for the members of an input or a push, which may be nested in stats.
func eachStat(r *jsonwalk.Reader, member func(key []byte) error) error {
	return r.Object(func(key []byte) error {
		if string(key) == "stats" {
			return r.Object(member)
		}
		return member(key)
	})
}
