#!/usr/bin/env bash
# Two processes of one training on the CPUs of this machine, over gloo.
#
#     bash examples/distributed/loopback.sh 2 DATA-BIN [options of fairseq-train]
#
# fairseq counts GPUs to find a process's device, and fails where there are none: rank and
# address are given by hand.
set -euo pipefail
n_processes=$1
shift
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
exec torchrun --nproc_per_node "$n_processes" --no-python -- bash -c '
    exec fairseq-train "$@" --user-dir fairseq_instr --task translation_with_instructions --cpu \
        --distributed-world-size "$WORLD_SIZE" --distributed-rank "$RANK" --distributed-no-spawn \
        --distributed-init-method env:// --distributed-backend gloo --ddp-backend legacy_ddp
' fairseq-train "$@"
