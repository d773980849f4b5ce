"""`paraphrase-sources`: paraphrases of several sources, and alignments trained on them (Tables 12 and 13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.errors import UsageError
from phraseproof.evaluation.resolve import load_wordings
from phraseproof.instructions.paraphrase_statistics import ParaphraseStatistics, describe_paraphrases
from phraseproof.studies.aligned_models import AVERAGE, aligned_models, training_notes
from phraseproof.studies.alignment import by_benchmark_table, tests_table
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import (
    aligned_base,
    aligned_evaluation,
    alignment_step,
    study_settings,
    training_seeds,
)
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, UNOBSERVED, material_of
from phraseproof.studies.measured import measured_notes
from phraseproof.studies.paraphrase_step import ParaphraseStep, paraphrase_steps, paraphrased
from phraseproof.studies.published import PublishedFigure, figures
from phraseproof.studies.seeds import seed_rows, seed_tables
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import ALIGNMENT, UsedOptions

if TYPE_CHECKING:
    from phraseproof.core import Instruction

ALIGNED, STATISTICS = "Table 12", "Table 13"
_EVALUATED = frozenset((OBSERVED, UNOBSERVED))
_OF_SOURCES = ("paraphrasers", "paraphraser_args")
METHOD = "pt+kl"
"""The paper's method, which Table 12 is about."""


class SourceStatistics(NamedTuple):
    """The paraphrases of one source.

    Attributes:
        name: of the source.
        collections: which hold its paraphrases.
        found: length and similarity.
    """

    name: str
    collections: tuple[str, ...]
    found: ParaphraseStatistics


class ParaphraseSources:
    """Paraphrases of several sources, and alignments that are trained on them."""

    name = "paraphrase-sources"
    exhibit = "Tables 12 and 13"
    about = "length of paraphrases of several sources, their ROUGE-2 with the seed, and accuracy after PT+KL with them"
    needs = (
        "sources: every group of --instructions but observed and unobserved, and every --paraphraser; without --model "
        "nothing is trained"
    )
    min_models: int = 0
    options = UsedOptions(
        of_models=ALIGNMENT | {"seeds", *_OF_SOURCES},
        of_runs=frozenset(),
        of_neither=frozenset({"instructions", *_OF_SOURCES}),
        of_paraphrasers=frozenset({"seed", "device", "dtype"}),
        groups=None,
        of_others=False,
    )

    def first(self, request: StudyRequest) -> Sequence[ParaphraseStep]:
        """The paraphrases that are still to be made: pairs of them are trained on."""
        return [step for step in paraphrase_steps(request) if not step.is_finished]

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """For every paraphraser its paraphrases, for every model its run, and trainings with their runs.

        There is one for every seed and source whose paraphrases are there.

        Raises:
            UsageError: no source is named; a file of pairs, which has one; run folders, which name no source;
                wordings to evaluate without a model; or paraphrases of no known wording.
        """
        sources = sources_of(request)
        if request.pairs is not None:
            raise UsageError(
                "a file of pairs is one source of paraphrases",
                expected="a collection for each source, as in --instructions gpt=paraphrased-by-gpt.yaml",
                where="--pairs",
            )
        if request.runs:
            raise UsageError(
                "a run folder does not say whose paraphrases its model was aligned with",
                expected="--model, or neither for the statistics of the paraphrases alone",
                where="--run",
            )
        if not request.models and UNOBSERVED in request.instructions:
            raise UsageError("--unobserved has no effect without a model", where="--model")
        # Here, so that paraphrases that cannot be described are refused before anything is trained.
        describe_sources(request)
        evaluated = replace(
            request,
            instructions={name: found for name, found in request.instructions.items() if name in _EVALUATED},
        )
        steps: list[Step] = [*paraphrase_steps(request)]
        for model in request.models:
            base = aligned_base(evaluated, model)
            steps.append(base)
            made = {
                source: alignment_pairs(evaluated, model, paraphrases=members) for source, members in sources.items()
            }
            for seed in training_seeds(request):
                settings = study_settings(evaluated, model, METHOD, seed=seed)
                for source, pairs in made.items():
                    training = alignment_step(evaluated, model, pairs=pairs, settings=settings, label=source)
                    steps += [training, aligned_evaluation(training, base)]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The sources, what was trained on them, and both in the paper."""
        described = describe_sources(request)
        made = [step for step in steps if isinstance(step, ParaphraseStep)]
        others = [step for step in steps if not isinstance(step, ParaphraseStep)]
        measured = aligned_models(others, seed=request.seed) if others else []
        printed = {table: figures([table]) for table in (STATISTICS, ALIGNED)}
        rows = [row for each in described for row in _result_rows(each)]
        for each in measured:
            rows += each.base.result_rows()
            rows += [_of_source(row, aligned.name) for aligned in each.aligned for row in aligned.result_rows()]
        rows += seed_rows(measured)
        rows += [row for found in printed.values() for each in found for row in each.rows()]
        notes = [step.note for step in made]
        notes += measured_notes([each.base for each in measured])
        notes += [note for each in measured for note in training_notes(each.aligned)]
        tables = [_statistics_table(described), _printed_statistics(printed[STATISTICS])]
        if measured:
            tables += [by_benchmark_table(measured), tests_table(measured), *seed_tables(measured)]
            tables.append(_printed_alignments(printed[ALIGNED]))
        return Exhibit(
            study=self.name,
            title="Sources of paraphrases",
            tables=tuple(tables),
            results=ResultTable(tuple(rows)),
            notes=tuple(dict.fromkeys(notes)),
        )


def sources_of(request: StudyRequest) -> Mapping[str, tuple[str, ...]]:
    """The collections of each source: the user's groups that are not evaluated, and what paraphrasers have made.

    Where neither is named, those of the first model's family.

    Raises:
        UsageError: there are none, or two have the same name.
    """
    sources = {name: found for name, found in request.instructions.items() if name not in _EVALUATED}
    for step in paraphrase_steps(request):
        if step.source in sources:
            raise UsageError("two sources of paraphrases have the same name", got=step.source, where="--paraphraser")
        sources[step.source] = step.collections
    if request.paraphrasers:
        return {name: members for name, members in sources.items() if members}
    sources = sources or (material_of(request.models[0]).paraphrase_sources if request.models else sources)
    if not sources:
        raise UsageError(
            "no source of paraphrases is named",
            expected="a group of wordings for each source, as in gpt=paraphrased-by-gpt.yaml, or --paraphraser MODEL",
            where="--instructions",
        )
    return sources


def describe_sources(request: StudyRequest) -> list[SourceStatistics]:
    """Length and similarity of the paraphrases of every source.

    Raises:
        UsageError: no source, or no wordings that are paraphrased.
        PhraseproofError: a collection cannot be loaded.
    """
    sources = sources_of(request)
    model = request.models[0] if request.models else None
    wordings = _wordings(paraphrased(request), model)
    return [
        SourceStatistics(
            name,
            tuple(_within(member, request.out) for member in members),
            describe_paraphrases(_wordings(members, model), wordings),
        )
        for name, members in sources.items()
    ]


def _within(collection: str, out: Path) -> str:
    """A collection's name; of a file in the folder of studies, its path there."""
    path = Path(collection)
    return path.relative_to(out).as_posix() if path.is_relative_to(out) else collection


