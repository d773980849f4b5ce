"""What several importers share: files, templates, placeholders and Python functions, taken apart and never run."""
