#!/bin/sh
# Checks the container recipes. Builds and runs them where Docker, buildah or Apptainer work (where no registry can be
# reached, buildah on a base of containers/base.sh); in any case runs the same steps in a folder of its own (pack, install
# into a clean prefix, start as another user) and looks the recipes over.
#   sh containers/check.sh [--demo]      --demo: also a whole synthetic patient (minutes)
set -eu
cd "$(dirname "$0")/.."
demo=${1:-}
wrong=0
ok() { echo "ok    $1"; }
bad() { echo "WRONG $1"; wrong=1; }
check() { if eval "$2" >/dev/null 2>&1; then ok "$1"; else bad "$1"; fi; }

file=containers/Dockerfile
check 'Dockerfile: more than one stage, the last from a fixed major version' \
  "[ \$(grep -c '^FROM ' $file) -ge 2 ] && ! grep -qE '^FROM [^:]+( |\$)|:latest' $file"
check 'Dockerfile: only known instructions' \
  "! grep -vE '^(#|\$|[[:space:]])' $file | grep -vqE '^(FROM|WORKDIR|COPY|RUN|LABEL|ENV|USER|ENTRYPOINT|CMD) '"
check 'Dockerfile: ends as a user who is not root' "grep '^USER ' $file | tail -n 1 | grep -qv root"
check 'Dockerfile: ENTRYPOINT lesionwise, in exec form' "grep -qx 'ENTRYPOINT \[\"lesionwise\"\]' $file"
check 'Dockerfile: what COPY takes from here is there' \
  "for name in \$(grep '^COPY [^-]' $file | sed 's/^COPY //; s/ [^ ]*\$//'); do [ -e \"\$name\" ] || exit 1; done"
check 'Dockerfile: stages that COPY names exist' \
  "for name in \$(sed -n 's/^COPY --from=\([^ ]*\).*/\1/p' $file); do grep -q \" AS \$name\$\" $file || exit 1; done"
for section in files post environment runscript test; do
  check "Apptainer: %$section" "grep -q '^%$section' containers/lesionwise.def"
done
check 'Apptainer: the same base as Docker' \
  "[ \"\$(sed -n 's/^From: //p' containers/lesionwise.def | sort -u)\" = \"\$(sed -n 's/^FROM \([^ ]*\).*/\1/p' $file | sort -u)\" ]"
if command -v hadolint >/dev/null; then check 'hadolint' "hadolint --ignore DL3059 $file"; else echo '-     hadolint is not here'; fi

if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  docker build -f $file -t lesionwise:check . && ok 'Docker builds it' || bad 'Docker builds it'
  check 'it runs as the user given' "docker run --rm --user 12345:12345 lesionwise:check doctor"
elif command -v buildah >/dev/null; then
  # Without namespaces or overlays of its own: works as root inside a plain virtual machine.
  export BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}" STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}"
  base=$(sed -n 's/^FROM \([^ ]*\).*/\1/p' $file | head -n 1)
  buildah images "$base" >/dev/null 2>&1 || timeout 120 buildah pull -q "docker.io/library/$base" >/dev/null 2>&1 ||
    sh containers/base.sh
  log=$(mktemp)
  if buildah bud --pull-never -f $file -t lesionwise:check . >"$log" 2>&1; then ok 'buildah builds it'; else
    bad 'buildah builds it'
    tail -n 5 "$log"
  fi
  rm -f "$log"
  container=$(buildah from --pull-never lesionwise:check)
  inside() { buildah run --user 12345:12345 --workingdir /tmp "$container" -- "$@"; }
  check 'in the container, as the user given: doctor' 'inside lesionwise doctor'
  if [ "$demo" = --demo ]; then check 'in the container: demo' 'inside lesionwise demo --quiet'; fi
  buildah rm "$container" >/dev/null
else
  echo '-     neither Docker nor buildah works here: the steps are run instead'
fi
if command -v apptainer >/dev/null; then
  npm pack --silent && mv lesionwise-*.tgz lesionwise.tgz
  apptainer build --force lesionwise.sif containers/lesionwise.def && ok 'Apptainer builds it' || bad 'Apptainer builds it'
  check 'it runs' 'apptainer run lesionwise.sif doctor'
else
  echo '-     no Apptainer here'
fi

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
npm pack --silent --pack-destination "$place" >/dev/null
mv "$place"/lesionwise-*.tgz "$place/lesionwise.tgz"
ok "npm pack: $(du -k "$place/lesionwise.tgz" | cut -f1) kB"
cp .npmrc "$place/npmrc"
NPM_CONFIG_USERCONFIG="$place/npmrc" npm install --silent --global --prefix "$place/opt" --no-audit --no-fund "$place/lesionwise.tgz"
ok "installed into a clean prefix: $(du -sm "$place/opt" | cut -f1) MB"
# As a user who owns nothing of it, with a home that may not be written to.
mkdir "$place/work"
chmod 777 "$place/work"
as() {
  if [ "$(id -u)" = 0 ]; then
    (cd "$place/work" && HOME=/nonexistent PATH="$place/opt/bin:$PATH" NODE_ENV=production setpriv --reuid=10001 --regid=10001 --clear-groups "$@")
  else
    (cd "$place/work" && HOME=/nonexistent PATH="$place/opt/bin:$PATH" NODE_ENV=production "$@")
  fi
}
as lesionwise --version >/dev/null && ok 'lesionwise --version, as another user' || bad 'lesionwise --version'
as lesionwise doctor >/dev/null && ok 'lesionwise doctor' || bad 'lesionwise doctor'
if [ "$demo" = --demo ]; then as lesionwise demo --quiet >/dev/null && ok 'lesionwise demo' || bad 'lesionwise demo'; fi
[ $wrong = 0 ] && echo 'All holds'
exit $wrong
