"""A local page that browses run folders: wordings by examples, single answers, two runs next to each other."""
