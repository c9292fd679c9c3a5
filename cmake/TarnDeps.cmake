# Third-party libraries: Debian's packages, and DuckDB as `./dev setup` unpacked it.
set(TARN_DEPS "$ENV{TARN_DEPS}" CACHE PATH "Folder that ./dev setup fills")
if(NOT TARN_DEPS)
  set(TARN_DEPS "$ENV{HOME}/.cache/tarn/deps" CACHE PATH "Folder that ./dev setup fills" FORCE)
endif()
if(NOT EXISTS "${TARN_DEPS}/duckdb/lib/libduckdb.so")
  message(FATAL_ERROR "DuckDB is not in ${TARN_DEPS}: run ./dev setup")
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(date REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(edit REQUIRED IMPORTED_TARGET libedit)

add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION "${TARN_DEPS}/duckdb/lib/libduckdb.so"
  IMPORTED_NO_SONAME OFF
  IMPORTED_SONAME "libduckdb.so")
target_include_directories(duckdb SYSTEM INTERFACE "${TARN_DEPS}/duckdb/include")
