#!/bin/sh
# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0

# Installs mediasoup for the tests of the agent and compiles its worker, which takes minutes, unless it is already installed in
# $XDG_CACHE_HOME/otelcol-rtc (default ~/.cache/otelcol-rtc). Used by make test-deps, which installs the required Debian libraries.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otelcol-rtc/mediasoup-3.12.16

[ ! -x "$cache/mediasoup-worker" ] || exit 0
mkdir -p "$cache"
cp "$here/package.json" "$here/package-lock.json" "$here/worker.mk" "$cache"
cd "$cache"
npm ci --ignore-scripts --no-audit --no-fund
nice -n 10 make -s -f worker.mk -j "$(nproc)" mediasoup-worker
rm -rf objects
