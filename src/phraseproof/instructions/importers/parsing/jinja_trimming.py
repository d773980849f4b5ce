"""Strip white space from both ends of a template, also inside the blocks there."""

from __future__ import annotations

from collections.abc import Iterable

from phraseproof.instructions.importers.parsing.jinja_segments import (
    BlockSegment,
    CodeSegment,
    JinjaSegment,
    TextSegment,
)


def strip(segments: list[JinjaSegment]) -> list[JinjaSegment]:
    """Remove white space at both ends, also inside blocks at the ends. The text segments are changed in place."""
    return _strip_end(_strip_start(segments))


def _strip_start(segments: list[JinjaSegment]) -> list[JinjaSegment]:
    while segments and isinstance(segments[0], TextSegment):
        segments[0].text = segments[0].text.lstrip()
        if segments[0].text:
            return segments
        segments = segments[1:]
    if segments and isinstance(segments[0], CodeSegment) and not segments[0].is_output:
        return [segments[0], *_strip_start(segments[1:])]
    if segments and isinstance(segments[0], BlockSegment) and segments[0].keyword == "if":
        for branch in segments[0].branches:
            branch.body = _strip_start(branch.body)
        if all(_says_nothing(branch.body) for branch in segments[0].branches):
            return [segments[0], *_strip_start(segments[1:])]
    return segments


def _strip_end(segments: list[JinjaSegment]) -> list[JinjaSegment]:
    while segments and isinstance(segments[-1], TextSegment):
        segments[-1].text = segments[-1].text.rstrip()
        if segments[-1].text:
            return segments
        segments = segments[:-1]
    if segments and isinstance(segments[-1], BlockSegment) and segments[-1].keyword == "if":
        for branch in segments[-1].branches:
            branch.body = _strip_end(branch.body)
    return segments


def _says_nothing(segments: Iterable[JinjaSegment]) -> bool:
    return all(isinstance(segment, CodeSegment) and not segment.is_output for segment in segments)


def is_empty(segments: Iterable[JinjaSegment]) -> bool:
    """Whether the segments render to white space for every example."""
    return all(
        not segment.text.strip()
        if isinstance(segment, TextSegment)
        else all(is_empty(branch.body) for branch in segment.branches)
        if isinstance(segment, BlockSegment)
        else not segment.is_output
        for segment in segments
    )