def _wordings(members: Sequence[str], model: str | None) -> list[Instruction]:
    return [wording for each in load_wordings(members, model=model) for wording in each.instructions]


def _statistics_table(described: Sequence[SourceStatistics]) -> ExhibitTable:
    rows = tuple(
        (
            each.name,
            ", ".join(each.collections),
            str(each.found.wordings),
            _with_std(each.found.length, each.found.length_std),
            _with_std(100 * each.found.rouge2, each.found.rouge2_std, 100),
        )
        for each in described
    )
    lines = ["mean ± Std over paraphrases; of the instruction alone, without input and placeholders"]
    unnamed = [each.name for each in described if each.found.named < each.found.wordings]
    if unnamed:
        lines.append(
            f"{', '.join(unnamed)}: paraphrases that do not name their seed are compared with every wording for the "
            "same tasks, and mean and Std of ROUGE-2 are over these pairs"
        )
    headings = ("source", "collections", "wordings", "length (words)", "ROUGE-2 with the seed (%)")
    return ExhibitTable("Paraphrases", headings, rows, tuple(lines), num_names=2)


def _printed_statistics(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    cells = {(each.name, each.metric): each.shown for each in printed}
    rows = tuple(
        (name, cells[name, "tokens"], cells[name, "rouge2"]) for name in dict.fromkeys(each.name for each in printed)
    )
    line = "of instruction and input together, which raises both; the tokenizer is not named"
    return ExhibitTable(
        f"The paper's figures ({STATISTICS})",
        ("source", "length (tokens)", "ROUGE-2 with the seed (%)"),
        rows,
        (line,),
    )


def _printed_alignments(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    """The layout of Table 12."""
    cells = {(each.row, each.group): each.shown for each in printed}
    sources = dict.fromkeys(each.row.partition(", ")[0] for each in printed)
    rows = tuple(
        (
            source if name == "MMLU" else "",
            name,
            *(cells[f"{source}, {name}", group] for group in (OBSERVED, UNOBSERVED, "")),
        )
        for source in sources
        for name in ("MMLU", "BBL")
    )
    headings = ("source", "benchmark", OBSERVED, UNOBSERVED, AVERAGE)
    title = f"The paper's figures ({ALIGNED}, {printed[0].model} after PT+KL)"
    return ExhibitTable(title, headings, rows, num_names=2)


def _of_source(row: ResultRow, source: str) -> ResultRow:
    """The same with the source of the paraphrases, which the folder of the run does not name."""
    return replace(row, method=f"{row.method}; aligned with paraphrases of {source}")


def _with_std(mean: float, std: float | None, scale: float = 1) -> str:
    return f"{mean:.1f}" if std is None else f"{mean:.1f} ± {scale * std:.1f}"


def _result_rows(of: SourceStatistics) -> Iterator[ResultRow]:
    found = of.found
    values = (
        ("length", found.length, "words"),
        ("std of length", found.length_std, "words"),
        ("ROUGE-2 with the seed", 100 * found.rouge2, "%"),
        ("std of ROUGE-2 with the seed", None if found.rouge2_std is None else 100 * found.rouge2_std, "%"),
    )
    for statistic, value, unit in values:
        if value is not None:
            yield ResultRow(
                run="",
                level=Level.OVERALL,
                group=of.name,
                statistic=statistic,
                estimate=value,
                n=found.wordings,
                method="over paraphrases",
                unit=unit,
            )
