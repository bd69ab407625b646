#!/bin/sh
# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0

# Installs the mediasoup that the agent's tests run, and compiles its worker, once: minutes the first time, nothing afterwards.
# It is kept in $XDG_CACHE_HOME/otelcol-rtc (or ~/.cache/otelcol-rtc). Used by make test-deps, which installs Debian's libraries.
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
