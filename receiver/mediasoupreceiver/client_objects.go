// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"math"
	"slices"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
)

// maxStreams bounds the streams of one producer or consumer. There is one stream per encoding.
const maxStreams = 64

// The resource usage of a worker, as in getrusage.
const (
	usageUserTime    = iota // milliseconds
	usageSystemTime         // milliseconds
	usagePeakMemory         // KiB
	usageMinorFaults        // counts, as all that follow
	usageMajorFaults
	usageBlockReads
	usageBlockWrites
	usageVoluntarySwitches
	usageInvoluntarySwitches
	usageCount
)

var usageNames = [usageCount]string{
	usageUserTime: "ru_utime", usageSystemTime: "ru_stime", usagePeakMemory: "ru_maxrss",
	usageMinorFaults: "ru_minflt", usageMajorFaults: "ru_majflt", usageBlockReads: "ru_inblock", usageBlockWrites: "ru_oublock",
	usageVoluntarySwitches: "ru_nvcsw", usageInvoluntarySwitches: "ru_nivcsw",
}

// worker is a worker process of mediasoup.
type worker struct {
	ID         []byte
	StartTime  optional.Value[int64] // Unix time in milliseconds
	Measured   bool                  // has statistics
	Carried    bool                  // statistics are from an earlier snapshot
	Memory     optional.Value[int64] // resident bytes
	Responsive optional.Value[bool]
	Usage      [usageCount]optional.Value[int64]
}

// router is a group of transports that exchange media: a room, or a part of one.
type router struct {
	ID, WorkerID []byte
	StartTime    optional.Value[int64] // Unix time in milliseconds
	Observers    optional.Value[int64]
	Labels       []optional.Value[string] // those that the visitor names
}

// The counters of a transport, in bytes since its creation. The worker counts the rtp ones elsewhere, so they may exceed the bytes of
// all packets.
const (
	transportReceived = iota
	transportSent
	transportRTPReceived
	transportRTPSent
	transportRTXReceived
	transportRTXSent
	transportProbationSent
	transportCounters
)

// The two directions, from the server's point of view.
const (
	received = iota
	sent
	directions
)

// transport is a connection to a peer or to another router.
type transport struct {
	ID, RouterID   []byte
	Type, Protocol []byte
	ICE, DTLS      []byte // states
	SCTP           []byte // state
	Measured       bool   // has statistics
	Carried        bool   // statistics are from an earlier snapshot
	Counters       [transportCounters]int64
	Bitrate        [directions]optional.Value[int64]   // bits per second
	Available      [directions]optional.Value[int64]   // estimated bits per second
	Loss           [directions]optional.Value[float64] // ratio of lost RTP packets, 0 to 1
}

// The counters of a stream since its creation.
const (
	streamBytes = iota
	streamPackets
	streamLost   // may fall and be negative
	streamLosses // the increases of streamLost
	streamRetransmitted
	streamDiscarded
	streamRepaired
	streamNACKs
	streamNACKedPackets
	streamPLIs
	streamFIRs
	streamCounters
)

// rtpStream is one RTP stream of a producer or consumer.
type rtpStream struct {
	SSRC          optional.Value[int64]
	Counters      [streamCounters]int64
	Bitrate       optional.Value[int64]   // bits per second
	FractionLost  optional.Value[int64]   // in 1/256, in the last RTCP interval
	Score         optional.Value[int64]   // 0 to 10
	Jitter        optional.Value[float64] // in units of the clock rate
	RoundTripTime optional.Value[float64] // milliseconds, 0 if unknown
}

// rtpObject is a producer or consumer. Its ID is unique only within its transport.
type rtpObject struct {
	ID, TransportID   []byte
	Kind, Type        []byte
	MimeType          []byte // such as video/VP8
	ClockRate         optional.Value[int64]
	Paused            optional.Value[bool]
	ProducerPaused    optional.Value[bool] // for consumers
	Spatial, Temporal optional.Value[int64]
	Measured          bool // has statistics
	Carried           bool // statistics are from an earlier snapshot
	Streams           []rtpStream

	foreign   string // type of streams to skip, because they belong to the other side
	statsType []byte // of the current stream
}

