#!/bin/sh
# Runs the collector until Ctrl-C: on the configuration that is given, else on demo.yaml with an emulated ZLMediaKit. Used by make run.
set -eu
[ $# -eq 0 ] || exec bin/otelcol-rtc --config "$1"

emulator="" collector=""
stop() {
	trap '' INT TERM
	kill $collector $emulator 2>/dev/null || true
	wait
}
trap stop EXIT
trap 'exit 0' INT TERM
bin/emulator -zlmediakit 127.0.0.1:18080 -streams 25 -secret demo &
emulator=$!
ZLMEDIAKIT_SECRET=demo bin/otelcol-rtc --config distribution/config/demo.yaml &
collector=$!
both_run() { kill -0 $emulator 2>/dev/null && kill -0 $collector 2>/dev/null; }

sleep 2 # until the first scrape is on the page
both_run && cat <<EOT

The collector runs and reads an emulated ZLMediaKit with 25 streams. Ctrl-C ends both.
  the page that Prometheus scrapes   http://127.0.0.1:9464/metrics
  its metrics of the streams         curl -s http://127.0.0.1:9464/metrics | grep '^zlmediakit_stream'
To try next:
  the server hangs for a minute      curl -X POST 'http://127.0.0.1:18080/_emulator/fault?name=hang&for=60s'
    soon rtc_target_up is 0          curl -s http://127.0.0.1:9464/metrics | grep '^rtc_'
  other faults                       curl -s http://127.0.0.1:18080/_emulator/faults
  your own server                    ZLMEDIAKIT_SECRET=... make run CONFIG=distribution/config/prometheus.yaml

EOT
while both_run; do sleep 1; done
echo "make run: one of the two did not start or has ended, see above. They need the ports 9464, 13133, 18080 and 18888 of 127.0.0.1." >&2
exit 1
