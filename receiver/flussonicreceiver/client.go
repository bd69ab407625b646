// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// The calls that the client makes, those of API v3 by their path below it. None of them changes the server, and none of their
// answers holds passwords, as that of config does. The wire: https://flussonic.com/doc/api/reference/.
const (
	apiStats     = "config/stats"
	apiStreams   = "streams"
	apiDVRs      = "dvrs"
	apiCards     = "dvb_cards"
	apiSessions  = "sessions"
	apiFiles     = "vods/opened_files"
	apiPeers     = "cluster/peers"
	apiPage      = "/flussonic/api/metrics" // the Prometheus page, since 21.05
	apiOldServer = "/flussonic/api/server"  // of servers before API v3

	apiPath = "/streamer/api/v3/"
)

// Bounds on what an answer may list, far above what a server can have.
const (
	maxItems   = 200_000
	maxPages   = 1000
	maxDevices = 1000
	// maxEntries bounds the numbers with names of the server's own that are kept of one stream.
	maxEntries = 1000
	// maxParts bounds the inputs, and the pushes, that are kept of one stream.
	maxParts = 100
	// safePageSize is taken by servers that refuse larger pages.
	safePageSize = 100
)

// serverField is a number of the server as a whole, the same whatever the source.
type serverField int

const (
	serverBandwidth     serverField = iota // percent, as cpu, memory and scheduler
	serverCPU                              //
	serverMemory                           //
	serverScheduler                        //
	serverClients                          //
	serverStreams                          //
	serverOnlineStreams                    //
	serverOpenFiles                        //
	serverInput                            // kbit/s, as output
	serverOutput                           //
	serverStarted                          // Unix time
	serverUptime                           // seconds
	serverNow                              // Unix time in milliseconds
	serverDrops                            // events, as resends
	serverResends                          //
	serverFields
)

// serverPaths are the numbers of config/stats and of the old server page.
var serverPaths = map[string]serverField{
	"bandwidth_usage":       serverBandwidth,
	"cpu_usage":             serverCPU,
	"memory_usage":          serverMemory,
	"scheduler_load":        serverScheduler,
	"total_clients":         serverClients,
	"total_streams":         serverStreams,
	"online_streams":        serverOnlineStreams,
	"opened_files":          serverOpenFiles,
	"input_kbit":            serverInput,
	"output_kbit":           serverOutput,
	"started_at":            serverStarted,
	"uptime":                serverUptime,
	"now":                   serverNow,
	"events.dropped_events": serverDrops,
	"events.resent_events":  serverResends,
}

// number is a number that a server may leave out.
type number = optional.Value[float64]

// identity holds texts that identify the server, empty where it does not report them.
type identity struct{ Version, Build, Hostname, ID string }

// server is an answer about the server as a whole.
type server struct {
	identity
	State         string
	Numbers       [serverFields]number
	Alerts        number
	ConfigInvalid optional.Value[bool]
	Disks         []disk
	GPUs          []gpu
	Cards         []card     // of the page only; API v3 has a call for them
	Interfaces    []ethernet // of the page only
	DVRDisks      []dvrDisk  // of the page only, without the name of their DVR

	places map[devicePlace]int // of the page's devices in these lists
}

// disk is a mounted file system.
type disk struct {
	Path             string // API v3 shows slashes as underscores
	Bytes, Mebibytes number // its size, in either unit
	Usage, Busy      number // percent
}

// gpu is a device that transcodes.
type gpu struct {
	ID, Name                      string
	Decoder, Encoder, Temperature number // percent, percent, degrees Celsius
	MemoryUsed, MemoryTotal       number // in the same unit, whichever that is
}

// card is a DVB card.
type card struct {
	Name                    string
	Strength, SNR, BitError number // percent
	Locked                  optional.Value[bool]
}

// ethernet is a network interface.
type ethernet struct {
	Name               string
	Received, Transmit number // bytes
}

// dvr is an archive that streams are recorded to.
type dvr struct {
	Name              string
	Size, Used, Usage number            // bytes, bytes, percent
	Errors            map[string]number // write_errors, drop_write_count ...
	Disks             []dvrDisk
}

// dvrDisk is a disk of a DVR.
type dvrDisk struct {
	Path    string
	Mounted optional.Value[bool]
	Busy    number // percent
}

