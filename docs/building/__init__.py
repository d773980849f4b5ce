"""What makes the documentation: code blocks that run, their printed outputs, reference pages, the site.

`make docs` builds the site in build/docs, and `make docs-outputs` writes what the pages show commands to print.
"""
