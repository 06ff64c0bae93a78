#!/usr/bin/env bash
# One training on all GPUs of this machine, or of several.
#
#     bash examples/distributed/torchrun.sh DATA-BIN [options of fairseq-train]
#
# On several machines, run the same on each with NODES and HEAD (name of one of them) set:
#
#     NODES=2 HEAD=node1 bash examples/distributed/torchrun.sh ...
set -euo pipefail
gpus=${GPUS:-$(nvidia-smi --list-gpus | wc -l)}
nodes=${NODES:-1}
exec torchrun --nnodes "$nodes" --nproc_per_node "$gpus" --max-restarts 0 \
    --rdzv_backend c10d --rdzv_endpoint "${HEAD:-localhost}:${PORT:-29500}" --rdzv_id "${RUN:-1}" \
    "$(command -v fairseq-train)" "$@" \
    --user-dir fairseq_instr --task translation_with_instructions \
    --distributed-world-size $((nodes * gpus)) --ddp-backend legacy_ddp
