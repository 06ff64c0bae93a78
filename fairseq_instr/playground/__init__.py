"""A small local web page: a sentence, instructions by axis, base and tuned model side by side."""
