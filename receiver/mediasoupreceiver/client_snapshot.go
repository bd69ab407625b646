// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
)

// The schema that a snapshot must declare (snapshot.schema.json).
const (
	schemaName    = "mediasoup.snapshot"
	schemaVersion = 1
)

// Bounds on the contents of a response, far above what real applications have.
const (
	maxObjects  = 1_000_000 // per list
	maxCounters = 1000
	maxDots     = 2 // in the path of a counter
	// maxKept bounds the size in bytes of lists that are kept because they arrive before the lists to which they refer.
	maxKept = 64 << 20
)

// snapshot is a snapshot without its objects.
type snapshot struct {
	Schema        string
	SchemaVersion optional.Value[int64]
	InstanceID    string // random, changes when the application restarts
	AgentVersion  string
	Version       string                // of the library
	Binding       string                // language of the library
	Time          optional.Value[int64] // Unix time in milliseconds at the end of the collection
	Process       process
	Collection    collection
	Counters      map[string]int64      // since the start of the application, by path
	Servers       optional.Value[int64] // WebRTC servers
}

// process is the process of the application.
type process struct {
	PID       optional.Value[int64]
	StartTime optional.Value[int64]   // Unix time in milliseconds
	CPUUser   optional.Value[float64] // milliseconds
	CPUSystem optional.Value[float64] // milliseconds
	Memory    optional.Value[int64]   // resident bytes
	Lag       optional.Value[float64] // maximum delay of the event loop in milliseconds
	DelayP99  optional.Value[float64] // 99th percentile of the same
}

// collection holds the agent's results of collecting statistics. Its maps count objects by the names of their lists.
type collection struct {
	Present  bool
	Duration optional.Value[float64] // milliseconds
	Fresh    map[string]int64        // with new statistics
	Carried  map[string]int64        // with earlier statistics, for lack of time
	Skipped  map[string]int64        // without statistics, for lack of time
	Errors   map[string]int64        // failed
}

// visitor receives the contents of a snapshot as they are read: begin first, then parents before their children. Rows are valid only
// until the function returns.
type visitor struct {
	labels       []string // labels of routers to read
	begin        func(instanceID string)
	worker       func(*worker)
	router       func(*router)
	transport    func(*transport)
	producer     func(*rtpObject)
	consumer     func(*rtpObject)
	dataProducer func(*dataObject)
	dataConsumer func(*dataObject)
}

// walk reads one snapshot at a time. It reuses its rows.
type walk struct {
	reader   *jsonwalk.Reader
	visitor  *visitor
	snapshot snapshot
	begun    bool
	done     [listCount]bool
	kept     [listCount][]byte // lists that arrived before their parents
	size     int               // of kept

	worker    worker
	router    router
	transport transport
	rtp       rtpObject
	data      dataObject
}

// The lists of a snapshot in the order in which they are read. They may arrive in any order.
const (
	listWorkers = iota
	listServers
	listRouters
	listTransports
	listProducers
	listConsumers
	listDataProducers
	listDataConsumers
	listCount
	noParent = -1
)

// lists holds for each list the list to which its elements refer, and whether every snapshot must have it.
var lists = [listCount]struct {
	name     string
	parent   int
	required bool
	element  func(*walk) error // reads one element and passes it to visitor
}{
	listWorkers:       {"workers", noParent, true, (*walk).readWorker},
	listServers:       {"webRtcServers", noParent, false, (*walk).skip},
	listRouters:       {"routers", listWorkers, true, (*walk).readRouter},
	listTransports:    {"transports", listRouters, true, (*walk).readTransport},
	listProducers:     {"producers", listTransports, true, (*walk).readProducer},
	listConsumers:     {"consumers", listTransports, true, (*walk).readConsumer},
	listDataProducers: {"dataProducers", noParent, false, (*walk).readDataProducer},
	listDataConsumers: {"dataConsumers", noParent, false, (*walk).readDataConsumer},
}

func (w *walk) read(body io.Reader, visitor *visitor) error {
	*w = walk{reader: w.reader, visitor: visitor, worker: w.worker, router: w.router, transport: w.transport, rtp: w.rtp, data: w.data}
	w.reader.Reset(body)
	if err := w.reader.Object(w.member); err != nil {
		return err
	}
	wrong := w.reader.Err()
	if err := w.begin(); err != nil {
		return err
	}
	for list, kept := range w.kept {
		if kept == nil {
			continue
		}
		w.reader.Reset(bytes.NewReader(append(kept, ']')))
		if err := w.elements(list); err != nil {
			return err
		}
		if wrong == nil {
			wrong = w.reader.Err()
		}
	}
	return w.complete(wrong)
}

// complete returns an error if a required part of the snapshot is missing.
func (w *walk) complete(wrong error) error {
	members, _ := errors.AsType[*jsonwalk.TypeError](wrong)
	if members != nil && slices.Contains(members.Members, "stats") {
		return errors.New("the member stats is of a wrong type")
	}
	for list, l := range lists {
		switch {
		case l.required && !w.done[list]:
			return fmt.Errorf("no member %s", l.name)
		case members != nil && slices.Contains(members.Members, l.name):
			return fmt.Errorf("the member %s is of a wrong type", l.name)
		}
	}
	return wrong
}

