# Installs Debian packages, the pinned downloads of tools/deps.lock and tools/extensions.lock, the Python tools of
# tools/python.lock, tools/delta.lock and tools/s3.lock, the packages of ui/package-lock.json.
# Whatever is there already, with the right checksum, is left alone: a second run needs no network.

say() { if [ -t 1 ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# A package whose command is on the PATH by other means (a newer node, a rustup cargo) counts as there.
provided_otherwise() {
  case "$1" in
    nodejs) command -v node ;;
    chromium) command -v chromium ;;
    npm) command -v npm ;;
    cargo-web) command -v cargo ;;
    *) return 1 ;;
  esac >/dev/null 2>&1
}

# Debian packages of one list.
install_packages() {
  local missing=() package
  while read -r package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' && continue
    provided_otherwise "$package" && continue
    missing+=("$package")
  done <"$1"
  [ ${#missing[@]} = 0 ] && return
  say "Installing ${#missing[@]} Debian packages"
  # The tests start PostgreSQL themselves, in folders of their own: no server of the machine's is wanted.
  if [[ " ${missing[*]} " == *" postgresql"* ]]; then
    as_root mkdir -p /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.d/tarn.conf >/dev/null
  fi
  as_root apt-get update -q >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >"$TARN_DEPS/apt.log" 2>&1 || {
    tail -n 20 "$TARN_DEPS/apt.log" >&2
    exit 1
  }
}

checksum_is() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }

download_npm() { (cd "$TARN_DEPS/download" && npm pack --silent "$1@$2" >/dev/null); }

download_pypi() { (cd "$TARN_DEPS/download" && python3 -m pip download -q --disable-pip-version-check --no-deps "$1==$2"); }

download_crate() {
  local work
  work=$(mktemp -d)
  printf '[package]\nname = "fetch"\nversion = "0.1.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n[dependencies]\n%s = "=%s"\n' "$1" "$2" >"$work/Cargo.toml"
  : >"$work/lib.rs"
  (cd "$work" && CARGO_HOME="$work/home" cargo fetch --quiet)
  find "$work/home" -name "$1-$2.crate" -exec cp {} "$TARN_DEPS/download/" \;
  rm -rf "$work"
}

# What one lock file names, into the download folder: whatever its checksum says is there already stays.
fetch_locked() {
  local kind name version file sum
  mkdir -p "$TARN_DEPS/download"
  while read -r kind name version file sum; do
    case "$kind" in '' | '#'*) continue ;; esac
    checksum_is "$TARN_DEPS/download/$file" "$sum" && continue
    say "Fetching $name $version"
    "download_$kind" "$name" "$version" "$file" "$sum"
    if ! checksum_is "$TARN_DEPS/download/$file" "$sum"; then
      echo "the checksum of $file is not the one in $1" >&2
      exit 1
    fi
  done <"$1"
}

unpack_duckdb() {
  local stamp="$TARN_DEPS/duckdb/.stamp" want
  want=$(grep -E 'duckdb' tools/deps.lock | sha256sum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
  say "Unpacking DuckDB"
  rm -rf "$TARN_DEPS/duckdb" "$TARN_DEPS/unpack"
  mkdir -p "$TARN_DEPS/duckdb/lib" "$TARN_DEPS/unpack"
  tar xzf "$TARN_DEPS"/download/duckdb-node-bindings-linux-x64-*.tgz -C "$TARN_DEPS/unpack"
  cp "$TARN_DEPS/unpack/package/libduckdb.so" "$TARN_DEPS/duckdb/lib/"
  tar xzf "$TARN_DEPS"/download/libduckdb-sys-*.crate -C "$TARN_DEPS/unpack" --wildcards '*/duckdb.tar.gz'
  tar xzf "$TARN_DEPS"/unpack/libduckdb-sys-*/duckdb.tar.gz -C "$TARN_DEPS/unpack"
  cp -r "$TARN_DEPS/unpack/duckdb/src/include" "$TARN_DEPS/duckdb/include"
  rm -rf "$TARN_DEPS/unpack"
  echo "$want" >"$stamp"
}

# DuckDB's extensions, as their makers signed them, into one folder.
unpack_extensions() {
  local folder="$TARN_DEPS/extensions" want kind name version file sum
  want=$(sha256sum tools/extensions.lock)
  [ -f "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$want" ] && return
  say "Unpacking DuckDB's extensions"
  rm -rf "$folder"
  mkdir -p "$folder"
  while read -r kind name version file sum; do
    case "$kind" in '' | '#'*) continue ;; esac
    unzip -q -o -j "$TARN_DEPS/download/$file" '*.duckdb_extension' -d "$folder"
  done <tools/extensions.lock
  echo "$want" >"$folder/.stamp"
}