// The counters of a data producer or data consumer since its creation.
const (
	dataMessages = iota
	dataBytes
	dataCounters
)

// dataObject is a data producer or data consumer. Its ID is unique only within its transport.
type dataObject struct {
	ID, TransportID []byte
	Type            []byte
	Measured        bool // has statistics
	Carried         bool // statistics are from an earlier snapshot
	Counters        [dataCounters]int64
	Buffered        optional.Value[int64] // bytes waiting to be sent
}

// The largest values of a stream.
const (
	maxScore        = 10
	maxFractionLost = 255
)

// maxExact is the largest integer that JavaScript represents exactly.
const maxExact = 1<<53 - 1

// readCount reads an integer. Numbers below 0 or above maxExact are skipped.
func readCount(r *jsonwalk.Reader, n *optional.Value[int64]) error {
	return readWithin(r, n, 0, maxExact)
}

// readWithin reads an integer. Numbers below least or above most are skipped.
func readWithin(r *jsonwalk.Reader, n *optional.Value[int64], least, most int64) error {
	var value optional.Value[int64]
	err := r.Int(&value)
	switch v, ok := value.Get(); {
	case ok && v >= least && v <= most:
		*n = value
	case ok:
		r.NoteWrong()
	}
	return err
}

// readNumber is like readCount for numbers that may have a fraction.
func readNumber(r *jsonwalk.Reader, n *optional.Value[float64]) error {
	var value optional.Value[float64]
	err := r.Float(&value)
	switch v, ok := value.Get(); {
	case ok && v >= 0 && v <= maxExact:
		*n = value
	case ok:
		r.NoteWrong()
	}
	return err
}

// readCounter is like readWithin for counters, whose absence is cumulative.Absent.
func readCounter(r *jsonwalk.Reader, n *int64, least int64) error {
	var value optional.Value[int64]
	err := readWithin(r, &value, least, maxExact)
	if v, ok := value.Get(); ok {
		*n = v
	}
	return err
}

// absent marks all counters as absent.
func absent(counters []int64) {
	for i := range counters {
		counters[i] = cumulative.Absent
	}
}

func (w *walk) readWorker() error {
	r, row := w.reader, &w.worker
	*row = worker{ID: row.ID[:0]}
	err := r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			row.ID, err = r.Str(row.ID)
		case "startTimeUnixMs":
			err = readCount(r, &row.StartTime)
		case "statsAgeMs":
			row.Carried, err = true, r.Skip()
		case "rssBytes":
			err = readCount(r, &row.Memory)
		case "responsive":
			err = r.Bool(&row.Responsive)
		case "resourceUsage":
			row.Measured = true
			err = r.Object(func(key []byte) error {
				for i, name := range usageNames {
					if name == string(key) {
						return readCount(r, &row.Usage[i])
					}
				}
				return r.Skip()
			})
		default:
			err = r.Skip()
		}
		return err
	})
	if err == nil && len(row.ID) > 0 {
		w.visitor.worker(row)
	}
	return err
}

func (w *walk) readRouter() error {
	r, row := w.reader, &w.router
	*row = router{ID: row.ID[:0], WorkerID: row.WorkerID[:0], Labels: row.Labels[:0]}
	for range w.visitor.labels {
		row.Labels = append(row.Labels, optional.Value[string]{})
	}
	err := r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			row.ID, err = r.Str(row.ID)
		case "workerId":
			row.WorkerID, err = r.Str(row.WorkerID)
		case "startTimeUnixMs":
			err = readCount(r, &row.StartTime)
		case "rtpObservers":
			err = readCount(r, &row.Observers)
		case "labels":
			err = row.readLabels(r, w.visitor.labels)
		default:
			err = r.Skip()
		}
		return err
	})
	if err == nil && len(row.ID) > 0 {
		w.visitor.router(row)
	}
	return err
}

// readLabels reads the labels with the given names. Values that are not strings are skipped.
func (row *router) readLabels(r *jsonwalk.Reader, names []string) error {
	return r.Object(func(key []byte) error {
		i := slices.Index(names, string(key))
		if i < 0 || !r.IsText() {
			return r.Skip()
		}
		value, err := r.Str(nil)
		row.Labels[i] = optional.Of(string(value))
		return err
	})
}

