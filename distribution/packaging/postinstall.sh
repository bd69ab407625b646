#!/bin/sh
# Runs after the files are installed. The first argument is "configure" (dpkg), 1 (rpm, installation) or 2 (rpm, upgrade). For an upgrade,
# dpkg passes the old version as the second argument.
set -e
case "$1" in
configure | 1 | 2) ;;
*) exit 0 ;;
esac

base=/usr/share/otelcol-rtc/config/base.yaml
config=/etc/otelcol-rtc/config.yaml
env=/etc/otelcol-rtc/otelcol-rtc.env

# validate runs with the variables of the environment file, which are no shell script: NAME=value, possibly in quotes.
validate() (
	while IFS= read -r line; do
		case "$line" in
		[A-Za-z_]*=*) ;;
		*) continue ;;
		esac
		value=${line#*=}
		case "$value" in
		\"*\" | \'*\') value=${value#?} value=${value%?} ;;
		esac
		export "${line%%=*}=$value"
	done <"$env"
	runuser -u otelcol-rtc -- /usr/bin/otelcol-rtc validate --config "$base" --config "$config" 2>&1
)

systemd-sysusers otelcol-rtc.conf
systemd-tmpfiles --create otelcol-rtc.conf
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi

if [ "$1" != 2 ] && [ -z "$2" ]; then
	cat <<'EOT'
otelcol-rtc is installed, but not started:
  1. choose the systems to monitor in /etc/otelcol-rtc/config.yaml; secrets belong in /etc/otelcol-rtc/otelcol-rtc.env
  2. systemctl enable --now otelcol-rtc
  3. look: the overview is on http://localhost:9468, the page for Prometheus on http://127.0.0.1:9464/metrics, both on this host only.
     From your own: ssh -L 9468:localhost:9468 this-host
EOT
	exit 0
fi

if ! errors=$(validate); then
	cat <<EOT
otelcol-rtc: $config is not valid for the new version. A running service is not restarted. /usr/share/doc/otelcol-rtc/CHANGELOG.md
explains changes of settings. The error is:
$errors
EOT
	exit 0
fi
if [ -d /run/systemd/system ]; then
	systemctl try-restart otelcol-rtc.service || echo "otelcol-rtc: the service did not restart: see journalctl -u otelcol-rtc"
fi
