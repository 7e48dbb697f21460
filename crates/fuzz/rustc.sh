#!/usr/bin/env bash
# Stands in for rustc (RUSTC_WRAPPER), and leaves out the instrumentation of crates that read nothing from elsewhere:
# they would take most of the time to compile, and their coverage would lead the fuzzer astray.
set -euo pipefail

instrumented=" data events files saved_models train weights resnet_fuzz
    jpeg image orientation idx cifar torch pickle safetensors names config records
    byteorder_lite crc32fast csv csv_core fdeflate flate2 image_webp memchr miniz_oxide png rmp rmp_serde serde_core
    serde_json serde_spanned simd_adler32 tar toml toml_datetime toml_parser weezl winnow zip "
instrumented=" ${instrumented//$'\n'/ } "

crate=
arguments=("$@")
for ((index = 1; index < $#; index++)); do
    [[ ${arguments[index]} == --crate-name ]] && crate=${arguments[index + 1]}
done
# Cargo asks about the compiler without a crate's name.
if [[ -z $crate || $instrumented == *" $crate "* ]]; then
    exec "$@"
fi
kept=()
for argument in "$@"; do
    case $argument in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-* | -Cllvm-args=-simplifycfg-branch-fold-threshold=0) ;;
    *) kept+=("$argument") ;;
    esac
done
exec "${kept[@]}"
