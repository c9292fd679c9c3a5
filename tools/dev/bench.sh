# ./dev bench [NAME [ARGS...]]: builds with optimisation and runs one benchmark of bench/, or all.
# The peers (dbt) live in an environment of their own, pinned by tools/bench.lock.
venv="$TARN_DEPS/bench-venv"
want=$(sha256sum tools/bench.lock)
if [ ! -f "$venv/.stamp" ] || [ "$(cat "$venv/.stamp")" != "$want" ]; then
  echo "Installing the peers of the benchmarks"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --no-deps -r tools/bench.lock
  echo "$want" >"$venv/.stamp"
fi
preset=release
source tools/dev/configure.sh
cmake --build --preset release --target tarn lake_bench task_bench
export TARN_BUILD="$PWD/build-release"
run_bench() {
  if [ -f "bench/$1.cc" ]; then
    "build-release/bench/$1"
  else
    "$TARN_DEPS/venv/bin/python" "bench/$1.py" "${@:2}"
  fi
}
if [ $# = 0 ]; then
  for name in lake_bench task_bench schedules_idle models_vs_dbt load_bars serve_start workbook; do
    run_bench "$name"
  done
else
  run_bench "$@"
fi
