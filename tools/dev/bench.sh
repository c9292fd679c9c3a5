# ./dev bench [NAME [ARGS...]]: builds with optimisation and runs one benchmark of bench/, or all.
# The peers live in environments of their own: dbt and small ones in one, pinned by tools/bench.lock; a large one, which is
# fetched only when its benchmark is named, in one each, pinned by tools/bench-NAME.lock.

# install_peers LOCK FOLDER
install_peers() {
  local venv="$TARN_DEPS/$2" want
  want=$(sha256sum "$1")
  [ -f "$venv/.stamp" ] && [ "$(cat "$venv/.stamp")" = "$want" ] && return
  echo "Installing the peers of $1"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --no-deps -r "$1"
  echo "$want" >"$venv/.stamp"
}
install_peers tools/bench.lock bench-venv
[ ! -f "tools/bench-${1:-}.lock" ] || install_peers "tools/bench-$1.lock" "bench-$1-venv"
preset=release
source tools/dev/configure.sh
cmake --build --preset release --target tarn lake_bench change_bench task_bench tpch_bench planning_bench
export TARN_BUILD="$PWD/build-release"
run_bench() {
  if [ -f "bench/$1.cc" ]; then
    "build-release/bench/$1"
  else
    "$TARN_DEPS/venv/bin/python" "bench/$1.py" "${@:2}"
  fi
}
if [ $# = 0 ]; then
  for name in lake_bench change_bench planning_bench tpch task_bench flows schedules_idle models_vs_dbt load_bars serve_start boards workbook iceberg_rest attach; do
    run_bench "$name"
  done
else
  run_bench "$@"
fi
