#!/bin/sh
# Installs the BIDS validator (with its runtime, deno) in a virtual environment of its own, bench/peers/.venv-bids, and
# checks the data sets that are named: sh bench/peers/bids.sh OUT_DIR …
# It ends with 16 where a data set breaks a rule.
set -e
here="$(cd "$(dirname "$0")" && pwd)"
if [ ! -x "$here/.venv-bids/bin/bids-validator-deno" ]; then
  python3 -m venv "$here/.venv-bids"
  "$here/.venv-bids/bin/pip" install --quiet --disable-pip-version-check bids-validator-deno==3.0.2
fi
for folder in "$@"; do "$here/.venv-bids/bin/bids-validator-deno" "$folder"; done
