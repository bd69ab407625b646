#!/bin/sh
# Runs before the files are removed. The first argument is "remove" (dpkg) or 0 (rpm), or another one for an upgrade.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl --no-reload disable --now otelcol-rtc.service
	fi
	;;
esac
