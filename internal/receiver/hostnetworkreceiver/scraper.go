// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-rtc/otelcol-rtc/internal/receiver/hostnetworkreceiver/internal/metadata"
)

// scraper reads the counters of one network namespace.
type scraper struct {
	cfg  *Config
	set  receiver.Settings
	host hostFiles
	mb   *builder
}

// start reads when the host was started, which is the start time of all counters.
func (s *scraper) start(context.Context, component.Host) error {
	if err := checkSystem(runtime.GOOS); err != nil {
		return err
	}
	boot, err := s.host.BootTime()
	if err != nil {
		return fmt.Errorf("start time of the host: %w: check the setting root_path", err)
	}
	s.mb = metadata.NewMetricsBuilder(s.cfg.MetricsBuilderConfig, s.set, metadata.WithStartTime(pcommon.NewTimestampFromTime(boot)))
	return nil
}

// checkSystem returns an error for operating systems other than Linux.
func checkSystem(name string) error {
	if name != "linux" {
		return fmt.Errorf("the receiver requires the proc file system of Linux, which %s does not have: remove the receiver from the configuration", name)
	}
	return nil
}

// scrape reads all files. A file that cannot be read costs its own metrics only.
func (s *scraper) scrape(context.Context) (pmetric.Metrics, error) {
	now := pcommon.NewTimestampFromTime(time.Now())
	var errs scrapererror.ScrapeErrors
	udp4, err := s.host.UDP4()
	if err != nil {
		errs.AddPartial(len(udpRows), err)
	}
	recordUDP(s.mb, now, udp4, metadata.AttributeNetworkTypeIpv4)
	udp6, err := s.host.UDP6()
	if err != nil {
		errs.AddPartial(len(udpRows), err)
	}
	recordUDP(s.mb, now, udp6, metadata.AttributeNetworkTypeIpv6)
	cpus, err := s.host.Softnet()
	if err != nil {
		errs.AddPartial(1, err)
	}
	recordSoftnet(s.mb, now, cpus)
	return s.mb.Emit(), errs.Combine()
}
