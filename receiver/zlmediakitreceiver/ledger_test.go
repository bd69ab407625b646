// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

const (
	fieldLedger = "../../testdata/zlmediakit/fields.tsv"
	seedLedger  = "../../testdata/compat/zlm_exporter.tsv"
)

func TestFieldLedger(t *testing.T) {
	captures, err := fs.Sub(testdata.Files, "zlmediakit")
	require.NoError(t, err)
	rtctest.CheckFields(t, fieldLedger, captures, "metadata.yaml")
}

func TestSeedLedger(t *testing.T) {
	rtctest.CheckSeeds(t, seedLedger, "metadata.yaml")
}
