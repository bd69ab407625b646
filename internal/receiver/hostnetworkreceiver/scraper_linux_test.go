// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestThisHost scrapes the machine of the test, once with its own files and once as if its root were mounted.
func TestThisHost(t *testing.T) {
	for _, root := range []string{"", "/"} {
		md, err := newTestScraper(t, root).scrape(t.Context())
		require.NoError(t, err)
		assert.GreaterOrEqual(t, md.DataPointCount(), 12)
	}
}
