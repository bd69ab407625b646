// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import "context"

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
		if err != nil {
			return err
		}
		senderCount.Record(s.mb, senders.Count, &st.streamName)
		if senders.Count != 1 { // if there are several, the server reports the bytes of only one
			return nil
		}
		if n, ok := senders.TotalBytes.Get(); ok {
			senderIO.RecordSince(s.mb, st.sent.Observe(n, s.report.Now()), n, &st.streamName)
		}
		if speed, ok := senders.BytesSpeed.Get(); ok {
			senderThroughput.Record(s.mb, speed, &st.streamName)
		}
		return nil
	})
}

// eachStream makes a call for each reported stream of the last list, one at a time. It skips streams that have ended since.
func (s *streams) eachStream(call func(*stream) error) (recorded bool, err error) {
	for _, item := range s.items.Items() {
		if !item.Kept || item.Value.reported == 0 {
			continue
		}
		if err := call(&item.Value); err != nil && !hasEnded(err) {
			return false, err
		}
	}
	return true, nil
}
