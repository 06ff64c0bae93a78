"""Reports for reading: Markdown, plots, and one HTML page for any number of reports."""

from fairseq_instr.reports.combined import write_page
from fairseq_instr.reports.files import describe, read_report, report_folder, write_report

__all__ = ["describe", "read_report", "report_folder", "write_page", "write_report"]
