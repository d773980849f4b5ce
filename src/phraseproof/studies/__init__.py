"""Studies: each table and figure of the paper as one file that says which runs it needs and makes the exhibit of them.

`study.py` says what a study is; `registry.py` lists them all; `carry_out.py` runs one. docs/studies.md is for users.
"""
