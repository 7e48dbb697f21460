#!/usr/bin/env bash
# Fuzzes everything that reads files from elsewhere.
#
#     crates/fuzz/run.sh SECONDS [TARGET...]
#
# Seeds the corpora, builds all targets once, runs each target (or those named) for so many seconds, and prints a table.
# Exits with 1 if there is a find, and says where the input is; `crates/fuzz/run.sh --again TARGET FILE` runs that input alone.
#
# Needs Rust, a C++ compiler, Python, and cargo-fuzz, which is installed from crates.io if it is missing. Any toolchain
# will do, because almost all of the code is safe Rust: FUZZ_SANITIZER=address, with RUSTUP_TOOLCHAIN=nightly, checks
# memory too, but compiles and runs half as fast. FUZZ_JOBS is how many targets run at the same time (default 1), and
# FUZZ_SEED makes libFuzzer try the same inputs in every run.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Targets, and the most memory in MB that a run may take, after what the libraries take themselves.
declare -A memory=(
    [jpeg]=512 [image]=512 [orientation]=256 [idx]=256 [cifar]=256 [torch]=512 [pickle]=512 [safetensors]=512
    [events]=512 [names]=256 [config]=256 [records]=1024
)
order=(jpeg image orientation idx cifar torch pickle safetensors events names config records)
# The longest that one input may take.
timeout=10
sanitizer=${FUZZ_SANITIZER:-none}
binaries=crates/fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release

usage() {
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
    exit 2
}

prepare() {
    if ! command -v cargo-fuzz >/dev/null; then
        cargo install --quiet --locked cargo-fuzz
    fi
    if [[ ! -x target/debug/train ]]; then
        cargo build --locked -p train
    fi
    python3 crates/fuzz/seeds.py target/debug/train
    RUSTC_WRAPPER=$PWD/crates/fuzz/rustc.sh cargo fuzz build --fuzz-dir crates/fuzz --sanitizer "$sanitizer"
}

# Where targets write: in memory where that is possible.
scratch=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" fuzz-XXXXXX)
trap 'rm -rf "$scratch"' EXIT

# Runs a target, with a log and the inputs that it finds in folders of its own.
fuzz() {
    local target=$1
    mkdir -p "crates/fuzz/corpus/$target" "crates/fuzz/artifacts/$target" "$scratch/$target"
    TMPDIR="$scratch/$target" "$binaries/$target" "crates/fuzz/corpus/$target" \
        -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout="$timeout" -rss_limit_mb="${memory[$target]}" \
        -artifact_prefix="crates/fuzz/artifacts/$target/" -max_len=65536 -print_final_stats=1 -verbosity=1 \
        >"$scratch/$target.log" 2>&1
}

row() { printf '%-12s %8s %12s %9s %9s %8s %6s  %s\n' "$@"; }

# Tells what a target came to.
report() {
    local target=$1 status=$2 log=$scratch/$1.log
    local last coverage corpus executions memory_used
    last=$(grep -E 'cov: [0-9]+' "$log" | tail -n 1 || true)
    coverage=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' <<<"$last")
    corpus=$(sed -n 's/.*corp: \([0-9]*\).*/\1/p' <<<"$last")
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    memory_used=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    row "$target" "${seconds}s" "${executions:-?}" "$((${executions:-0} / seconds))" "${coverage:-?}" "${corpus:-?}" \
        "${memory_used:-?}" "$([[ $status == 0 ]] && echo none || echo FOUND)"
    if [[ $status != 0 ]]; then
        grep -E 'panicked at|^SUMMARY|ERROR: libFuzzer|Test unit written' -A 1 "$log" | grep -v '^--' | sed 's/^/    /' || tail -n 20 "$log"
        found=1
    fi
}

[[ $# -ge 1 ]] || usage
if [[ $1 == --again ]]; then
    [[ $# == 3 ]] || usage
    prepare
    TMPDIR=$scratch "$binaries/$2" -timeout="$timeout" -rss_limit_mb="${memory[$2]}" "$3"
    exit
fi
[[ $1 =~ ^[1-9][0-9]*$ ]] || usage
seconds=$1
shift
targets=("$@")
[[ $# -ge 1 ]] || targets=("${order[@]}")
for target in "${targets[@]}"; do
    if [[ -z ${memory[$target]:-} ]]; then
        echo "error: there is no target $target; there are ${order[*]}" >&2
        exit 2
    fi
done

prepare
found=0
row target time executions per-second coverage corpus MB finds
# A batch of targets at a time.
jobs=${FUZZ_JOBS:-1}
for ((start = 0; start < ${#targets[@]}; start += jobs)); do
    batch=("${targets[@]:start:jobs}")
    declare -A process=()
    for target in "${batch[@]}"; do
        fuzz "$target" &
        process[$target]=$!
    done
    for target in "${batch[@]}"; do
        status=0
        wait "${process[$target]}" || status=$?
        report "$target" "$status"
    done
done
exit "$found"
