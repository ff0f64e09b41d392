#!/bin/sh
# Checks DICOM objects with other people's tools: sh bench/peers/dicom.sh FOLDER_OF_OBJECTS FOLDER_OF_THE_SOURCE
# dciodvfy (Debian's dicom3tools) must find no error; highdicom and dcmqi, in a virtual environment of
# their own (bench/peers/.venv-dicom), read segments and measures back.
set -e
here="$(cd "$(dirname "$0")" && pwd)"
if [ ! -x "$here/.venv-dicom/bin/tid1500reader" ]; then
  python3 -m venv "$here/.venv-dicom"
  "$here/.venv-dicom/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-dicom.txt"
fi
failed=0
for file in "$1"/*.dcm; do
  said="$(dciodvfy "$file" 2>&1 || true)"
  errors="$(printf '%s\n' "$said" | grep -c '^Error' || true)"
  warnings="$(printf '%s\n' "$said" | grep -c '^Warning' || true)"
  echo "$(basename "$file"): $errors errors, $warnings warnings"
  if [ "$errors" != 0 ]; then
    printf '%s\n' "$said" | grep '^Error'
    failed=1
  fi
done
if [ -n "$2" ]; then "$here/.venv-dicom/bin/python" "$here/dicom.py" "$1" "$2"; fi
"$here/.venv-dicom/bin/python" "$here/dcmqi.py" "$1" || failed=1
exit $failed
