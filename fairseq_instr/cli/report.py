"""Put reports of evaluations on one page that needs no network, and in Markdown.

    fairseq-instr report first/report.json second/report.json --output reports.html

Writes reports.html and reports.md: everything in each report, and tables that compare them. Reports
of earlier versions are read too.
"""

from __future__ import annotations

from fairseq_instr.cli.options import add_output, option
from fairseq_instr.reports import write_page


def add_arguments(parser) -> None:
    parser.add_argument(
        "reports", nargs="+", metavar="REPORT.json",
        help="report of evaluate, directions, formality, robustness or general-tasks",
    )  # fmt: skip
    option(parser, "--title", "Evaluation", "heading of the page")
    add_output(parser, "page to write, .html; .md is written beside it")


def run(args) -> None:
    """Write the page, and print the names of the two files."""
    for path in write_page(args.reports, args.output, args.title, args.force):
        print(path)