// session is a group of sessions that are alike.
type session struct {
	Protocol, Type string
	DVR            bool
}

// sessions counts sessions by what they are alike in.
type sessions struct {
	Counts map[session]int64
	Over   int64 // in groups over the bound
}

// client speaks the HTTP APIs of a Flussonic server: it knows the wire, not what becomes of it.
type client struct {
	http     *httpapi.Client
	list     *jsonwalk.Reader // of the streams, which are read by one call at a time
	readers  sync.Pool        // of *jsonwalk.Reader, for all other calls
	page     *exposition.Reader
	samples  streamSamples // of the page that was read last
	stream   stream        // reused from one to the next
	pageSize atomic.Int64
	serverID atomic.Value // string, as the last collection that had it reported it
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	httpClient, err := cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	h := httpapi.New(httpClient, cfg.ClientConfig.Endpoint)
	h.MaxBody = cfg.MaxResponseSize
	return newClientOf(h, cfg.PageSize), nil
}

func newClientOf(h *httpapi.Client, pageSize int) *client {
	c := &client{
		http:    h,
		list:    jsonwalk.NewReader(),
		readers: sync.Pool{New: func() any { return jsonwalk.NewReader() }},
		page:    exposition.NewReader(),
	}
	c.http.System = httpapi.Flussonic
	c.pageSize.Store(int64(pageSize))
	return c
}

func (c *client) close() {
	c.http.CloseIdle()
}

// ServerID returns the identity that the server gave itself in a collection, empty before it did.
func (c *client) ServerID() string {
	id, _ := c.serverID.Load().(string)
	return id
}

// Stats requests the state of the server.
func (c *client) Stats(ctx context.Context) (server, error) {
	return c.server(ctx, apiStats)
}

// OldServer requests the state of a server that is older than API v3.
func (c *client) OldServer(ctx context.Context) (server, error) {
	return c.server(ctx, apiOldServer)
}

func (c *client) server(ctx context.Context, api string) (server, error) {
	var s server
	r := c.readers.Get().(*jsonwalk.Reader)
	defer c.readers.Put(r)
	told := 0
	err := c.get(ctx, r, api, nil, func(key []byte) error {
		known, err := s.read(r, key)
		if known {
			told++
		}
		return err
	})
	if told == 0 && (err == nil || scrape.IsPartial(err)) {
		return s, &httpapi.Error{Kind: httpapi.KindDecode, Text: "no member of the answer is one of Flussonic's"}
	}
	return s, err
}

// read reads a member, and reports whether it is one of Flussonic's.
func (s *server) read(r *jsonwalk.Reader, key []byte) (known bool, err error) {
	if field, isNumber := serverPaths[string(key)]; isNumber {
		return true, r.Float(&s.Numbers[field])
	}
	switch string(key) {
	case "server_version", "version":
		err = r.Text(&s.Version)
	case "build":
		err = readScalar(r, &s.Build)
	case "hostname":
		err = r.Text(&s.Hostname)
	case "streamer_status":
		err = r.Text(&s.State)
	case "text_alerts":
		err = s.readAlerts(r)
	case "config_error":
		err = s.readConfigError(r)
	case "events":
		err = s.readEvents(r)
	case "partitions":
		err = readDevices(r, &s.Disks, (*disk).read)
	case "transcoder_devices":
		err = readDevices(r, &s.GPUs, (*gpu).read)
	default: // license_txt among others
		return false, r.Skip()
	}
	return true, err
}

// readConfigError notes whether the configuration has an error.
func (s *server) readConfigError(r *jsonwalk.Reader) error {
	raw, err := r.Raw()
	s.ConfigInvalid = optional.Of(!slices.Contains([]string{"null", `""`, "{}", "[]", "false"}, string(bytes.TrimSpace(raw))))
	return err
}

func (s *server) readEvents(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		if field, known := serverPaths["events."+string(key)]; known {
			return r.Float(&s.Numbers[field])
		}
		return r.Skip()
	})
}

// readAlerts counts the alerts, which have names or stand in a list.
func (s *server) readAlerts(r *jsonwalk.Reader) error {
	raw, err := r.Raw()
	if err != nil {
		return err
	}
	var named map[string]json.RawMessage
	var listed []json.RawMessage
	switch {
	case json.Unmarshal(raw, &named) == nil && named != nil:
		s.Alerts = optional.Of(float64(len(named)))
	case json.Unmarshal(raw, &listed) == nil && listed != nil:
		s.Alerts = optional.Of(float64(len(listed)))
	}
	return nil
}

