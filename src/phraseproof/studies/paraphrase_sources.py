"""`paraphrase-sources`: paraphrases of several sources, their length and their similarity (Table 13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.errors import UsageError
from phraseproof.evaluation.resolve import load_wordings
from phraseproof.instructions.paraphrase_statistics import ParaphraseStatistics, describe_paraphrases
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, UNOBSERVED, material_of
from phraseproof.studies.published import PublishedFigure, figures
from phraseproof.studies.study import Step, StudyRequest

if TYPE_CHECKING:
    from phraseproof.core import Instruction

STATISTICS = "Table 13"


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
    """Paraphrases of several sources."""

    name = "paraphrase-sources"
    exhibit = "Table 13"
    about = "length of paraphrases of several sources, and their ROUGE-2 with the wordings that they paraphrase"
    needs = "collections of paraphrases: every group of --instructions but observed and unobserved is a source"
    min_models: int = 0

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """Nothing is computed."""
        del request
        return ()

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The sources, and those of the paper."""
        del steps
        described = describe_sources(request)
        printed = figures([STATISTICS])
        rows = [row for each in described for row in _result_rows(each)]
        rows += [row for each in printed for row in each.rows()]
        return Exhibit(
            study=self.name,
            title="Sources of paraphrases",
            tables=(_statistics_table(described), _printed_statistics(printed)),
            results=ResultTable(tuple(rows)),
        )


def sources_of(request: StudyRequest) -> Mapping[str, tuple[str, ...]]:
    """The collections of each source: the user's groups that are not evaluated, or those of the first model's family.

    Raises:
        UsageError: there are none.
    """
    named = {name: found for name, found in request.instructions.items() if name not in {OBSERVED, UNOBSERVED}}
    sources = named or (material_of(request.models[0]).paraphrase_sources if request.models else named)
    if not sources:
        raise UsageError(
            "no source of paraphrases is named",
            expected="a group of wordings for each source, as in gpt=paraphrased-by-gpt.yaml",
            where="--instructions",
            hint="`phraseproof paraphrase` makes a collection of paraphrases with any model",
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
    seeds = request.instructions.get(OBSERVED) or (material_of(model).observed if model else ())
    if not seeds:
        raise UsageError(
            "the wordings that are paraphrased are not named",
            expected="--observed with their collections, or --model",
            where="--observed",
        )
    wordings = _wordings(seeds, model)
    return [
        SourceStatistics(name, members, describe_paraphrases(_wordings(members, model), wordings))
        for name, members in sources.items()
    ]


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
                num_fewshot=0,
                scoring="",
                level=Level.OVERALL,
                category="",
                task="",
                group=of.name,
                wording="",
                statistic=statistic,
                estimate=value,
                low=None,
                high=None,
                p_value=None,
                n=found.wordings,
                method="over paraphrases",
                unit=unit,
            )
