from __future__ import annotations

from dataclasses import replace

from phraseproof.store.looks import Look, earlier_looks

LOOK = Look({"t": "aa", "u": "bb"}, ("pt-1", "pt-2"), ("pt at 0.01",), "Train.")


def test_other_models_on_the_same_examples_were_looked_at_before() -> None:
    other = replace(LOOK, models=("lora-1",))
    wider = replace(other, examples={"t": "aa", "v": "cc"})
    elsewhere = replace(other, examples={"t": "dd", "v": "cc"})
    assert earlier_looks(LOOK, [other, wider, elsewhere]) == (other, wider)


def test_the_same_report_again_is_no_look() -> None:
    again = replace(LOOK, models=["pt-2", "pt-1"], examples=dict(LOOK.examples), recommendation="Nothing.")
    assert again.is_same_as(LOOK)
    assert earlier_looks(LOOK, [again]) == ()
