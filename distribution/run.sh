#!/bin/sh
# Runs the collector until Ctrl-C, with the given configurations or with emulated servers of $SYSTEM, by default of all systems. Used by
# make run.
set -eu
if [ $# -gt 0 ]; then
	for config; do
		set -- "$@" --config "$config"
		shift
	done
	exec bin/otelcol-rtc "$@"
fi

# The first port of the emulated servers, and addresses from base.yaml. Only tests change them.
port=${PORT:-18080} overview=${OVERVIEW:-127.0.0.1:9468} page=${PAGE:-127.0.0.1:9464}

# address NUMBER prints the address of an emulated server.
address() { echo "127.0.0.1:$((port + $1))"; }
ZLMEDIAKIT=$(address 0) KAMAILIO=$(address 1) RTPENGINE=$(address 2) JVB=$(address 3) JICOFO=$(address 4)
JIGASI=$(address 5) JIBRI=$(address 6) FLUSSONIC=$(address 7) MEDIASOUP=$(address 8)
export ZLMEDIAKIT_ENDPOINT="http://$ZLMEDIAKIT" ZLMEDIAKIT_SECRET=demo
export KAMAILIO_ENDPOINT="tcp://$KAMAILIO" RTPENGINE_ENDPOINT="http://$RTPENGINE/metrics"
export JVB_ENDPOINT="http://$JVB" JICOFO_ENDPOINT="http://$JICOFO" JIGASI_ENDPOINT="http://$JIGASI" JIBRI_ENDPOINT="http://$JIBRI"
export FLUSSONIC_ENDPOINT="http://$FLUSSONIC" FLUSSONIC_USER=demo FLUSSONIC_PASSWORD=demo
export MEDIASOUP_ENDPOINT="http://$MEDIASOUP"

folder=distribution/config
servers="" configs="" targets=0
# emulate SYSTEM TARGETS [FLAG ADDRESS]... adds the emulated servers of a system and its configuration.
emulate() {
	configs="$configs --config $folder/$1.yaml --config $folder/demo/$1.yaml" targets=$((targets + $2))
	shift 2
	servers="$servers $*"
}
systems=${SYSTEM:-zlmediakit kamailio jitsi flussonic mediasoup}
for system in $systems; do
	case $system in
	zlmediakit) emulate zlmediakit 1 -zlmediakit "$ZLMEDIAKIT" -secret demo ;;
	kamailio) emulate kamailio 2 -kamailio "$KAMAILIO" -rtpengine "$RTPENGINE" ;;
	jitsi) emulate jitsi 4 -jvb "$JVB" -jicofo "$JICOFO" -jigasi "$JIGASI" -jibri "$JIBRI" ;;
	flussonic) emulate flussonic 1 -flussonic "$FLUSSONIC" ;;
	mediasoup) emulate mediasoup 1 -mediasoup "$MEDIASOUP" -mediasoup-consumers 400 ;;
	*)
		echo "make run: SYSTEM=$system is none of zlmediakit, kamailio, jitsi, flussonic, mediasoup" >&2
		exit 2
		;;
	esac
done
case $systems in # the server in the examples
kamailio*) example=$RTPENGINE ;;
jitsi*) example=$JVB ;;
flussonic*) example=$FLUSSONIC ;;
mediasoup*) example=$MEDIASOUP ;;
*) example=$ZLMEDIAKIT ;;
esac

emulator="" collector=""
stop() {
	trap '' INT TERM
	kill $collector $emulator 2>/dev/null || true
	wait
}
trap stop EXIT
trap 'exit 0' INT TERM
bin/emulator -life 1 -zlmediakit "" $servers >/dev/null &
emulator=$!
bin/otelcol-rtc --config $folder/base.yaml $configs --config $folder/demo.yaml &
collector=$!
both_running() { kill -0 $emulator 2>/dev/null && kill -0 $collector 2>/dev/null; }

# Wait up to 10 s for the first scrape of each target.
scraped() { [ "$(curl -s --max-time 1 "http://$page/metrics" 2>/dev/null | grep -c '^rtc_target_up')" -ge $targets ]; }
for _ in $(seq 100); do
	sleep 0.1
	if ! both_running || scraped; then break; fi
done
both_running && cat <<EOT

The collector is scraping emulated servers: $systems. Press Ctrl-C to stop everything.
  overview of all servers            http://$overview/
  metrics page for Prometheus        http://$page/metrics
Next steps:
  is each server up?                 curl -s http://$page/metrics | grep '^rtc_target_up'
  let a server hang for a minute     curl -X POST 'http://$example/_emulator/fault?name=hang&for=60s'
  list other faults                  curl -s http://$example/_emulator/faults
  run one system alone               make run SYSTEM=jitsi
  scrape your own server             ZLMEDIAKIT_SECRET=... make run CONFIG="distribution/config/base.yaml distribution/config/zlmediakit.yaml"

EOT
while both_running; do sleep 1; done
echo "make run: the collector or the emulator exited, see above. Does another program use its ports, such as another make run?" >&2
exit 1