// readDevices reads a list of objects.
func readDevices[T any](r *jsonwalk.Reader, all *[]T, read func(*T, *jsonwalk.Reader) error) error {
	return r.Objects(func() error {
		if len(*all) == maxDevices {
			return jsonwalk.TooMany("devices", maxDevices)
		}
		var one T
		err := read(&one, r)
		*all = append(*all, one)
		return err
	})
}

// readScalar reads a string, or a number as it is written.
func readScalar(r *jsonwalk.Reader, s *string) error {
	raw, err := r.Raw()
	if err != nil {
		return err
	}
	switch raw = bytes.TrimSpace(raw); {
	case bytes.Equal(raw, []byte("null")), raw[0] == '{', raw[0] == '[':
		*s = ""
	case raw[0] == '"':
		return json.Unmarshal(raw, s)
	default:
		*s = string(raw)
	}
	return nil
}

func (d *disk) read(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "path":
			return r.Text(&d.Path)
		case "total_mb":
			return r.Float(&d.Mebibytes)
		case "usage":
			return r.Float(&d.Usage)
		case "io_util":
			return r.Float(&d.Busy)
		}
		return r.Skip()
	})
}

func (g *gpu) read(r *jsonwalk.Reader) error {
	kind := ""
	err := r.Object(func(key []byte) error {
		switch string(key) {
		case "type":
			return r.Text(&kind)
		case "id":
			return readScalar(r, &g.ID)
		case "name":
			return r.Text(&g.Name)
		case "gpu_dec":
			return r.Float(&g.Decoder)
		case "gpu_enc":
			return r.Float(&g.Encoder)
		case "gpu_temp":
			return r.Float(&g.Temperature)
		case "memUsed":
			return r.Float(&g.MemoryUsed)
		case "memTotal":
			return r.Float(&g.MemoryTotal)
		}
		return r.Skip()
	})
	if kind == "cpu" { // its numbers of a GPU are not its own
		*g = gpu{ID: g.ID, Name: g.Name}
	}
	return err
}

// Cards asks for the DVB cards.
func (c *client) Cards(ctx context.Context) ([]card, error) {
	var all []card
	err := c.devices(ctx, apiCards, "dvb_cards", "name,stats", func(r *jsonwalk.Reader) error {
		var one card
		err := one.read(r)
		all = append(all, one)
		return err
	})
	return all, err
}

func (d *card) read(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "name":
			return r.Text(&d.Name)
		case "stats":
			return r.Object(func(key []byte) error {
				switch string(key) {
				case "strength":
					return r.Float(&d.Strength)
				case "snr":
					return r.Float(&d.SNR)
				case "ber":
					return r.Float(&d.BitError)
				case "has_lock":
					return r.Bool(&d.Locked)
				}
				return r.Skip()
			})
		}
		return r.Skip()
	})
}

// DVRs asks for the archives.
func (c *client) DVRs(ctx context.Context) ([]dvr, error) {
	var all []dvr
	err := c.devices(ctx, apiDVRs, "dvrs", "name,stats,disks", func(r *jsonwalk.Reader) error {
		one := dvr{Errors: map[string]number{}}
		err := one.read(r)
		all = append(all, one)
		return err
	})
	return all, err
}

func (d *dvr) read(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "name":
			return r.Text(&d.Name)
		case "stats":
			return r.Object(func(key []byte) error {
				switch string(key) {
				case "size":
					return r.Float(&d.Size)
				case "used":
					return r.Float(&d.Used)
				case "usage":
					return r.Float(&d.Usage)
				case "errors":
					return r.Object(d.readError(r))
				}
				return r.Skip()
			})
		case "disks":
			return readDevices(r, &d.Disks, (*dvrDisk).read)
		}
		return r.Skip()
	})
}

func (d *dvr) readError(r *jsonwalk.Reader) func(key []byte) error {
	return func(key []byte) error {
		if len(d.Errors) == maxEntries {
			return r.Skip()
		}
		name := string(key)
		var n number
		err := r.Float(&n)
		d.Errors[name] = n
		return err
	}
}

