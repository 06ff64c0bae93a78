"""Reports of evaluations: one schema, shown as Markdown and HTML, with plots."""
