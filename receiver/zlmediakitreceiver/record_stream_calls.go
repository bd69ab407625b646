// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// recordLosses requests and records the packet loss of every stream for which its unit is known.
func (s *streams) recordLosses(ctx context.Context) (recorded bool, err error) {
	return s.eachStream(func(st *stream) error {
		point, known := packetLoss[st.origin]
		if !known {
			return nil
		}
		schema := ""
		for i, name := range schemaNames {
			if st.reported.has(i) {
				schema = name
			}
		}
		loss, err := s.client.VideoLoss(ctx, st.vhost, st.app, st.stream, schema)
		if value, ok := loss.Get(); ok {
			point.RecordFloat(s.mb, value, &st.streamName)
		}
		return err
	})
}

// recordSenders requests and records the RTP senders of every stream.
func (s *streams) recordSenders(ctx context.Context) (recorded bool, err error) {
	return s.eachStream(func(st *stream) error {
		senders, err := s.client.RTPSenders(ctx, st.vhost, st.app, st.stream)
		if err != nil && !scrape.IsPartial(err) {
			return err
		}
		senderCount.Record(s.mb, senders.Count, &st.streamName)
		if senders.Count != 1 { // if there are several, the server reports the bytes of only one
			return err
		}
		if n, ok := senders.TotalBytes.Get(); ok {
			senderIO.RecordSince(s.mb, st.sent.Observe(n, s.report.Now()), n, &st.streamName)
		}
		if speed, ok := senders.BytesSpeed.Get(); ok {
			senderThroughput.Record(s.mb, speed, &st.streamName)
		}
		return err
	})
}

// eachStream makes a call for each reported stream of the last list, one at a time. It skips streams that have ended since. A partial
// error does not stop it.
func (s *streams) eachStream(call func(*stream) error) (recorded bool, err error) {
	for _, item := range s.items.Items() {
		if !item.Kept || item.Value.reported == 0 {
			continue
		}
		switch failed := call(&item.Value); {
		case scrape.IsPartial(failed):
			err = failed
		case failed != nil && !hasEnded(failed):
			return false, failed
		}
	}
	return true, err
}
