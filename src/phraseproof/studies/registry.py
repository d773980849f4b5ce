"""All studies, in the order of the paper; what all of them cost comes last."""

from __future__ import annotations

from difflib import get_close_matches

from phraseproof.errors import UsageError
from phraseproof.studies.alignment import AlignmentStudy
from phraseproof.studies.alignment_distance import AlignmentDistance
from phraseproof.studies.closer_look import CloserLook
from phraseproof.studies.distance import DistanceStudy
from phraseproof.studies.energy import EnergyStudy
from phraseproof.studies.few_shot import FewShot
from phraseproof.studies.forgetting import ForgettingStudy
from phraseproof.studies.negation import NegationStudy
from phraseproof.studies.objectives import ObjectivesStudy
from phraseproof.studies.paraphrase_sources import ParaphraseSources
from phraseproof.studies.pretraining import PretrainingStudy
from phraseproof.studies.representations import RepresentationsStudy
from phraseproof.studies.retrain_vs_align import RetrainVsAlign
from phraseproof.studies.scaling import ScalingStudy
from phraseproof.studies.study import Study
from phraseproof.studies.table_2 import TableTwo
from phraseproof.studies.table_3 import TableThree
from phraseproof.studies.table_4 import TableFour

STUDIES: tuple[Study, ...] = (
    TableTwo(),
    TableThree(),
    TableFour(),
    ScalingStudy(),
    FewShot(),
    CloserLook(),
    RepresentationsStudy(),
    DistanceStudy(),
    AlignmentStudy(),
    AlignmentDistance(),
    RetrainVsAlign(),
    ParaphraseSources(),
    ObjectivesStudy(),
    NegationStudy(),
    PretrainingStudy(),
    ForgettingStudy(),
    EnergyStudy(),
)


def study_named(name: str) -> Study:
    """The study of a name.

    Raises:
        UsageError: there is none.
    """
    by_name = {study.name: study for study in STUDIES}
    if name not in by_name:
        close = get_close_matches(name, by_name, n=1)
        raise UsageError(
            f"no study is called {name!r}",
            expected=f"one of: {', '.join(by_name)}",
            hint=f"Did you mean {close[0]!r}?" if close else "`phraseproof study list` shows them",
        )
    return by_name[name]
