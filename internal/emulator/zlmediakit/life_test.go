// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakit

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

// TestLife checks stream 16, which is away from second 8 to 48, and stream 24, which is frozen from second 3 to 48.
func TestLife(t *testing.T) {
	clock := emulatortest.NewClock()
	server := start(t, Options{Streams: 25, Life: 1, Now: clock.Now})
	begin := clock.Now()
	at := func(second int, stream string) []source {
		clock.Advance(begin.Add(time.Duration(second) * time.Second).Sub(clock.Now()))
		return decode(t, get(t, server, "getMediaList?schema=rtmp&stream="+stream))
	}
	const leaves, freezes = "room1-00016", "out1-00024"

	require.Len(t, at(7, leaves), 1)
	before := at(7, leaves)[0]
	assert.EqualValues(t, 89+7, before.AliveSecond)
	frozen := at(7, freezes)[0]
	assert.Zero(t, frozen.BytesSpeed)
	assert.EqualValues(t, 85+7, frozen.AliveSecond)

	assert.Empty(t, at(8, leaves))
	assert.Contains(t, get(t, server, "getMediaInfo?schema=rtmp&vhost=__defaultVhost__&app=meet&stream="+leaves), `"code" : -500`)
	assert.Equal(t, frozen.TotalBytes, at(47, freezes)[0].TotalBytes)
	assert.Equal(t, frozen.Tracks, at(47, freezes)[0].Tracks)

	returned := at(58, leaves)[0]
	assert.EqualValues(t, 10, returned.AliveSecond)
	assert.Equal(t, begin.Unix()+48, returned.CreateStamp)
	assert.EqualValues(t, 10*83524, returned.TotalBytes)
	assert.EqualValues(t, 10_000, returned.Tracks[0].Duration)
	flows := at(58, freezes)[0]
	assert.Equal(t, frozen.TotalBytes+10*84389, flows.TotalBytes)
	assert.InDelta(t, 84389, flows.BytesSpeed, 84389*0.04)
}

// TestLifeAddsUp checks that the totals of the server equal the numbers of streams and sources, and those of streams the sums of their
// readers.
func TestLifeAddsUp(t *testing.T) {
	clock := emulatortest.NewClock()
	server := start(t, Options{Streams: 25, Life: 1, Now: clock.Now})
	audiences := map[int64]bool{}
	for second := 0; second < 300; second += 20 {
		want := 0
		for number := range 25 {
			if number < 11 || emulator.Life(1).Stream(number, time.Duration(second)*time.Second).Present {
				want++
			}
		}
		var statistic struct{ Data map[string]int }
		require.NoError(t, json.Unmarshal([]byte(get(t, server, "getStatistic")), &statistic))
		list := decode(t, get(t, server, "getMediaList"))
		readers, totals := map[string]int64{}, map[string]int64{}
		for _, s := range list {
			readers[s.App+"/"+s.Stream] += s.ReaderCount
			totals[s.App+"/"+s.Stream] = s.TotalReaderCount
		}
		for _, captured := range []string{"live/cam1", "live/cam1-00020"} {
			readers[captured]++ // the capture has a reader of another kind
		}
		assert.Equal(t, totals, readers)
		assert.Len(t, totals, want)
		assert.Equal(t, want, statistic.Data["MultiMediaSourceMuxer"])
		assert.Equal(t, 68-55+len(list), statistic.Data["MediaSource"])
		audiences[totals["live/cam1"]] = true
		clock.Advance(20 * time.Second)
	}
	assert.Greater(t, len(audiences), 5)
}
