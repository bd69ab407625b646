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

// The API calls that the client makes; for API v3, the path relative to apiPath. None of them changes the server, and none of their
// responses contains passwords, unlike that of config. Reference: https://flussonic.com/doc/api/reference/.
const (
	apiStats     = "config/stats"
	apiStreams   = "streams"
	apiDVRs      = "dvrs"
	apiCards     = "dvb_cards"
	apiSessions  = "sessions"
	apiFiles     = "vods/opened_files"
	apiPeers     = "cluster/peers"
	apiPage      = "/flussonic/api/metrics" // the Prometheus page, since 21.05
	apiOldServer = "/flussonic/api/server"  // for servers without API v3

	apiPath = "/streamer/api/v3/"
)

// Bounds on the items in a response, far above what real servers have.
const (
	maxItems   = 200_000
	maxPages   = 1000
	maxDevices = 1000
	// maxEntries bounds the entries that are kept of one stream.
	maxEntries = 1000
	// maxParts bounds the inputs and the pushes that are kept of one stream, and the types of errors of one push.
	maxParts = 100
	// safePageSize is a page size that servers accept if they refuse larger pages.
	safePageSize = 100
)

// serverField is a number of the server as a whole, independent of the source.
type serverField int

const (
	serverBandwidth     serverField = iota // percent, also cpu, memory and scheduler
	serverCPU                              //
	serverMemory                           //
	serverScheduler                        //
	serverClients                          //
	serverStreams                          //
	serverOnlineStreams                    //
	serverOpenFiles                        //
	serverInput                            // kbit/s, also output
	serverOutput                           //
	serverStarted                          // Unix time
	serverUptime                           // seconds
	serverNow                              // Unix time in milliseconds
	serverDrops                            // events, also resends
	serverResends                          //
	serverFields
)

// serverPaths maps the members of config/stats and of the old server API to fields.
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

// number is a number that a server may omit.
type number = optional.Value[float64]

// identity holds strings that identify the server, empty if not reported.
type identity struct{ Version, Build, Hostname, ID string }

// server is a response about the server as a whole.
type server struct {
	identity
	State         string
	Numbers       [serverFields]number
	Alerts        number
	ConfigInvalid optional.Value[bool]
	// ConfigExternal is the state of the configuration from an external backend; "" if there is none.
	ConfigExternal string
	Disks          []disk
	GPUs           []gpu
	Cards          []card     // on the page only; API v3 has a separate call
	Interfaces     []ethernet // on the page only
	DVRDisks       []dvrDisk  // on the page only, without the name of the DVR

	places map[devicePlace]int // positions of the page's devices in these lists
}

// disk is a mounted file system.
type disk struct {
	Path             string // API v3 replaces slashes by underscores
	Bytes, Mebibytes number // size, in one of the units
	Usage, Busy      number // percent
}

// gpu is a transcoding device.
type gpu struct {
	ID, Name                      string
	Decoder, Encoder, Temperature number // percent, percent, degrees Celsius
	MemoryUsed, MemoryTotal       number // both in the same, unspecified unit
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

// dvr is an archive to which streams are recorded.
type dvr struct {
	Name              string
	Size, Used, Usage number            // bytes, bytes, percent
	Errors            map[string]number // write_errors, drop_write_count ...
	Disks             []dvrDisk
}

// dvrDisk is a disk of a DVR.
type dvrDisk struct {
	Path, Status string
	Mounted      optional.Value[bool]
	Busy, Usage  number            // percent
	Errors       map[string]number // by type
}

// session holds the properties by which sessions are grouped.
type session struct {
	Protocol, Type string
	DVR            bool
}

// sessions holds the number of sessions in each group.
type sessions struct {
	Counts map[session]int64
	Over   int64 // sessions in groups beyond maxDevices
}

// client requests the HTTP APIs of a Flussonic server and decodes the responses.
type client struct {
	http     *httpapi.Client
	list     *jsonwalk.Reader // for the list of streams, which only one call at a time reads
	readers  sync.Pool        // of *jsonwalk.Reader, for all other calls
	page     *exposition.Reader
	samples  streamSamples // from the last page
	stream   stream        // reused for each stream
	pageSize atomic.Int64
	serverID atomic.Value // string, from the last collection that had it
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

// ServerID returns the ID that the server reported in a collection, "" if it has not reported one yet.
func (c *client) ServerID() string {
	id, _ := c.serverID.Load().(string)
	return id
}

// Stats requests the state of the server.
func (c *client) Stats(ctx context.Context) (server, error) {
	return c.server(ctx, apiStats)
}

// OldServer requests the state of a server without API v3.
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

// read reads a member and reports whether it is a known one.
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
	case "config_external_status":
		err = r.Object(func(key []byte) error {
			if string(key) == "status" {
				return r.Text(&s.ConfigExternal)
			}
			return r.Skip()
		})
	case "events":
		err = s.readEvents(r)
	case "partitions":
		err = readDevices(r, &s.Disks, (*disk).read)
	case "transcoder_devices":
		err = readDevices(r, &s.GPUs, (*gpu).read)
	default: // such as license_txt
		return false, r.Skip()
	}
	return true, err
}

