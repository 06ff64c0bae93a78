"""Put reports of evaluations on one page that needs no network, and beside it in Markdown.

    fairseq-instr report first/report.json second/report.json --output reports.html

writes reports.html and reports.md: everything in each report, and what compares between them.
"""

from fairseq_instr.reports.combined import write_combined_report


def add_arguments(parser):
    parser.add_argument("reports", nargs="+", metavar="REPORT.json", help="of an evaluation")
    parser.add_argument("--output", required=True, help="page to write; .md is written beside it")
    parser.add_argument("--title", default="Evaluation", help="of the page")
    parser.add_argument("--force", action="store_true", help="overwrite the two files")


def run(args):
    for path in write_combined_report(args.reports, args.output, args.title, args.force):
        print(path)
