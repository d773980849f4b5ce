"""The nouns of phraseproof: data (`data.py`) and the capabilities of models (`capabilities.py`). Read these two first.

The flow in a line: *Task + Instruction -> Prompt -> Model -> Outcome -> Finding -> report.*
"""

from phraseproof.core.capabilities import (
    CountsParameters,
    ForecastsTokens,
    FormatsChat,
    Generates,
    Model,
    OffersFloat32,
    Represents,
    ScoresOptions,
    StreamsScores,
    TestsItself,
)
from phraseproof.core.data import (
    GREEDY,
    Cell,
    ChatMessage,
    Check,
    Example,
    Finding,
    Instruction,
    Kind,
    ModelIdentity,
    OptionScores,
    Outcome,
    Prompt,
    Relation,
    Sampling,
    Task,
    TokenForecast,
)

__all__ = [
    "GREEDY",
    "Cell",
    "ChatMessage",
    "Check",
    "CountsParameters",
    "Example",
    "Finding",
    "ForecastsTokens",
    "FormatsChat",
    "Generates",
    "Instruction",
    "Kind",
    "Model",
    "ModelIdentity",
    "OffersFloat32",
    "OptionScores",
    "Outcome",
    "Prompt",
    "Relation",
    "Represents",
    "Sampling",
    "ScoresOptions",
    "StreamsScores",
    "Task",
    "TestsItself",
    "TokenForecast",
]
