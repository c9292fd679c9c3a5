# ./dev fmt: formats all C++ sources and the web UI in place.
git ls-files -co --exclude-standard -- 'src/*.h' 'src/*.cc' 'bench/*.h' 'bench/*.cc' 'tests/*.h' 'tests/*.cc' | xargs -r clang-format-19 -i
[ ! -f ui/node_modules/.stamp ] || (cd ui && npm run --silent format)
