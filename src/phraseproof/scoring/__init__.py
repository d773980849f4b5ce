"""How an answer is read from a model's scores (scorers), and how good it is (metrics). One of them per file.

Other packages announce their own under the entry-point groups `phraseproof.scorers` and `phraseproof.metrics`.
"""
