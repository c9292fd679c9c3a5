# ./dev sanitize [address|thread] [PATTERN]: builds with sanitizers and runs all tests (or those whose name matches)
# with them. What they leave out, and why, stands in tests/sanitizers/defaults.cc.
source tools/dev/sanitizers.sh
kind=address
case "${1:-}" in
  address | thread)
    kind="$1"
    shift
    ;;
esac
build_sanitized "$kind"
export TARN_BUILD="$PWD/$folder"
# Reports go to files, so that none is lost that a server or a killed program made.
reports="$PWD/$folder/reports"
rm -rf "$reports"
mkdir -p "$reports"
export ASAN_OPTIONS="log_path=$reports/report${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="$ASAN_OPTIONS" TSAN_OPTIONS="log_path=$reports/report${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
outcome=0
ctest --test-dir "$folder" --output-on-failure --no-tests=error -j 2 ${1:+-R "$1"} || outcome=1
for report in "$reports"/*; do
  [ -f "$report" ] || continue
  cat "$report"
  outcome=1
done
exit "$outcome"
