# ./dev fmt: formats all C++ sources in place.
git ls-files -co --exclude-standard -- 'src/*.h' 'src/*.cc' 'bench/*.h' 'bench/*.cc' 'tests/*.h' 'tests/*.cc' | xargs -r clang-format-19 -i
