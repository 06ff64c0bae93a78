#!/bin/sh
# Print the path of the first interpreter that runs: each name is tried on PATH, then among the
# versions that pyenv holds (its shims on PATH refuse to run a version that is not switched on).
#
#     sh scripts/find_python.sh python3.11 python3.12 python3
for name in "$@"; do
    for interpreter in "$name" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/"$name"; do
        "$interpreter" -c 'import sys; print(sys.executable)' 2>/dev/null && exit 0
    done
done
echo "no interpreter runs here under the name: $*" >&2
exit 1
