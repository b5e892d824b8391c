"""Whether diagnostic blocks of the planned nerves were positive, block by block.

A block counts if it was a medial branch block of the planned nerves on the planned side, relief reached the
cut-off and lasted as long as the agent does, without sedation, with local anaesthetic only. Blocks of one day
count once. Anything not recorded makes the block possible, not positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from foramen.errors import RecordError
from foramen.knowledge.judging import Judgement, all_of, any_of, truth_of
from foramen.knowledge.record_facts import record_fact
from foramen.model.levels import Side
from foramen.model.record import UNKNOWN, BlockKind, ClinicalRecord, DiagnosticBlock, Unknown
from foramen.model.verdict import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLogic:
    """The blocks of a record seen from the planned nerves, side and day."""

    record: ClinicalRecord
    nerves: frozenset[str]
    side: Side
    on: date

    def judge(self, block: DiagnosticBlock, cutoff_percent: float) -> Judgement:
        """Whether one block was positive for the plan, with every part that speaks against it."""
        relief = block.relief_percent
        enough = UNKNOWN if isinstance(relief, Unknown) else relief >= cutoff_percent
        return all_of((*self._validity(block), _part(block, "relief_percent", enough, _relief_words(relief))))

    def count(self, at_least: int, cutoff_percent: float) -> Judgement:
        """Whether enough blocks were positive: certain, impossible, or open."""
        blocks = self.record.blocks
        judged = tuple((block, self.judge(block, cutoff_percent)) for block in blocks.items)
        certain = {_day(block) for block, j in judged if j.truth is Truth.TRUE} - {None}
        undated = sum(j.truth is Truth.TRUE and _day(block) is None for block, j in judged)
        open_blocks = [(block, j) for block, j in judged if j.truth is Truth.UNKNOWN]
        certainly = max(len(certain), 1 if undated else 0)
        possibly = (
            len(certain | {_day(b) for b, _ in open_blocks} - {None})
            + undated
            + sum(_day(b) is None for b, _ in open_blocks)
        )
        found = (
            f"{certainly} of {at_least} needed positive (relief of at least {cutoff_percent:g} %, on different days)",
            *(_words(block, j) for block, j in judged),
            *(() if blocks.items else ("no block is recorded",)),
        )
        if certainly >= at_least:
            return Judgement(truth=Truth.TRUE, found=found)
        if possibly < at_least and blocks.complete_as_of:
            return Judgement(truth=Truth.FALSE, found=(*found, f"list of blocks complete {blocks.complete_as_of}"))
        missing = [fact for _, j in open_blocks for fact in j.missing]
        missing += ["block.date"] if undated or any(_day(b) is None for b, _ in open_blocks) else []
        missing += [] if blocks.complete_as_of else ["block.any"]
        return Judgement(truth=Truth.UNKNOWN, found=found, missing=tuple(dict.fromkeys(missing)))

    def find_negative(self, cutoff_percent: float) -> Judgement:
        """Whether some valid block of the planned nerves gave less relief than the cut-off."""
        judged = []
        for block in self.record.blocks.items:
            relief = block.relief_percent
            less = UNKNOWN if isinstance(relief, Unknown) else relief < cutoff_percent
            judged.append(all_of((*self._place(block), _part(block, "relief_percent", less, _relief_words(relief)))))
        if not judged:
            is_known = bool(self.record.blocks.complete_as_of)
            return Judgement(
                truth=Truth.FALSE if is_known else Truth.UNKNOWN,
                found=("no block is recorded",),
                missing=() if is_known else ("block.any",),
            )
        return any_of(tuple(judged))

    def _place(self, block: DiagnosticBlock) -> tuple[Judgement, ...]:
        covers = UNKNOWN if isinstance(block.nerves, Unknown) else self.nerves <= block.nerves
        nerves = "not recorded" if isinstance(block.nerves, Unknown) else ", ".join(sorted(block.nerves)) or "none"
        side: bool | Unknown = UNKNOWN
        if not isinstance(block.side, Unknown) and block.side != "bilateral":  # relief of each side is asked for
            side = block.side == self.side.value
        day = _day(block)
        return (
            _part(block, "kind", block.kind is BlockKind.MEDIAL_BRANCH, f"kind {block.kind.value.replace('_', ' ')}"),
            _part(block, "nerves", covers, f"nerves {nerves}, planned {', '.join(sorted(self.nerves))}"),
            _part(block, "side", side, f"side {_text(block.side)}, planned {self.side.value}"),
            _part(block, "date", day is None or day <= self.on, f"dated after {self.on.isoformat()}"),
        )

    def _validity(self, block: DiagnosticBlock) -> tuple[Judgement, ...]:
        sedated = block.was_sedated
        return (
            *self._place(block),
            _part(
                block,
                "is_concordant",
                block.is_concordant,
                _yes_no("relief as long as the agent acts", block.is_concordant),
            ),
            _part(block, "was_sedated", UNKNOWN if sedated is UNKNOWN else not sedated, _yes_no("sedated", sedated)),
            _part(
                block,
                "local_anaesthetic_only",
                block.local_anaesthetic_only,
                _yes_no("local anaesthetic only", block.local_anaesthetic_only),
            ),
        )


def _part(block: DiagnosticBlock, field: str, holds: bool | Unknown, words: str) -> Judgement:
    missing = (f"block.{field}",) if holds is UNKNOWN else ()
    return Judgement(truth=truth_of(holds), found=(words,), missing=missing)


def _words(block: DiagnosticBlock, judgement: Judgement) -> str:
    verdict = {
        Truth.TRUE: "positive",
        Truth.FALSE: "does not count",
        Truth.UNKNOWN: "open",
    }[judgement.truth]
    told = [f for f in judgement.found if judgement.truth is not Truth.TRUE or f.startswith("relief of")]
    if judgement.truth is Truth.UNKNOWN:
        told = [f"{record_fact(fact).label} not recorded" for fact in judgement.missing]
    return f"block of {block.date or 'unknown date'}: {verdict} ({'; '.join(told)})"


def _day(block: DiagnosticBlock) -> date | None:
    if not block.date:
        return None
    try:
        return date.fromisoformat(block.date[:10])
    except ValueError as failure:
        raise RecordError(f"A block has the date {block.date!r}. Write it as 2026-05-31, or leave it out.") from failure


def _text(value: str | Unknown) -> str:
    return "not recorded" if isinstance(value, Unknown) else value


def _relief_words(relief: float | Unknown) -> str:
    return "relief of unknown size" if isinstance(relief, Unknown) else f"relief of {relief:g} %"


def _yes_no(text: str, value: bool | Unknown) -> str:
    return f"{text}: {'not recorded' if isinstance(value, Unknown) else 'yes' if value else 'no'}"
