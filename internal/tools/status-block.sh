#!/bin/sh
# Corrects the status block that mdatagen writes into README.md in the working directory: removes the badges of GitHub issues, and
# links the distribution to its page.
set -eu
root=$(git rev-parse --show-cdup)
sed -e '/^| Issues  /d' -e "s|^\[otelcol-rtc\]: *\$|[otelcol-rtc]: ${root}README.md|" README.md >README.md.tmp
mv README.md.tmp README.md
