#!/bin/sh
# Corrects the status block that mdatagen wrote into the README.md of the working directory: removes the badges of GitHub issues,
# which mdatagen prints for every component, and gives the distribution a link.
set -eu
root=$(git rev-parse --show-cdup)
sed -e '/^| Issues  /d' -e "s|^\[otelcol-rtc\]: *\$|[otelcol-rtc]: ${root}README.md|" README.md >README.md.tmp
mv README.md.tmp README.md
