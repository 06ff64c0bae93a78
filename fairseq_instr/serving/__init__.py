"""Serving a tuned model: export to CTranslate2, and translating with what was exported."""
