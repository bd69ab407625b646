// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
)

// shortest is the minimum of intervals and timeouts. It detects numbers without a unit, which are read as nanoseconds.
const shortest = time.Millisecond

// DefaultMaxResponseSize is the default of the setting max_response_size. The largest known response is the media list of ZLMediaKit:
// about 120 MB with 20,000 streams.
const DefaultMaxResponseSize = 256 << 20

// DefaultSchedule returns the defaults of the settings collection_interval and timeout.
func DefaultSchedule() scraperhelper.ControllerConfig {
	schedule := scraperhelper.NewDefaultControllerConfig()
	schedule.CollectionInterval = 30 * time.Second
	schedule.Timeout = 10 * time.Second
	return schedule
}

// UnmarshalConfig reads conf into cfg, a pointer to a receiver's configuration that contains controller. A default timeout is reduced
// to the interval.
func UnmarshalConfig(conf *confmap.Conf, cfg any, controller *scraperhelper.ControllerConfig) error {
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	if !conf.IsSet("timeout") && controller.CollectionInterval >= shortest {
		controller.Timeout = min(controller.Timeout, controller.CollectionInterval)
	}
	return nil
}

// CheckSchedule returns an error for times without a unit, and for a timeout that is unlimited or longer than the interval.
func CheckSchedule(c scraperhelper.ControllerConfig) error {
	errs := []error{checkTime("collection_interval", c.CollectionInterval), checkTime("timeout", c.Timeout)}
	if c.CollectionInterval >= shortest && c.Timeout > c.CollectionInterval {
		errs = append(errs, fmt.Errorf("timeout: %v is longer than the collection_interval of %v: remove the setting, or set it to at most %v",
			c.Timeout, c.CollectionInterval, c.CollectionInterval))
	}
	return errors.Join(errs...)
}

func checkTime(setting string, t time.Duration) error {
	switch {
	case t <= 0:
		return fmt.Errorf("%s: %v must be more than 0, such as 10s", setting, t)
	case t < shortest:
		return fmt.Errorf("%s: %v is too short: write the unit, such as %ds", setting, t, t.Nanoseconds())
	}
	return nil
}

// CheckEndpoint returns an error unless endpoint is an HTTP URL that cannot contain secrets.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("endpoint: must be an http or https URL, such as http://10.0.0.5:8080")
	case u.User != nil:
		return errors.New("endpoint: must not hold a user name or password: they would show up in logs")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("endpoint: must not hold a query or fragment: it would show up in logs")
	}
	return nil
}

// SocketPath returns the path of a Unix socket endpoint, such as unix:///run/app.sock. It returns false for any other endpoint.
func SocketPath(endpoint string) (path string, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "unix" || u.Host != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(u.Path) < 2 {
		return "", false
	}
	return u.Path, true
}

// CheckResponseSize returns an error for a max_response_size that is too small for any response.
func CheckResponseSize(size int64) error {
	if size < 1024 {
		return fmt.Errorf("max_response_size: %d must be at least 1024 bytes, such as %d", size, DefaultMaxResponseSize)
	}
	return nil
}
