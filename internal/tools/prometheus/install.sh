#!/bin/sh
# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0

# Builds prometheus and promtool for the tests, without service discovery and web UI, unless they are already in
# $XDG_CACHE_HOME/otelcol-rtc (default ~/.cache/otelcol-rtc). go.mod pins the version. The first build takes 4 minutes on 2 cores, and
# 110 MB remain. Used by make test-deps.
set -eu
cd "$(dirname "$0")"
module=github.com/prometheus/prometheus
version=$(go list -m -f '{{.Version}}' $module)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otelcol-rtc/prometheus-$version

[ ! -x "$cache/promtool" ] || exit 0 # built last
mkdir -p "$cache"

# The objects of the build take more than 1 GB, and nothing else uses them.
GOCACHE=$(mktemp -d)
trap 'rm -rf "$GOCACHE"' EXIT
trap 'exit 1' INT TERM
export GOCACHE CGO_ENABLED=0
for name in prometheus promtool; do
	nice -n 10 go build -tags remove_all_sd -trimpath -buildvcs=false -ldflags "-s -w" -o "$cache/$name.new" $module/cmd/$name
	mv "$cache/$name.new" "$cache/$name"
done
