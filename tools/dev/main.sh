# The commands of ./dev; each lives in a file of this folder. Runs in the repository's root.
set -euo pipefail
export TARN_DEPS="${TARN_DEPS:-$HOME/.cache/tarn/deps}"

usage() {
  cat <<'EOF'
usage: ./dev COMMAND

  setup     install what is missing (Debian packages, pinned downloads); later runs need no network
  build     build the program: build/tarn          [dev|release|asan|tsan]
  install   build the release and install it       [PREFIX]
  run       build, then run tarn with the arguments given
  demo      install, build, load real data, show it
  test      build and run all tests                [PATTERN]
  lint      check formatting, layers, sizes, clang-tidy
  fmt       format all C++ sources
  bench     run the benchmarks of bench/           [NAME]
  interop   let Spark, Trino and others read what Tarn wrote  [PATTERN]
  sanitize  run the tests under sanitizers         [address|thread] [PATTERN]
  fuzz      run the fuzz targets                   [SECONDS] [TARGET...]
  soak      run the long tests
  new       make the skeleton of a plug-in         KIND NAME
  clean     remove build folders
EOF
}

command="${1:-help}"
[ $# -gt 0 ] && shift
case "$command" in
  setup | build | install | run | demo | test | lint | fmt | bench | interop | sanitize | fuzz | soak | new | clean)
    if [ ! -f "tools/dev/$command.sh" ]; then
      echo "./dev $command does not exist yet" >&2
      exit 2
    fi
    source "tools/dev/$command.sh"
    ;;
  help | -h | --help) usage ;;
  *)
    echo "./dev: unknown command '$command'" >&2
    usage >&2
    exit 2
    ;;
esac
