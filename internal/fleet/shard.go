// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// owns reports whether a target belongs to this collector, by rendezvous hashing: each target belongs to the collector for which the
// hash of both is highest. So if the count changes from n to n+1, only 1/(n+1) of the targets move.
func (s *Shard) owns(key string) bool {
	if s == nil {
		return true
	}
	var owner int
	var highest uint64
	for index := range s.Count {
		if hash := xxhash.Sum64String(strconv.Itoa(index) + " " + key); index == 0 || hash > highest {
			owner, highest = index, hash
		}
	}
	return owner == s.Index
}
