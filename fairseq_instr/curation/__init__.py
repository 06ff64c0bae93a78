"""Task data for instructions: from parallel text by rule or by selection, and labelled data."""
