"""The table of docs/architectures.md: every architecture, how it is scored, and with which adapters."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from support import architectures
from support.adapter_audit import KINDS, AdapterAudit, audit_adapters
from support.architecture_audit import Audit, audit

DOCS = Path(__file__).parents[2] / "docs" / "architectures.md"

_HEAD = """# Architectures

Every decoder-only and encoder-decoder architecture of transformers {version} that reads text alone and that can be
built from a small configuration, with random weights: its scores through the public interface (short prompts, prompts
at the context limit, letters, texts of several tokens, all in one call and some alone), compared with a plain pass of
transformers over one prompt and one option, in float32. It agrees if all of them differ by less than 1e-4 nats.

The last columns are adapters of PEFT {peft} with random weights, saved by PEFT and loaded with `--adapter`: their
scores compared with one pass of PEFT's own model over one prompt and one option, in float32, to 1e-4 nats. LoRA
and IA3 are on every linear layer. "PEFT refuses" is where PEFT cannot make the adapter or compute a prompt with it;
"refused" is where `--adapter` stops with one line.

Hardly anything depends on the name of an architecture: a network takes the first way that gives the right scores when
it is tried, on short requests and again at every length that its configuration names (windows, chunks, limits) when
prompts first cross it; [scoring.md](scoring.md) describes the ways. The table says which way short requests take. A
name with a slash is a variant: `decoder` is the decoder of an encoder-decoder alone, others are kinds of rotary
positions. Encoders such as BERT are built as decoders (`is_decoder: true`); as masked language models they are refused.

{multimodal}
This page is written by `PYTHONPATH=src:tests python -m support.architecture_table`, which takes some ten minutes.
`tests/models/huggingface/test_ways.py` scores every architecture and `test_adapters.py` adapters of some; both fail
where the page is old.

| architecture | scored | agrees | refused because | LoRA | IA3 | prompt tuning | p-tuning | prefix tuning |
|---|---|---|---|---|---|---|---|---|
"""

MULTIMODAL = """\
Checkpoints that also read images or sound are scored on text where transformers has a causal language model class for
their type. Built small, `gemma3`, `gemma4`, `gemma4_unified`, `llama4`, `git`, `qwen3_5`, `moshi` and `t5gemma2` agree
in the same way; others (`phi4_multimodal`, `gemma3n`) are loaded and tried as every network, but are not compared here.
Where transformers has no such class (`llava`, `mistral3`, `qwen2_vl`, `qwen2_5_vl`, `idefics3`; the types under which
`mllama` and `emu3` save their text part; speech models such as `qwen2_audio`), they are refused by name: the text
decoder has to be saved as a separate model. `dbrx` and `zamba` are not in the table because their classes do not fit
their configurations in this release of transformers: `dbrx` cannot be built, and of `zamba` no small configuration that
was tried passes its checks. Draft models (`gemma4_assistant`) read another model's states and are no models alone.
"""


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        path: how the architecture is scored; empty where it is refused.
        agrees: "yes", or by how much scores differ.
        refused: the refusal, without what was expected.
        adapters: what was found for each of `KINDS`.
    """

    path: str
    agrees: str
    refused: str
    adapters: dict[str, str]

    def line(self, name: str) -> str:
        """As Markdown."""
        cells = [f"`{name}`", self.path, self.agrees, self.refused, *(self.adapters[kind] for kind in KINDS)]
        return f"| {' | '.join(cells)} |"


def row(found: Audit, adapters: dict[str, AdapterAudit]) -> Row:
    """The line of one architecture."""
    agrees = "" if found.refused else "yes" if found.worst < 1e-4 else f"**off by {found.worst:.1g}**"
    results = {kind: "" if found.refused else adapters[kind].result for kind in KINDS}
    return Row(found.path, agrees, found.refused.partition(" (")[0], results)


def table() -> dict[str, Row]:
    """The table as it is in the docs."""
    found: dict[str, Row] = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = Row(cells[1], cells[2], cells[3], dict(zip(KINDS, cells[4:], strict=True)))
    return found


def write(rows: dict[str, Row]) -> None:
    """Write docs/architectures.md."""
    import peft
    import transformers

    head = _HEAD.format(version=transformers.__version__, peft=peft.__version__, multimodal=MULTIMODAL)
    DOCS.write_text(head + "".join(found.line(name) + "\n" for name, found in rows.items()), encoding="utf-8")


def main() -> None:
    """Score every architecture, alone and with adapters, and write the page."""
    rows: dict[str, Row] = {}
    for encoder_decoder, names in enumerate(architectures.names()):
        for name in names:
            is_pair = bool(encoder_decoder)
            found = audit(name, encoder_decoder=is_pair)
            rows[name] = row(found, {} if found.refused else audit_adapters(name, encoder_decoder=is_pair))
    write(rows)


if __name__ == "__main__":
    main()
