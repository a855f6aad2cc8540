#!/bin/sh
# Sets up three regions that recognise each other, each a directory below the first argument. Does nothing if they are there.
set -eu
cd "$1"
[ -e ready ] && exit 0
rm -rf DE FR IT
for region in DE FR IT; do entente init "$region"; done
for region in DE FR IT; do
  for other in DE FR IT; do
    [ "$region" = "$other" ] || entente recognise "$region" "$other"
  done
done
for region in DE FR IT; do entente witness "$region"; done
touch ready