func (d *dvrDisk) read(r *jsonwalk.Reader) error {
	return r.Object(func(key []byte) error {
		switch string(key) {
		case "path":
			return r.Text(&d.Path)
		case "stats":
			return r.Object(func(key []byte) error {
				switch string(key) {
				case "mounted":
					return r.Bool(&d.Mounted)
				case "io_usage":
					return r.Float(&d.Busy)
				}
				return r.Skip()
			})
		}
		return r.Skip()
	})
}

// Peers asks which other servers of the cluster this one reaches.
func (c *client) Peers(ctx context.Context) (map[string]bool, error) {
	peers := map[string]bool{}
	err := c.devices(ctx, apiPeers, "peers", "hostname,stats.streamer_status,stats.error", func(r *jsonwalk.Reader) error {
		name, hasStats, failed := "", false, false
		err := r.Object(func(key []byte) error {
			switch string(key) {
			case "hostname":
				return r.Text(&name)
			case "stats":
				return r.Object(func(key []byte) error {
					hasStats = true
					if string(key) != "error" {
						return r.Skip()
					}
					raw, err := r.Raw()
					failed = !bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
					return err
				})
			}
			return r.Skip()
		})
		if name != "" {
			peers[name] = hasStats && !failed
		}
		return err
	})
	return peers, err
}

// Sessions asks for the open sessions and counts them.
func (c *client) Sessions(ctx context.Context) (sessions, error) {
	all := sessions{Counts: map[session]int64{}}
	err := c.collect(ctx, apiSessions, "sessions", "proto,type,dvr", func(r *jsonwalk.Reader) error {
		var one session
		var archived optional.Value[bool]
		err := r.Object(func(key []byte) error {
			switch string(key) {
			case "proto":
				return r.Text(&one.Protocol)
			case "type":
				return r.Text(&one.Type)
			case "dvr":
				return r.Bool(&archived)
			}
			return r.Skip()
		})
		one.DVR, _ = archived.Get()
		switch _, known := all.Counts[one]; {
		case one.Protocol == "" || one.Type == "":
		case !known && len(all.Counts) == maxDevices:
			all.Over++
		default:
			all.Counts[one]++
		}
		return err
	})
	return all, err
}

// Files asks for the files that are open and returns their viewers by the prefix of their location.
func (c *client) Files(ctx context.Context) (map[string]float64, error) {
	viewers := map[string]float64{}
	err := c.collect(ctx, apiFiles, "files", "prefix,stats.client_count", func(r *jsonwalk.Reader) error {
		prefix, clients := "", number{}
		err := r.Object(func(key []byte) error {
			switch string(key) {
			case "prefix":
				return r.Text(&prefix)
			case "stats":
				return r.Object(func(key []byte) error {
					if string(key) == "client_count" {
						return r.Float(&clients)
					}
					return r.Skip()
				})
			}
			return r.Skip()
		})
		if n, ok := clients.Get(); ok && n >= 0 && prefix != "" {
			if _, known := viewers[prefix]; !known && len(viewers) == maxDevices {
				return jsonwalk.TooMany("prefixes", maxDevices)
			}
			viewers[prefix] += n
		}
		return err
	})
	return viewers, err
}

// devices walks over a collection that is small on every server.
func (c *client) devices(ctx context.Context, api, member, fields string, each func(*jsonwalk.Reader) error) error {
	n := 0
	return c.collect(ctx, api, member, fields, func(r *jsonwalk.Reader) error {
		if n++; n > maxDevices {
			return jsonwalk.TooMany(member, maxDevices)
		}
		return each(r)
	})
}

// collect walks over a collection; all of it or nothing.
func (c *client) collect(ctx context.Context, api, member, fields string, each func(*jsonwalk.Reader) error) error {
	r := c.readers.Get().(*jsonwalk.Reader)
	defer c.readers.Put(r)
	return c.pages(ctx, r, api, member, fields, func() error { return each(r) })
}

