"""Parsers that several importers share: files, templates, placeholders, Python functions. Nothing is run."""
