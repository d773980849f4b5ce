"""The nouns of phraseproof: data (`data.py`, `model_io.py`) and what models can do (`capabilities.py`).

The flow in a line: *Task + Instruction -> Prompt -> Model -> Outcome -> Finding -> report.*
"""

from phraseproof.core.capabilities import (
    ChecksAnswerPosition,
    ChoosesMethod,
    ChosenMethod,
    CountsParameters,
    ForecastsTokens,
    FormatsChat,
    Generates,
    Model,
    OffersFloat32,
    ReportsSize,
    Represents,
    ScoresOptions,
    StreamsScores,
    TestsItself,
)
from phraseproof.core.data import Cell, Example, Finding, Instruction, Kind, Outcome, Relation, Task
from phraseproof.core.model_io import (
    GREEDY,
    ChatMessage,
    Check,
    CutText,
    ModelIdentity,
    OptionScores,
    Prompt,
    PromptRemark,
    Sampling,
    TokenForecast,
)

__all__ = [
    "GREEDY",
    "Cell",
    "ChatMessage",
    "Check",
    "ChecksAnswerPosition",
    "ChoosesMethod",
    "ChosenMethod",
    "CountsParameters",
    "CutText",
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
    "PromptRemark",
    "Relation",
    "ReportsSize",
    "Represents",
    "Sampling",
    "ScoresOptions",
    "StreamsScores",
    "Task",
    "TestsItself",
    "TokenForecast",
]
