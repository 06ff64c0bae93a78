#!/bin/sh
# Download what benchmarks/gpu.py needs beside torch, numpy and transformers, for a machine without
# a network.
#
#     sh benchmarks/gpu_wheels.sh wheels           # here, with a network; below 60 MB
#     python benchmarks/gpu.py --wheels wheels     # there, with Python 3.12
set -eu
folder=${1:-wheels}
pip download -q --no-deps --only-binary :all: --python-version 3.12 --implementation cp \
    --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 \
    --platform manylinux_2_28_x86_64 --platform any -d "$folder" \
    fairseq-fixed==0.12.3.1 omegaconf==2.3.0 hydra-core bitarray cffi pycparser cython regex \
    sacrebleu portalocker tabulate colorama lxml sentencepiece tqdm pyyaml \
    liger-kernel cut-cross-entropy
# these have no wheels: pure Python, built here
pip wheel -q --no-deps -w "$folder" langid antlr4-python3-runtime==4.9.3
du -sm "$folder"
