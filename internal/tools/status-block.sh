#!/bin/sh
# Corrects the status block that mdatagen writes into README.md in the working directory: removes the badges of GitHub issues, and
# links the distribution to its page.
set -eu
sed -e '/^| Issues  /d' -e 's|^\[otelcol-rtc\]: *$|[otelcol-rtc]: ../../README.md|' README.md >README.md.tmp
mv README.md.tmp README.md