func (w *walk) readTransport() error {
	r, row := w.reader, &w.transport
	*row = transport{
		ID: row.ID[:0], RouterID: row.RouterID[:0], Type: row.Type[:0], Protocol: row.Protocol[:0],
		ICE: row.ICE[:0], DTLS: row.DTLS[:0], SCTP: row.SCTP[:0],
	}
	absent(row.Counters[:])
	err := r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			row.ID, err = r.Str(row.ID)
		case "routerId":
			row.RouterID, err = r.Str(row.RouterID)
		case "type":
			row.Type, err = r.Str(row.Type)
		case "protocol":
			row.Protocol, err = r.Str(row.Protocol)
		case "state":
			err = row.readState(r)
		case "stats":
			row.Measured = true
			err = row.readStats(r)
		case "statsAgeMs":
			row.Carried, err = true, r.Skip()
		default:
			err = r.Skip()
		}
		return err
	})
	if err == nil && len(row.ID) > 0 {
		w.visitor.transport(row)
	}
	return err
}

func (t *transport) readState(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "ice":
			t.ICE, err = r.Str(t.ICE)
		case "dtls":
			t.DTLS, err = r.Str(t.DTLS)
		case "sctp":
			t.SCTP, err = r.Str(t.SCTP)
		default:
			err = r.Skip()
		}
		return err
	})
}

func (t *transport) readStats(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "recvBitrate":
			return readCount(r, &t.Bitrate[received])
		case "sendBitrate":
			return readCount(r, &t.Bitrate[sent])
		case "availableIncomingBitrate":
			return readCount(r, &t.Available[received])
		case "availableOutgoingBitrate":
			return readCount(r, &t.Available[sent])
		case "rtpPacketLossReceived":
			return readNumber(r, &t.Loss[received])
		case "rtpPacketLossSent":
			return readNumber(r, &t.Loss[sent])
		case "bytesReceived":
			return readCounter(r, &t.Counters[transportReceived], 0)
		case "bytesSent":
			return readCounter(r, &t.Counters[transportSent], 0)
		case "rtpBytesReceived":
			return readCounter(r, &t.Counters[transportRTPReceived], 0)
		case "rtpBytesSent":
			return readCounter(r, &t.Counters[transportRTPSent], 0)
		case "rtxBytesReceived":
			return readCounter(r, &t.Counters[transportRTXReceived], 0)
		case "rtxBytesSent":
			return readCounter(r, &t.Counters[transportRTXSent], 0)
		case "probationBytesSent":
			return readCounter(r, &t.Counters[transportProbationSent], 0)
		}
		return r.Skip()
	})
}

// An agent may pass on the library's statistics unchanged. The statistics of a consumer then include the streams of its producer.
func (w *walk) readProducer() error { return w.readRTP(w.visitor.producer, "outbound-rtp") }

func (w *walk) readConsumer() error { return w.readRTP(w.visitor.consumer, "inbound-rtp") }

// readRTP reads a producer or consumer, without streams of the type foreign.
func (w *walk) readRTP(visit func(*rtpObject), foreign string) error {
	r, row := w.reader, &w.rtp
	*row = rtpObject{
		ID: row.ID[:0], TransportID: row.TransportID[:0], Kind: row.Kind[:0], Type: row.Type[:0], MimeType: row.MimeType[:0],
		foreign: foreign, statsType: row.statsType[:0], Streams: row.Streams[:0],
	}
	err := r.Object(func(key []byte) error { return row.readMember(r, key) })
	if err == nil && len(row.ID) > 0 && len(row.TransportID) > 0 {
		visit(row)
	}
	return err
}

func (o *rtpObject) readMember(r *jsonwalk.Reader, key []byte) (err error) {
	switch string(key) {
	case "id":
		o.ID, err = r.Str(o.ID)
	case "transportId":
		o.TransportID, err = r.Str(o.TransportID)
	case "kind":
		o.Kind, err = r.Str(o.Kind)
	case "type":
		o.Type, err = r.Str(o.Type)
	case "mimeType":
		o.MimeType, err = r.Str(o.MimeType)
	case "clockRate":
		err = readCount(r, &o.ClockRate)
	case "paused":
		err = r.Bool(&o.Paused)
	case "producerPaused":
		err = r.Bool(&o.ProducerPaused)
	case "currentLayers":
		err = o.readLayers(r)
	case "stats":
		o.Measured = true
		err = r.Objects(func() error { return o.readStream(r) })
	case "statsAgeMs":
		o.Carried, err = true, r.Skip()
	default:
		err = r.Skip()
	}
	return err
}

