#!/bin/sh
# Runs after the files are removed. The first argument is "remove" or "purge" (dpkg), 0 (rpm), or another one for an upgrade. rpm has no
# purge: the queue, changed configuration, and the user remain.
set -e
case "$1" in
remove | purge | 0)
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
	fi
	;;
esac
if [ "$1" = purge ]; then
	rm -rf /var/lib/otelcol-rtc
	if getent passwd otelcol-rtc >/dev/null; then
		userdel otelcol-rtc
	fi
	if getent group otelcol-rtc >/dev/null; then
		groupdel otelcol-rtc
	fi
fi