// readConfigError records whether the configuration has an error.
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

// readAlerts counts the alerts, which are members of an object or elements of an array.
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

// readScalar reads a string, or a number as its JSON text.
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
	if kind == "cpu" { // a CPU's GPU numbers are those of another device
		*g = gpu{ID: g.ID, Name: g.Name}
	}
	return err
}

// Cards requests the DVB cards.
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

// DVRs requests the archives.
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
					return r.Object(readError(r, d.Errors))
				}
				return r.Skip()
			})
		case "disks":
			return readDevices(r, &d.Disks, (*dvrDisk).read)
		}
		return r.Skip()
	})
}

// readError returns a function that adds numbers of errors to all, by name.
func readError(r *jsonwalk.Reader, all map[string]number) func(key []byte) error {
	return func(key []byte) error {
		if len(all) == maxEntries {
			return r.Skip()
		}
		name := string(key)
		var n number
		err := r.Float(&n)
		all[name] = n
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
				case "usage":
					return r.Float(&d.Usage)
				case "status":
					return r.Text(&d.Status)
				case "errors":
					d.Errors = map[string]number{}
					return r.Object(readError(r, d.Errors))
				}
				return r.Skip()
			})
		}
		return r.Skip()
	})
}

// peer is another server of the cluster.
type peer struct {
	Up    bool // whether this server reaches it
	State string
}

// Peers requests the other servers of the cluster by name.
func (c *client) Peers(ctx context.Context) (map[string]peer, error) {
	peers := map[string]peer{}
	err := c.devices(ctx, apiPeers, "peers", "hostname,stats.streamer_status,stats.error", func(r *jsonwalk.Reader) error {
		name, state, hasStats, failed := "", "", false, false
		err := r.Object(func(key []byte) error {
			switch string(key) {
			case "hostname":
				return r.Text(&name)
			case "stats":
				return r.Object(func(key []byte) error {
					hasStats = true
					switch string(key) {
					case "streamer_status":
						return r.Text(&state)
					case "error":
						raw, err := r.Raw()
						failed = !bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
						return err
					}
					return r.Skip()
				})
			}
			return r.Skip()
		})
		if name != "" {
			peers[name] = peer{Up: hasStats && !failed, State: state}
		}
		return err
	})
	return peers, err
}

// Sessions requests the open sessions and counts them.
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

// Files requests the open files and returns the number of viewers by location prefix.
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
					if string(key) != "client_count" {
						return r.Skip()
					}
					err := r.Float(&clients)
					if n, _ := clients.Get(); n < 0 {
						r.NoteWrong()
					}
					return err
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

// devices calls each for the items of a collection, of which there may be at most maxDevices.
func (c *client) devices(ctx context.Context, api, member, fields string, each func(*jsonwalk.Reader) error) error {
	n := 0
	return c.collect(ctx, api, member, fields, func(r *jsonwalk.Reader) error {
		if n++; n > maxDevices {
			return jsonwalk.TooMany(member, maxDevices)
		}
		return each(r)
	})
}

// collect calls each for the items of a collection with a reader from the pool.
func (c *client) collect(ctx context.Context, api, member, fields string, each func(*jsonwalk.Reader) error) error {
	r := c.readers.Get().(*jsonwalk.Reader)
	defer c.readers.Put(r)
	return c.pages(ctx, r, api, member, fields, func() error { return each(r) })
}

// pages calls each for the items of a collection, page by page: https://flussonic.com/doc/api/reference/, collections. It ignores the
// estimated count, which may be wrong.
func (c *client) pages(ctx context.Context, r *jsonwalk.Reader, api, member, fields string, each func() error) error {
	query := url.Values{"limit": {""}, "select": {fields}}
	var partial error // the last error about values of a wrong type
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

// listError returns an error if the response has no valid list, so that no item is considered removed because of it.
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

// tooLarge are the status codes of servers that refuse large pages.
var tooLarge = []int{
	http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
	http.StatusUnprocessableEntity, http.StatusInternalServerError,
}

// onePage requests one page. If the server refuses it, onePage retries with safePageSize and keeps that size for all later pages.
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

// get requests one JSON object and calls member for each of its members.
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

// explain adds to an authentication error which credentials are required.
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
