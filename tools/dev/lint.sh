# ./dev lint [--quick|--tests] [PATH...]: what it finds is mended in the code, not silenced.
preset=dev
source tools/dev/configure.sh
cmake --build --preset dev --target lint_needs >/dev/null
lint_ui() {
  local kept="${XDG_CACHE_HOME:-$HOME/.cache}/tarn/lint" key
  key=ui-$({ cat ui/*.json ui/*.js ui/*.ts src/serve/http/openapi.json
    find ui/src -type f ! -name schema.d.ts -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -d' ' -f1)
  [ -f "$kept/$key" ] && return
  echo "lint: types and rules of the web UI"
  (cd ui && npm run --silent check)
  mkdir -p "$kept" && touch "$kept/$key"
}
lint_ui
exec python3 tools/lint/lint.py --cache "${XDG_CACHE_HOME:-$HOME/.cache}/tarn/lint" "$@"
