"""Programs for those who develop and release phraseproof. None of them is in the package."""
