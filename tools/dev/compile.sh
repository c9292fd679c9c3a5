#!/usr/bin/env bash
# The launcher of every compiler call (CMakePresets.json): ccache, told so that any two clones share its results.
# CMake names files by absolute paths; here they become relative to the build folder. A precompiled header is taken by
# the checksum of the headers that went into it (ccache's "pch.sum"), not by its bytes, which have paths in them.
set -euo pipefail
root="${PWD%/*}"
arguments=() output="" depends="" makes_header="" before=""
for argument in "$@"; do
  case "$argument" in
    "$PWD"/*) argument="${argument#"$PWD"/}" ;;
    "$root"/*) argument="..${argument#"$root"}" ;;
    -I"$PWD"/*) argument="-I${argument#-I"$PWD"/}" ;;
    -I"$root"/*) argument="-I..${argument#-I"$root"}" ;;
    -emit-pch) makes_header=1 ;;
  esac
  [ "$before" != -o ] || output="$argument"
  [ "$before" != -MF ] || depends="$argument"
  before="$argument"
  arguments+=("$argument")
done
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
[ -n "$makes_header" ] || exec ccache "${arguments[@]}"
"${arguments[@]}"
{
  printf '%s\n' "${arguments[@]}"
  sed -e 's/^[^:]*: //' -e 's/\\$//' "$depends" | xargs cat
} | sha256sum >"$output.sum"
