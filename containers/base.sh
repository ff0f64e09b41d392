#!/bin/sh
# Makes a stand-in for the recipes' base image where no registry can be reached: Debian's packages by debootstrap, and the
# Node and npm of this machine. For checking the recipes only. Needs root, buildah and debootstrap.
#   sh containers/base.sh
set -eu
cd "$(dirname "$0")/.."
base=$(sed -n 's/^FROM \([^ ]*\).*/\1/p' containers/Dockerfile | head -n 1)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$place/root" >/dev/null
# The authorities that this machine trusts, so that npm reaches the registry as it does here.
cp /etc/ssl/certs/ca-certificates.crt "$place/root/etc/ssl/certs/"
modules=$place/root/usr/local/lib/node_modules
mkdir -p "$modules" "$place/root/usr/local/bin"
cp "$(node -p process.execPath)" "$place/root/usr/local/bin/node"
cp -a "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$place/root/usr/local/bin/npm"
container=$(buildah from scratch)
buildah add -q "$container" "$place/root" / >/dev/null
buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
  --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit -q --rm "$container" "docker.io/library/$base" >/dev/null
echo "$base: Debian bookworm with Node $(node --version)"
