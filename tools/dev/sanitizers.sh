# For sanitize.sh and fuzz.sh. build_sanitized address|thread [TARGET...]: sets $folder.
# Clang 19 looks for a symbolizer of its own version; Debian's other ones do as well.
for name in llvm-symbolizer-19 llvm-symbolizer; do
  if command -v "$name" >/dev/null; then
    ASAN_SYMBOLIZER_PATH="$(command -v "$name")"
    # The others read the same option; a wrong name makes them refuse to start.
    export ASAN_SYMBOLIZER_PATH
    export TSAN_OPTIONS="external_symbolizer_path=$ASAN_SYMBOLIZER_PATH${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
    break
  fi
done

build_sanitized() {
  preset=asan
  [ "$1" = thread ] && preset=tsan
  shift
  source tools/dev/configure.sh
  cmake --build --preset "$preset" ${1:+--target "$@"}
}
