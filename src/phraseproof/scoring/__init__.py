"""How an answer is read from a model's scores (scorers), and how good it is (metrics). Each file holds one.

Other packages register their own under the entry-point groups `phraseproof.scorers` and `phraseproof.metrics`.
"""
