"""Benchmarks: honest ratios, measured side by side. Never part of the tests."""

import os

# Energy tracking costs processor time, and what we compare with does not track: off, also in child processes.
os.environ["PHRASEPROOF_ENERGY"] = "off"
