"""Report (HTML and PDF) and card of a plan; returns text and bytes, opens no file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from foramen.errors import ForamenError
from foramen.knowledge.facts import number
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.plan import HEAT_CHECK, CheckStatus, Plan
from foramen.model.verdict import Criterion, Severity, Truth
from foramen.report.figures import distinct_views, figures, picture_of_view, pictured_views
from foramen.report.findings import FindingLine, findings_at
from foramen.report.messages import message
from foramen.report.robustness import COOL_BELOW, cool_structures
from foramen.report.sheet import is_posture_changed, keep_out_lines, target_sheets, unknown_lines

if TYPE_CHECKING:
    from weasyprint import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """How tightly the card is set: the size of its type, its views, and how much it shows of what may be cut.

    Only questions and the reasons of cautions may be cut (`items`, `characters`). Skin entries, dials, unknown
    structures, drug totals, stop rules and stimulation tests never are.
    """

    type_pt: float
    items: int
    characters: int
    views: int


_FITS: tuple[_Fit, ...] = (
    _Fit(type_pt=8.2, items=40, characters=400, views=6),
    _Fit(type_pt=7.3, items=40, characters=400, views=6),
    _Fit(type_pt=6.7, items=40, characters=400, views=6),
    _Fit(type_pt=6.7, items=8, characters=250, views=6),
    _Fit(type_pt=6.2, items=4, characters=180, views=6),
    _Fit(type_pt=6.2, items=4, characters=180, views=3),
    _Fit(type_pt=5.8, items=2, characters=60, views=3),
    _Fit(type_pt=5.4, items=2, characters=60, views=0),
)
"""Tried in this order until the card is one page; what is left out says so and stands in the report."""


_SAID_ELSEWHERE = ("not shown", "warnings", "candidacy", "posture")
"""Checks whose caution the card says in a box of its own or with the skin entries."""

_STIMULATION = "_threshold_v"
"""Steps with a threshold in volts are the stimulation tests, which the card repeats."""


def render_report(plan: Plan, case: Case, anatomy: Anatomy, pictures: Mapping[str, bytes] | None = None) -> str:
    """Self-contained HTML of the report.

    Parameters
    ----------
    plan, case, anatomy
        What is reported; they must share a frame of reference.
    pictures : mapping, optional
        Result of `figures`, if it was made before; otherwise it is made here.
    """
    shown = _pictures(plan, case, anatomy, pictures)
    return _fill("report.html.j2", plan, anatomy, shown, is_print=False, findings=findings_at(plan, case))


def render_pdf(plan: Plan, case: Case, anatomy: Anatomy, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """PDF of the report, A4; identity and disclaimer on every page.

    Raises
    ------
    ForamenError
        If the system's Pango libraries are missing; the message says what to install.
    """
    shown = _pictures(plan, case, anatomy, pictures)
    text = _fill("report.html.j2", plan, anatomy, shown, is_print=True, findings=findings_at(plan, case))
    return _pdf(_lay_out(text))


def render_card(plan: Plan, case: Case, anatomy: Anatomy, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """PDF of the card for the procedure table: exactly one A4 page.

    Raises
    ------
    ForamenError
        If the Pango libraries are missing, or the plan has more targets than a page holds.
    """
    shown = _pictures(plan, case, anatomy, pictures)
    for fit in _FITS:
        document = _lay_out(_fill("card.html.j2", plan, anatomy, shown, is_print=True, fit=fit))
        if len(document.pages) == 1:
            return _pdf(document)
    raise ForamenError(
        f"The card needs more than one page for {len(plan.targets)} targets. Plan fewer nerves in one session, "
        "or use the report."
    )


def _pictures(plan: Plan, case: Case, anatomy: Anatomy, pictures: Mapping[str, bytes] | None) -> Mapping[str, bytes]:
    return figures(plan, case, anatomy) if pictures is None else pictures


def _fill(
    template: str,
    plan: Plan,
    anatomy: Anatomy,
    pictures: Mapping[str, bytes],
    *,
    is_print: bool,
    fit: _Fit | None = None,
    findings: tuple[FindingLine, ...] = (),
) -> str:
    limit = fit.characters if fit is not None else None

    def short(text: str) -> str:
        return text if limit is None or len(text) <= limit else f"{text[: limit - 1].rstrip()}…"

    environment = Environment(
        loader=PackageLoader("foramen.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    knowledge = technique_knowledge(plan.technique)
    passed = [check for check in plan.checks if check.status is CheckStatus.PASS]
    cool = [check for check in passed if check.id.startswith(HEAT_CHECK)]
    environment.filters["short"] = short
    environment.filters["found"] = _found
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    return environment.get_template(template).render(
        plan=plan,
        anatomy=anatomy,
        knowledge=knowledge,
        stimulation=tuple(step.text for step in knowledge.steps if step.quantity.endswith(_STIMULATION)),
        sheets=target_sheets(plan, anatomy),
        notable=tuple(c for c in plan.verdict.criteria if not _is_ruled_out(c)),
        ruled_out=tuple(c for c in plan.verdict.criteria if _is_ruled_out(c)),
        passed=[check for check in passed if check not in cool],
        cool=len(cool),
        unknowns=unknown_lines(plan, anatomy),
        cautions_of_the_card=tuple(
            check for check in plan.checks if check.status is CheckStatus.CAUTION and check.id not in _SAID_ELSEWHERE
        ),
        keep_outs=keep_out_lines(plan, anatomy),
        views=distinct_views(plan),
        pictured=pictured_views(plan),
        picture_of_view=picture_of_view,
        cool_structures=cool_structures(plan.robust),
        cool_level_degC=COOL_BELOW,
        hottest_volume_mm3=number("tissues.hottest_volume_mm3"),
        is_posture_changed=is_posture_changed(plan),
        picture={name: _data_uri(content) for name, content in pictures.items()},
        t=message,
        is_print=is_print,
        fit=fit,
        findings=findings,
    )


def _is_ruled_out(line: Criterion) -> bool:
    """Whether something that would speak against the procedure was asked and is absent."""
    return line.truth is Truth.FALSE and line.severity not in (Severity.REQUIRED, Severity.SUPPORTING)


def _found(line: Criterion) -> str:
    """The reason of a line without its repetition of the question."""
    return line.reason.removeprefix(f"{line.text}: ").partition("Found: ")[2] or line.reason


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _lay_out(html: str) -> Document:
    """A page description broken into pages."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as failure:
        raise ForamenError(
            f"PDF needs the Pango libraries, which this computer does not have ({failure}). Install them "
            "(Debian, Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0; macOS: brew install pango; "
            "Fedora: dnf install pango). The HTML report works without them."
        ) from failure
    embedded_only = URLFetcher(allowed_protocols={"data"})  # no file and no network is read
    return HTML(string=html, url_fetcher=embedded_only).render()


def _pdf(document: Document) -> bytes:
    """PDF of laid-out pages; whole fonts are embedded, since cutting them down costs seconds."""
    return bytes(document.write_pdf(full_fonts=True))
