#!/bin/sh
# Runs the collector until Ctrl-C with the given configurations, or with demo.yaml and an emulated ZLMediaKit. Used by make run.
set -eu
if [ $# -gt 0 ]; then
	for config; do
		set -- "$@" --config "$config"
		shift
	done
	exec bin/otelcol-rtc "$@"
fi

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
export ZLMEDIAKIT_ENDPOINT=http://127.0.0.1:18080 ZLMEDIAKIT_SECRET=demo
config=distribution/config
bin/otelcol-rtc --config $config/base.yaml --config $config/zlmediakit.yaml --config $config/demo.yaml &
collector=$!
both_running() { kill -0 $emulator 2>/dev/null && kill -0 $collector 2>/dev/null; }

sleep 2 # wait for the first scrape
both_running && cat <<EOT

The collector is scraping an emulated ZLMediaKit with 25 streams. Press Ctrl-C to stop both.
  metrics page for Prometheus        http://127.0.0.1:9464/metrics
  metrics of the streams             curl -s http://127.0.0.1:9464/metrics | grep '^zlmediakit_stream'
Next steps:
  let the server hang for a minute   curl -X POST 'http://127.0.0.1:18080/_emulator/fault?name=hang&for=60s'
    rtc_target_up becomes 0          curl -s http://127.0.0.1:9464/metrics | grep '^rtc_'
  list other faults                  curl -s http://127.0.0.1:18080/_emulator/faults
  scrape your own server             ZLMEDIAKIT_SECRET=... make run CONFIG="distribution/config/base.yaml distribution/config/zlmediakit.yaml"

EOT
while both_running; do sleep 1; done
echo "make run: the collector or the emulator exited, see above. They use the ports 9464, 13133, 18080 and 18888 of 127.0.0.1." >&2
exit 1