// pages walks over a collection page by page: https://flussonic.com/doc/api/reference/, collections. The estimated count
// is no reason to stop, because it may be wrong.
func (c *client) pages(ctx context.Context, r *jsonwalk.Reader, api, member, fields string, each func() error) error {
	query := url.Values{"limit": {""}, "select": {fields}}
	var partial error // the last answer with values of a wrong type
	seen := map[string]bool{}
	items := 0
	for page := 1; ; page++ {
		cursor, before, found := "", items, false
		err := c.onePage(ctx, r, api, query, func(key []byte) error {
			switch string(key) {
			case member:
				found = true
				return r.Objects(func() error {
					if items++; items > maxItems {
						return jsonwalk.TooMany(member, maxItems)
					}
					return each()
				})
			case "next":
				return readScalar(r, &cursor)
			case "server_id":
				return c.readServerID(r)
			}
			return r.Skip()
		})
		err = listError(err, member, found)
		switch {
		case scrape.IsPartial(err):
			partial = err
		case err != nil && page > 1:
			return fmt.Errorf("page %d: %w", page, err)
		case err != nil:
			return err
		}
		if cursor == "" || items == before {
			return partial
		}
		if seen[cursor] || page == maxPages {
			return fmt.Errorf("page %d: %w", page, endless(seen[cursor]))
		}
		seen[cursor] = true
		query.Set("cursor", cursor)
	}
}

// listError makes a failure of an answer that holds no list: nothing may be taken for gone because of it.
func listError(err error, member string, found bool) error {
	wrong, isWrong := errors.AsType[*jsonwalk.TypeError](err)
	switch {
	case err != nil && !isWrong:
		return err
	case !found:
		return &httpapi.Error{Kind: httpapi.KindDecode, Text: "the answer has no member " + member}
	case isWrong && slices.Contains(wrong.Members, member):
		return &httpapi.Error{Kind: httpapi.KindDecode, Text: "the member " + member + " is of a wrong type"}
	}
	return err
}

func endless(repeats bool) error {
	if repeats {
		return &httpapi.Error{Kind: httpapi.KindDecode, Text: "the cursor repeats, so that the list would never end"}
	}
	return &httpapi.Error{Kind: httpapi.KindTooLarge, Text: fmt.Sprintf("more than %d pages", maxPages), Hint: "raise the setting page_size"}
}

// tooLarge are the answers of servers that want smaller pages.
var tooLarge = []int{
	http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
	http.StatusUnprocessableEntity, http.StatusInternalServerError,
}

// onePage asks for one page, and once more for a smaller one when the server refuses; from then on all are small.
func (c *client) onePage(ctx context.Context, r *jsonwalk.Reader, api string, query url.Values, member func(key []byte) error) error {
	size := c.pageSize.Load()
	query.Set("limit", strconv.FormatInt(size, 10))
	err := c.get(ctx, r, api, query, member)
	refused, _ := errors.AsType[*httpapi.Error](err)
	if refused == nil || size <= safePageSize || !slices.Contains(tooLarge, refused.Status) {
		return err
	}
	query.Set("limit", strconv.Itoa(safePageSize))
	err = c.get(ctx, r, api, query, member)
	if err == nil || scrape.IsPartial(err) {
		c.pageSize.Store(safePageSize)
	}
	return err
}

func (c *client) readServerID(r *jsonwalk.Reader) error {
	var id string
	err := readScalar(r, &id)
	if id != "" && err == nil {
		c.serverID.Store(id)
	}
	return err
}

// get asks for one JSON object and hands its members to member.
func (c *client) get(ctx context.Context, r *jsonwalk.Reader, api string, query url.Values, member func(key []byte) error) error {
	path := api
	if !strings.HasPrefix(api, "/") {
		path = apiPath + api
	}
	return explain(c.http.Get(ctx, path, query, nil, func(_ http.Header, body io.Reader) error {
		r.Reset(body)
		if err := r.Object(member); err != nil {
			return err
		}
		return r.Err()
	}))
}

// explain says which rights are missing.
func explain(err error) error {
	if refused, ok := errors.AsType[*httpapi.Error](err); ok && refused.Kind == httpapi.KindAuth && refused.From == "" {
		refused.Hint = "check the setting auth: the server wants the user and password of view_auth or edit_auth"
	}
	return err
}

// isAbsent reports whether the server does not know a path.
func isAbsent(err error) bool {
	refused, ok := errors.AsType[*httpapi.Error](err)
	return ok && refused.Status == http.StatusNotFound && refused.From == ""
}
