"""Put reports of evaluations on one page that needs no network, and beside it in Markdown.

    python scripts/report.py first/report.json second/report.json --output reports.html

writes reports.html and reports.md: everything in each report, and what compares between them.
"""

import argparse
import logging

from fairseq_instr.reports.combined import write_combined_report


def main():
    # importing fairseq turns on the debugging output of every library
    logging.getLogger().setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", metavar="REPORT.json", help="of scripts/evaluate*.py")
    parser.add_argument("--output", required=True, help="page to write; .md is written beside it")
    parser.add_argument("--title", default="Evaluation", help="of the page")
    parser.add_argument("--force", action="store_true", help="overwrite the two files")
    args = parser.parse_args()
    for path in write_combined_report(args.reports, args.output, args.title, args.force):
        print(path)


if __name__ == "__main__":
    main()