func (o *rtpObject) readLayers(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "spatialLayer":
			return readCount(r, &o.Spatial)
		case "temporalLayer":
			return readCount(r, &o.Temporal)
		}
		return r.Skip()
	})
}

func (o *rtpObject) readStream(r *jsonwalk.Reader) error {
	if len(o.Streams) == maxStreams {
		return jsonwalk.TooMany("streams of one producer or consumer", maxStreams)
	}
	o.Streams, o.statsType = append(o.Streams, rtpStream{}), o.statsType[:0]
	last := len(o.Streams) - 1
	err := o.readStats(r, &o.Streams[last])
	if string(o.statsType) == o.foreign {
		o.Streams = o.Streams[:last]
	}
	return err
}

func (o *rtpObject) readStats(r *jsonwalk.Reader, s *rtpStream) error {
	absent(s.Counters[:])
	return r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "type":
			o.statsType, err = r.Str(o.statsType)
			return err
		case "ssrc":
			return readCount(r, &s.SSRC)
		case "bitrate":
			return readCount(r, &s.Bitrate)
		case "fractionLost":
			return readWithin(r, &s.FractionLost, 0, maxFractionLost)
		case "score":
			return readWithin(r, &s.Score, 0, maxScore)
		case "jitter":
			return readNumber(r, &s.Jitter)
		case "roundTripTime":
			return readNumber(r, &s.RoundTripTime)
		case "byteCount":
			return readCounter(r, &s.Counters[streamBytes], 0)
		case "packetCount":
			return readCounter(r, &s.Counters[streamPackets], 0)
		case "packetsLost":
			return readCounter(r, &s.Counters[streamLost], math.MinInt32)
		case "packetsRetransmitted":
			return readCounter(r, &s.Counters[streamRetransmitted], 0)
		case "packetsDiscarded":
			return readCounter(r, &s.Counters[streamDiscarded], 0)
		case "packetsRepaired":
			return readCounter(r, &s.Counters[streamRepaired], 0)
		case "nackCount":
			return readCounter(r, &s.Counters[streamNACKs], 0)
		case "nackPacketCount":
			return readCounter(r, &s.Counters[streamNACKedPackets], 0)
		case "pliCount":
			return readCounter(r, &s.Counters[streamPLIs], 0)
		case "firCount":
			return readCounter(r, &s.Counters[streamFIRs], 0)
		}
		return r.Skip()
	})
}

func (w *walk) readDataProducer() error {
	return w.readData(w.visitor.dataProducer, "messagesReceived", "bytesReceived")
}

func (w *walk) readDataConsumer() error {
	return w.readData(w.visitor.dataConsumer, "messagesSent", "bytesSent")
}

func (w *walk) readData(visit func(*dataObject), messages, bytes string) error {
	r, row := w.reader, &w.data
	*row = dataObject{ID: row.ID[:0], TransportID: row.TransportID[:0], Type: row.Type[:0]}
	absent(row.Counters[:])
	err := r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			row.ID, err = r.Str(row.ID)
		case "transportId":
			row.TransportID, err = r.Str(row.TransportID)
		case "type":
			row.Type, err = r.Str(row.Type)
		case "stats":
			row.Measured = true
			err = r.Object(func(key []byte) error {
				switch string(key) {
				case messages:
					return readCounter(r, &row.Counters[dataMessages], 0)
				case bytes:
					return readCounter(r, &row.Counters[dataBytes], 0)
				case "bufferedAmount":
					return readCount(r, &row.Buffered)
				}
				return r.Skip()
			})
		case "statsAgeMs":
			row.Carried, err = true, r.Skip()
		default:
			err = r.Skip()
		}
		return err
	})
	if err == nil && len(row.ID) > 0 && len(row.TransportID) > 0 {
		visit(row)
	}
	return err
}
