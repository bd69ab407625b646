#!/bin/sh
# Installs those of the given Debian packages that are missing, without starting their services. Used by make test-deps.
set -eu

missing=""
for package in "$@"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "test-deps: apt-get not found; install these packages, given by their Debian names:$missing" >&2
	exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
	sudo=""
elif command -v sudo >/dev/null; then
	sudo="sudo"
else
	echo "test-deps: requires root or sudo to install:$missing" >&2
	exit 1
fi

# Debian runs policy-rc.d before it starts a service; exit status 101 forbids the start. An existing policy-rc.d is restored afterwards.
policy=/usr/sbin/policy-rc.d
restore() {
	$sudo rm -f $policy
	[ ! -e $policy.otelcol-rtc ] || $sudo mv $policy.otelcol-rtc $policy
}
trap restore EXIT
trap 'exit 1' INT TERM
[ ! -e $policy ] || [ -e $policy.otelcol-rtc ] || $sudo mv $policy $policy.otelcol-rtc
printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
$sudo chmod 755 $policy

$sudo apt-get -q update
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing
