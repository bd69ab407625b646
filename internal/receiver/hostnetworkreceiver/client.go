// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// hostFiles reads the files of the kernel that hold counters of the network.
type hostFiles struct {
	proc    string // directory of the proc file system
	network string // directory of the network namespace
}

// newHostFiles returns the files below root. With a root, it selects the network namespace of process 1 of the host, because net is a
// link to the namespace of the process that reads it.
func newHostFiles(root string) hostFiles {
	if root == "" {
		return hostFiles{proc: "/proc", network: "/proc/net"}
	}
	proc := filepath.Join(root, "proc")
	return hostFiles{proc: proc, network: filepath.Join(proc, "1", "net")}
}

// BootTime returns when the host was started.
func (h hostFiles) BootTime() (time.Time, error) {
	path := filepath.Join(h.proc, "stat")
	text, err := os.ReadFile(path) //nolint:gosec // below the directory that the user configured
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "btime "); found {
			seconds, err := parseCounter(strings.TrimSpace(rest), 10)
			if err != nil {
				return time.Time{}, fmt.Errorf("%s: btime: %w", path, err)
			}
			return time.Unix(seconds, 0), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s has no line btime", path)
}

// UDP4 returns the counters of UDP over IPv4 by name, such as InDatagrams.
func (h hostFiles) UDP4() (map[string]int64, error) { return readFile(h.network, "snmp", parseSNMP) }

// UDP6 returns the counters of UDP over IPv6 by name, such as InDatagrams. A kernel without IPv6 has none.
func (h hostFiles) UDP6() (map[string]int64, error) {
	counters, err := readFile(h.network, "snmp6", parseSNMP6)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return counters, err
}

// softnet holds the counters of a CPU that receives packets.
type softnet struct {
	CPU                   int64
	Dropped, TimeSqueezes int64
}

// Softnet returns the counters of all CPUs that are online.
func (h hostFiles) Softnet() ([]softnet, error) {
	return readFile(h.network, "softnet_stat", parseSoftnet)
}

// readFile parses a file. An error of the parser names the file.
func readFile[T any](directory, name string, parse func(text string) (T, error)) (parsed T, err error) {
	path := filepath.Join(directory, name)
	text, err := os.ReadFile(path) //nolint:gosec // below the directory that the user configured
	if err != nil {
		return parsed, err
	}
	if parsed, err = parse(string(text)); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return parsed, err
}

// parseSNMP parses the lines of /proc/net/snmp that begin with Udp: the first has the names, the second the values.
func parseSNMP(text string) (map[string]int64, error) {
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields[1:]
			continue
		}
		return pair(names, fields[1:])
	}
	return nil, errors.New("no two lines begin with Udp")
}

func pair(names, values []string) (map[string]int64, error) {
	if len(names) != len(values) {
		return nil, fmt.Errorf("the lines Udp have %d names and %d values", len(names), len(values))
	}
	counters := map[string]int64{}
	for i, name := range names {
		value, err := parseCounter(values[i], 10)
		if err != nil {
			return nil, fmt.Errorf("counter %s of Udp: %w", name, err)
		}
		counters[name] = value
	}
	return counters, nil
}

// parseSNMP6 parses the lines of /proc/net/snmp6 that begin with Udp6: each has a name and a value.
func parseSNMP6(text string) (map[string]int64, error) {
	counters := map[string]int64{}
	for line := range strings.Lines(text) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, found := strings.CutPrefix(strings.TrimSpace(key), "Udp6")
		if !found {
			continue
		}
		value, err := parseCounter(strings.TrimSpace(rest), 10)
		if err != nil {
			return nil, fmt.Errorf("counter Udp6%s: %w", name, err)
		}
		counters[name] = value
	}
	return counters, nil
}

// The columns of /proc/net/softnet_stat, which are hexadecimal. Linux has the column of the CPU since 5.10; before, the line number is
// the number of the CPU unless one is offline.
const (
	columnDropped      = 1
	columnTimeSqueezes = 2
	columnCPU          = 12
)

// parseSoftnet parses /proc/net/softnet_stat, which has a line for each CPU.
func parseSoftnet(text string) (cpus []softnet, err error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) <= columnTimeSqueezes {
			return nil, fmt.Errorf("line %d has %d columns, expected at least %d", len(cpus)+1, len(fields), columnTimeSqueezes+1)
		}
		one := softnet{CPU: int64(len(cpus))}
		columns := map[int]*int64{columnDropped: &one.Dropped, columnTimeSqueezes: &one.TimeSqueezes, columnCPU: &one.CPU}
		for column, value := range columns {
			if column >= len(fields) {
				continue
			}
			if *value, err = parseCounter(fields[column], 16); err != nil {
				return nil, fmt.Errorf("line %d, column %d: %w", len(cpus)+1, column+1, err)
			}
		}
		cpus = append(cpus, one)
	}
	return cpus, nil
}

// parseCounter parses a number that is not negative.
func parseCounter(text string, base int) (int64, error) {
	n, err := strconv.ParseUint(text, base, 63)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a counter", text)
	}
	return int64(n), nil
}
