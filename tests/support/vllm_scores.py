"""Scores prompts with `vllm/FOLDER` in an environment that has vLLM: JSON from standard input, JSON to standard output.

Usage: python vllm_scores.py FOLDER [ADAPTER] < prompts.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    from phraseproof.core import Prompt
    from phraseproof.models import ModelOptions
    from phraseproof.models.vllm import load

    adapter = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    model = load(f"vllm/{sys.argv[1]}", ModelOptions(adapter=adapter, max_length=1024))
    prompts = [Prompt(text, tuple(options), delimiter) for text, options, delimiter in json.load(sys.stdin)]
    scores = model.score_options(prompts)
    checks = model.self_test(prompts[:4])
    content = {
        "scores": [[list(each.logprobs), each.computed_tokens, each.asked_tokens] for each in scores],
        "checks": [[check.name, check.passed, check.detail] for check in checks],
    }
    print("\n" + json.dumps(content))


if __name__ == "__main__":
    main()
