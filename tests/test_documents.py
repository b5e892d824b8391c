"""The project's documents: version, pages of techniques, links, facts and commands that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cyclopts
import pytest

import foramen
import foramen.cli
from foramen.io.label_schemes import read_scheme, shipped_schemes
from foramen.io.record import parse_record
from foramen.knowledge.facts import fact
from foramen.knowledge.labels import vertebra_value
from foramen.model.levels import Vertebra
from foramen.model.record import UNKNOWN

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "foramen"
DOCUMENTS = ROOT / "docs"

TECHNIQUE_SECTIONS = (
    "Overview",
    "Concepts",
    "Who",
    "Who not",
    "Allowances",
    "Restrictions",
    "Algorithm",
    "Reading the result",
    "Evidence",
    "Limits",
)
"""Headings of every technique's page, in this order."""


def pages() -> list[Path]:
    """All Markdown pages of the documentation."""
    return sorted(path for path in DOCUMENTS.rglob("*.md") if "_build" not in path.parts)


def test_the_changelog_is_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, re.M)
    assert versions, "CHANGELOG.md has no version"
    assert versions[0] == foramen.__version__
    newest = text.split("\n## [")[1]
    assert "### Numerical changes" in newest, "say whether numbers changed, and by how much"


def technique_ids() -> list[str]:
    """Ids of the techniques, read from the file names."""
    return sorted(path.stem for path in (SOURCE / "techniques").glob("*.py") if path.stem != "__init__")


def test_a_technique_is_one_module_one_knowledge_file_and_one_page() -> None:
    knowledge = {path.stem for path in (SOURCE / "knowledge" / "techniques").glob("*.yaml")}
    pages = {path.stem for path in (DOCUMENTS / "techniques").glob("*.md")}
    for name in technique_ids():
        assert name in knowledge, f"{name} has no knowledge/techniques/{name}.yaml"
        assert name in pages, f"{name} has no docs/techniques/{name}.md"


@pytest.mark.parametrize("page", sorted((DOCUMENTS / "techniques").glob("*.md")), ids=lambda path: path.stem)
def test_a_page_of_a_technique_has_its_sections(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.M)
    assert tuple(headings) == TECHNIQUE_SECTIONS


def test_every_document_is_reached_from_the_index() -> None:
    listed = set(re.findall(r"^([\w/-]+)$", (DOCUMENTS / "index.md").read_text(encoding="utf-8"), re.M))
    found = {str(path.relative_to(DOCUMENTS).with_suffix("")) for path in pages()} - {"index"}
    assert found <= listed, f"not in docs/index.md: {sorted(found - listed)}"


def test_links_between_documents_resolve() -> None:
    bad: list[str] = []
    for page in [*pages(), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                bad.append(f"{page.relative_to(ROOT)} -> {target}")
    assert not bad, bad


def offered_commands(app: cyclopts.App, *above: str) -> Iterator[tuple[str, cyclopts.App]]:
    """Every command that an app offers, such as ``case import``, with its own app."""
    for name in app:
        if name.startswith("-"):
            continue
        below = list(offered_commands(app[name], *above, name))
        yield from below or [(" ".join((*above, name)), app[name])]


def command_sections() -> dict[str, str]:
    """Section of each command in the page on the command line."""
    text = (DOCUMENTS / "command_line.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)\n", text, flags=re.M)[1:]
    return {
        title.removeprefix("foramen "): body
        for title, body in zip(parts[::2], parts[1::2], strict=True)
        if title.startswith("foramen ")
    }


def test_every_command_is_described_and_every_described_command_exists() -> None:
    assert set(command_sections()) == {name for name, _ in offered_commands(foramen.cli.app)}


def test_every_option_that_is_described_exists() -> None:
    for name, app in offered_commands(foramen.cli.app):
        offered = {option for argument in app.assemble_argument_collection() for option in argument.names}
        described = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", command_sections()[name]))
        assert described <= offered, f"foramen {name} has no {sorted(described - offered)}"


def test_facts_named_in_documents_exist() -> None:
    named = {
        fact_id for page in pages() for fact_id in re.findall(r"\{fact\}`([^`<>]+)`", page.read_text(encoding="utf-8"))
    }
    assert named
    for fact_id in sorted(named):
        assert fact(fact_id).id == fact_id


def example(page: str) -> str:
    """The YAML example of a page."""
    found = re.findall(r"^```yaml\n(.*?)^```", (DOCUMENTS / page).read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 1
    return str(found[0])


def test_the_example_of_a_record_is_read() -> None:
    path = ROOT / "examples" / "record_facet.yaml"
    assert path.name in (DOCUMENTS / "record.md").read_text(encoding="utf-8")
    record = parse_record(path.read_text(encoding="utf-8"), name=path.name)
    assert record.value("neuro.cauda_equina") is False
    assert record.value("bmi") is UNKNOWN
    assert [block.relief_percent for block in record.blocks.items] == [85, 90]
    assert record.medicines.complete_as_of == "2026-03-16"


def test_the_example_of_a_mapping_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(example("labels.md"), encoding="utf-8")
    scheme = read_scheme(path)
    assert scheme.values[1] == vertebra_value(Vertebra("L4"))
    assert scheme.values[2] == vertebra_value(Vertebra("L4"), "body")


def test_every_scheme_of_labels_is_described() -> None:
    described = set(re.findall(r"^\| `(\w+)` \|", (DOCUMENTS / "labels.md").read_text(encoding="utf-8"), re.M))
    assert described == set(shipped_schemes())
