# ./dev fuzz [SECONDS=60] [TARGET...]: runs each fuzz target (or those named) for so long under libFuzzer with
# address and undefined-behaviour sanitizers. What it learns is kept in the cache folder and used the next time; an
# input that breaks something is kept in build-asan/fuzz/found/TARGET, and the command fails.
source tools/dev/sanitizers.sh
seconds="${1:-60}"
[ $# -gt 0 ] && shift
if ! [[ "$seconds" =~ ^[0-9]+$ ]]; then
  echo "usage: ./dev fuzz [SECONDS] [TARGET...]; the targets are: $(ls tests/fuzz | grep -v '\.cc$' | xargs)" >&2
  exit 2
fi
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  build_sanitized address fuzz_targets
else
  build_sanitized address "${targets[@]/%/_fuzz}"
fi
learned="${XDG_CACHE_HOME:-$HOME/.cache}/tarn/fuzz"
[ ${#targets[@]} = 0 ] && mapfile -t targets < <(cd "$folder/fuzz" && ls -d -- *_fuzz | sed 's/_fuzz$//')

fuzz_one() {
  local name="$1" found="$folder/fuzz/found/$1"
  mkdir -p "$learned/$name" "$found"
  if "$folder/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=3000 -print_final_stats=1 \
    -artifact_prefix="$found/" "$learned/$name" "tests/fuzz/$name" >"$found/log" 2>&1; then
    printf '%-12s %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")"
  else
    printf '%-12s FAILED\n' "$name"
    grep -E 'does not hold|runtime error|ERROR:|SUMMARY|Test unit written' "$found/log" || tail -n 20 "$found/log"
    return 1
  fi
}
export -f fuzz_one
export folder learned seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {}'
