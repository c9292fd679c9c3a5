# The web UI, built by Vite from ui/ and carried by the program: made anew only when something in ui/ or the API's
# description changed. Tests and what only they use are not part of it.
function(tarn_ui_sources target)
  set(ui "${CMAKE_SOURCE_DIR}/ui")
  set(out "${CMAKE_BINARY_DIR}/ui")
  set(tools "${CMAKE_SOURCE_DIR}/tools/ui")
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${ui}/src/*" "${ui}/public/*")
  list(FILTER files EXCLUDE REGEX "\\.test\\.ts$|/schema\\.d\\.ts$")
  add_custom_command(
    OUTPUT "${out}/ui_files.cc" "${out}/ui_files.bin"
    COMMAND "${tools}/build.sh" "${out}"
    DEPENDS ${files} "${ui}/package.json" "${ui}/package-lock.json" "${ui}/index.html" "${ui}/vite.config.ts"
      "${ui}/tsconfig.json" "${CMAKE_SOURCE_DIR}/src/serve/http/openapi.json" "${tools}/build.sh" "${tools}/embed.py"
    COMMENT "Building the web UI"
    VERBATIM)
  set_source_files_properties("${out}/ui_files.cc" PROPERTIES OBJECT_DEPENDS "${out}/ui_files.bin")
  target_sources(${target} PRIVATE "${out}/ui_files.cc")
endfunction()
