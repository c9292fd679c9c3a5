#!/usr/bin/env bash
# build.sh OUT: builds the web UI into OUT/dist and OUT/ui_files.{cc,bin}; called by CMake.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../ui"
if [ ! -f node_modules/.stamp ]; then
  echo "the web UI's packages are not installed: run ./dev setup" >&2
  exit 1
fi
TARN_UI_OUT="$1/dist" npm run --silent build
python3 ../tools/ui/embed.py "$1/dist" "$1/ui_files"
