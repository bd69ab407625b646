#!/bin/sh
# Prints the version of a build: the newest one in CHANGELOG.md if the commit has its tag and the tree is clean, such as v0.1.0. Builds after
# it have the time and the hash of the commit in addition, such as v0.1.0+20261122093000.0123abc, with .dirty if the tree has changes.
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^## \[\([0-9][0-9.]*\)\].*/v\1/p' CHANGELOG.md | head -n 1)
if commit=$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format=%cd.%h --abbrev=7 2>/dev/null); then
	changes=$(git status --porcelain)
	if [ -n "$changes" ] || ! git tag --points-at HEAD | grep -qxF "$version"; then
		version=$version+$commit${changes:+.dirty}
	fi
fi
echo "$version"