unpack_datasets() {
  local target="$TARN_DEPS/vega-datasets"
  [ -f "$target/.stamp" ] && return
  say "Unpacking the demo's data"
  mkdir -p "$target"
  tar xzf "$TARN_DEPS"/download/vega-datasets-*.tgz -C "$target" --strip-components=2 package/data
  touch "$target/.stamp"
}

# install_python LOCK FOLDER: Python tools for tests, in an environment of their own; every wheel is pinned by checksum.
install_python() {
  local venv="$TARN_DEPS/$2" want
  want=$(sha256sum "$1")
  [ -f "$venv/.stamp" ] && [ "$(cat "$venv/.stamp")" = "$want" ] && return
  say "Installing the Python tools of $1"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --no-deps -r "$1"
  echo "$want" >"$venv/.stamp"
}

# What the web UI is built and tested with; npm checks every package against the lock file's checksums.
install_npm() {
  local stamp=ui/node_modules/.stamp want
  want=$(sha256sum ui/package-lock.json)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
  say "Installing what the web UI is built with"
  (cd ui && npm ci --loglevel=error --no-progress --ignore-scripts --prefer-offline >/dev/null)
  echo "$want" >"$stamp"
}

# Iceberg's REST kit: all jars by one run of Maven, into a folder that is a class path.
install_rest_kit() {
  local kit="$TARN_DEPS/rest-kit" want work kind name version file sum group artifact classifier
  want=$(sha256sum tools/rest-kit.lock)
  [ -f "$kit/.stamp" ] && [ "$(cat "$kit/.stamp")" = "$want" ] && return
  say "Fetching Apache Iceberg's REST kit"
  rm -rf "$kit"
  mkdir -p "$kit"
  work=$(mktemp -d)
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>fetch</groupId><artifactId>fetch</artifactId><version>1</version><build><plugins><plugin>'
    echo '<artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version><configuration><artifactItems>'
    while read -r kind name version file sum; do
      case "$kind" in '' | '#'*) continue ;; esac
      IFS=: read -r group artifact classifier <<<"$name"
      printf '<artifactItem><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><classifier>%s</classifier></artifactItem>\n' \
        "$group" "$artifact" "$version" "$classifier"
    done <tools/rest-kit.lock
    echo '</artifactItems></configuration></plugin></plugins></build></project>'
  } >"$work/pom.xml"
  (cd "$work" && mvn -q -B -Dstyle.color=never "-Dmaven.repo.local=$work/repository" "-DoutputDirectory=$kit" dependency:copy)
  rm -rf "$work"
  while read -r kind name version file sum; do
    case "$kind" in '' | '#'*) continue ;; esac
    checksum_is "$kit/$file" "$sum" || { echo "the checksum of $file is not the one in tools/rest-kit.lock" >&2; exit 1; }
  done <tools/rest-kit.lock
  echo "$want" >"$kit/.stamp"
}

mkdir -p "$TARN_DEPS"
install_packages tools/apt.txt
fetch_locked tools/deps.lock
fetch_locked tools/extensions.lock
unpack_duckdb
unpack_extensions
unpack_datasets
install_python tools/python.lock venv
install_python tools/delta.lock delta-venv
install_python tools/s3.lock s3-venv
install_npm
install_rest_kit
say "Everything is there."
