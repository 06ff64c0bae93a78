"""The subcommands of `fairseq-instr` by their earlier names, from a checkout that isn't installed.

    python scripts/evaluate.py --data data-bin ...

Those names are links to this file.
"""

import sys
from pathlib import Path

SUBCOMMANDS = {
    "convert_llama_checkpoint": "convert",
    "curate_instructions": "curate",
    "curate_labelled": "label",
    "distill_instructions": "distill",
    "evaluate": "evaluate",
    "evaluate_formality": "formality",
    "evaluate_robustness": "robustness",
    "export_ctranslate2": "export",
    "general_tasks": "general-tasks",
    "interpolate_checkpoints": "interpolate",
    "measure_base_rates": "base-rates",
    "playground": "playground",
    "report": "report",
    "triples": "triples",
    "write_inventory": "inventory",
}


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # for the folder of this file
    from fairseq_instr.cli.main import main

    subcommand = SUBCOMMANDS[Path(sys.argv[0]).stem]
    options = [argument.partition("=")[0] for argument in sys.argv[1:]]
    if subcommand == "evaluate" and "--directions" in options:
        subcommand = "directions"
    sys.exit(main([subcommand, *sys.argv[1:]]))
