#!/usr/bin/env bash
# What the dashboard and a watcher cost: three runs of the same training, without a screen, with one, and with
# one and a watcher, of which one goes on at a time, for three seconds each in turn. Tells how many steps each
# took. On Linux or macOS with tmux; the machine should do nothing else meanwhile.
#
# usage: train/benches/screen.sh [rounds]      45 by default, which is seven minutes
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-45}
command -v tmux >/dev/null || { echo "this needs tmux" >&2; exit 1; }
cargo build -p train
train=$PWD/target/debug/train
folder=$(mktemp -d)
processes=()
finish() {
    kill -KILL -- "${processes[@]}" 2>/dev/null || true
    tmux -L "measure-$$" kill-server 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT

# A terminal for a command, whose process id it leaves in a file.
terminal() {
    tmux -L "measure-$$" -f /dev/null new-session -d -s "$1" -x 120 -y 40 \
        "bash -c 'echo \$\$ > \"$folder/$1.pid\"; exec $2'; sleep 1"
}
for run in neither screen both; do
    ui=dashboard
    [[ $run == neither ]] && ui=lines
    terminal "$run" "$train --runs-dir $folder/runs --name $run --epochs 100000 --ui $ui"
done
sleep 5
terminal watcher "$train watch --runs-dir $folder/runs both"
sleep 5
for name in neither screen both watcher; do
    declare "$name=$(cat "$folder/$name.pid")"
    # With a dashboard, a run is two processes of one group, which the terminal's first process leads.
    declare "$name=-${!name}"
    processes+=("${!name}")
done
kill -STOP -- "${processes[@]}"

steps() { grep -ao '"epoch":[0-9]*,"step":[0-9]*' "$folder/runs/$1/events.jsonl" | tail -1 | grep -o '[0-9]*$'; }
go_on() {
    kill -CONT -- "$@"
    sleep 3
    kill -STOP -- "$@"
}
sleep 1
declare -A before
for run in neither screen both; do before[$run]=$(steps "$run"); done
for ((round = 0; round < rounds; round++)); do
    for turn in 0 1 2; do
        case $(((round + turn) % 3)) in
            0) go_on "$neither" ;;
            1) go_on "$screen" ;;
            2) go_on "$both" "$watcher" ;;
        esac
    done
done
sleep 1
for run in neither screen both; do
    echo "$run: $(($(steps "$run") - before[$run])) steps"
done