func (w *walk) member(key []byte) error {
	for list := range lists {
		switch {
		case lists[list].name != string(key):
		case w.ready(list):
			if err := w.begin(); err != nil {
				return err
			}
			return w.elements(list)
		default:
			return w.keep(list)
		}
	}
	s := &w.snapshot
	switch string(key) {
	case "schema":
		return w.reader.Text(&s.Schema)
	case "schemaVersion":
		return w.reader.Int(&s.SchemaVersion)
	case "instanceId":
		return w.reader.Text(&s.InstanceID)
	case "agent":
		return w.reader.Texts(map[string]*string{"version": &s.AgentVersion})
	case "mediasoup":
		return w.reader.Texts(map[string]*string{"version": &s.Version, "binding": &s.Binding})
	case "timeUnixMs":
		return readCount(w.reader, &s.Time)
	case "process":
		return s.Process.read(w.reader)
	case "collection":
		return s.Collection.read(w.reader)
	case "counters":
		s.Counters = map[string]int64{}
		return readCounters(w.reader, "", s.Counters)
	}
	return w.reader.Skip()
}

// ready reports whether everything on which a list depends has been read.
func (w *walk) ready(list int) bool {
	parent := lists[list].parent
	_, versioned := w.snapshot.SchemaVersion.Get()
	return w.snapshot.Schema != "" && versioned && w.snapshot.InstanceID != "" && (parent == noParent || w.done[parent])
}

// begin checks the schema of the snapshot once, before any object is passed on.
func (w *walk) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	version, versioned := w.snapshot.SchemaVersion.Get()
	refused := &httpapi.Error{Kind: httpapi.KindDecode}
	switch {
	case w.snapshot.Schema != schemaName:
		refused.Text = fmt.Sprintf("no snapshot of mediasoup: the member schema is %.100q", w.snapshot.Schema)
	case !versioned:
		refused.Text = "no member schemaVersion"
	case version != schemaVersion:
		refused.Text = fmt.Sprintf("version %d of the snapshot, and this collector knows version %d", version, schemaVersion)
		refused.Hint = "update the collector"
		if version < schemaVersion {
			refused.Hint = "update the agent in the application"
		}
	case w.snapshot.InstanceID == "":
		refused.Text = "no member instanceId"
	default:
		w.visitor.begin(w.snapshot.InstanceID)
		return nil
	}
	return refused
}

// keep copies a list that arrived before the lists on which it depends.
func (w *walk) keep(list int) error {
	kept := []byte{'['}
	defer func() { w.kept[list] = kept }()
	return w.reader.Array(func() error {
		raw, err := w.reader.Raw()
		if err != nil {
			return err
		}
		if w.size += len(raw); w.size > maxKept {
			return &jsonwalk.SizeError{What: fmt.Sprintf("more than %d MiB of the snapshot come before what they refer to", maxKept>>20)}
		}
		if len(kept) > 1 {
			kept = append(kept, ',')
		}
		kept = append(kept, raw...)
		return nil
	})
}

// elements reads the elements of a list.
func (w *walk) elements(list int) error {
	n := int64(0)
	err := w.reader.Objects(func() error {
		if n++; n > maxObjects {
			return &jsonwalk.SizeError{What: fmt.Sprintf("more than %d %s", maxObjects, lists[list].name)}
		}
		return lists[list].element(w)
	})
	w.done[list] = true
	if list == listServers {
		w.snapshot.Servers = optional.Of(n)
	}
	return err
}

func (w *walk) skip() error { return w.reader.Skip() }

func (p *process) read(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "pid":
			return readCount(r, &p.PID)
		case "startTimeUnixMs":
			return readCount(r, &p.StartTime)
		case "cpuUserMs":
			return readNumber(r, &p.CPUUser)
		case "cpuSystemMs":
			return readNumber(r, &p.CPUSystem)
		case "rssBytes":
			return readCount(r, &p.Memory)
		case "eventLoopLagMs":
			return readNumber(r, &p.Lag)
		case "eventLoopDelayP99Ms":
			return readNumber(r, &p.DelayP99)
		}
		return r.Skip()
	})
}

func (c *collection) read(r *jsonwalk.Reader) error {
	c.Present = true
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "durationMs":
			return readNumber(r, &c.Duration)
		case "fresh":
			return readCounts(r, &c.Fresh)
		case "carried":
			return readCounts(r, &c.Carried)
		case "skipped":
			return readCounts(r, &c.Skipped)
		case "errors":
			return readCounts(r, &c.Errors)
		}
		return r.Skip()
	})
}

// readCounts reads an object of integers.
func readCounts(r *jsonwalk.Reader, counts *map[string]int64) error {
	*counts = map[string]int64{}
	return r.Object(func(key []byte) error { return readCounterTo(r, string(key), *counts) })
}

// groupedCounters are the counters that are objects, with an integer or an object of integers for each group.
var groupedCounters = []string{"transportsCreatedByType", "transportsClosedByType", "transportsFailed", "producersStarted", "producerStartMs"}

// readCounters reads the counters of a snapshot. Those of a group are named by their path, such as transportsCreatedByType.webrtc.
func readCounters(r *jsonwalk.Reader, path string, counters map[string]int64) error {
	return r.Object(func(key []byte) error {
		name := path + string(key)
		grouped := path != "" || slices.Contains(groupedCounters, name)
		if grouped && r.IsObject() && strings.Count(name, ".") < maxDots {
			return readCounters(r, name+".", counters)
		}
		return readCounterTo(r, name, counters)
	})
}

func readCounterTo(r *jsonwalk.Reader, name string, counters map[string]int64) error {
	if len(counters) == maxCounters {
		return jsonwalk.TooMany("counters", maxCounters)
	}
	var n optional.Value[int64]
	err := readCount(r, &n)
	if n, ok := n.Get(); ok {
		counters[name] = n
	}
	return err
}
