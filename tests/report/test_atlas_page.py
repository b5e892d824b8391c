"""The page of the atlas: self-contained, says its limits and failures, and draws what it should."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foramen.planning.lesion_atlas import FAILURE, LesionAtlas
from foramen.report.atlas import render_atlas
from foramen.report.atlas_figures import draw_against, draw_tissues, levels_of, reference_place
from small_atlas import small_atlas, small_sweep


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> LesionAtlas:
    """Two gauges, temperatures, times and tissues."""
    return small_atlas(tmp_path_factory.mktemp("atlas"), sweep=small_sweep(time_s=(15, 20)))


@pytest.fixture(scope="module")
def page(atlas: LesionAtlas) -> str:
    """Its page."""
    return render_atlas(atlas)


def failed(atlas: LesionAtlas, count: int) -> LesionAtlas:
    """The atlas with its first cases lost."""
    lost = [
        {**{name: value if name in atlas.axes else None for name, value in row.items()}, FAILURE: "worker <killed>"}
        for row in atlas.rows[:count]
    ]
    return replace(atlas, rows=(*lost, *atlas.rows[count:]))


def test_the_page_is_self_contained_and_says_what_it_is(page: str) -> None:
    assert page.count("Research use, not a medical device.") == 2
    assert "weakly constrained by what is published" in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= set(re.findall(r'id="([\w-]+)"', page))


def test_each_isotherm_can_be_chosen_and_one_is(page: str, atlas: LesionAtlas) -> None:
    assert levels_of(atlas) == ["45", "50", "60"]
    for level in ("45", "50", "60"):
        assert f'for="level-{level}"' in page
        assert f"#level-{level}:checked ~ main .of-{level} {{ display: block; }}" in page
    assert re.findall(r'id="level-(\d+)" checked', page) == ["50"]


def test_pictures_of_every_tissue_and_isotherm_and_one_of_the_tissues(page: str) -> None:
    pictures = [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([^\"]+)", page)]
    assert len(pictures) == 2 * 3 * 2 + 1
    for content in pictures:
        image = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
        assert image.std() > 5, "an empty picture"
    for caption in ("50 °C isotherm against time, set to 80 °C", "60 °C isotherm against set temperature, after 20 s"):
        assert caption in page


def test_the_table_holds_every_case(page: str, atlas: LesionAtlas) -> None:
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    assert body.count("<tr") == len(atlas.rows) == 16
    width, length = (atlas.rows[0][f"isotherm_50degC_{name}_mm"] for name in ("width", "length"))
    assert f"{width:.1f} × {length:.1f}" in body


def test_failed_cases_are_named_with_their_reason(atlas: LesionAtlas) -> None:
    page = render_atlas(failed(atlas, 2))
    box = page[page.index('id="failed"') : page.index("</ul>")]
    assert "2 of 16 cases failed" in box
    assert "18 G x 5 mm, 70 degC, 15 s, muscle, single" in box
    assert "worker &lt;killed&gt;" in box
    assert 'id="failed"' not in render_atlas(atlas)


def test_a_page_without_any_result_still_says_why(atlas: LesionAtlas) -> None:
    rows = tuple({**{axis: row[axis] for axis in atlas.axes}, FAILURE: "no luck"} for row in atlas.rows)
    page = render_atlas(replace(atlas, rows=rows))
    assert "16 of 16 cases failed" in page
    assert "data:image" not in page


def test_one_value_on_an_axis_draws_no_curve_over_it(tmp_path: Path) -> None:
    page = render_atlas(small_atlas(tmp_path, sweep=small_sweep(tissue=("muscle",))))
    assert "against set temperature" in page
    assert "against time" not in page
    assert 'id="tissues"' not in page


def test_curves_fill_their_picture(atlas: LesionAtlas) -> None:
    """A mark outside the panels, even an empty one, would shrink them."""
    picture = np.asarray(Image.open(io.BytesIO(draw_against(reference_place(atlas), "time_s", "50"))), dtype=int)
    is_coloured = np.ptp(picture, axis=2) > 90
    assert is_coloured.any(axis=0).mean() > 0.4


def test_two_bodies_are_told(atlas: LesionAtlas) -> None:
    rows = tuple({**row, "isotherm_50degC_is_one_body": False, "spacing_mm": 30.0} for row in atlas.rows)
    apart = replace(atlas, rows=rows, axes={**atlas.axes, "spacing_mm": (30.0,)})
    assert render_atlas(apart).count(" in parts<") == render_atlas(atlas).count("50 °C in mm") * 4
    assert " in parts<" not in render_atlas(atlas)


def test_pictures_show_the_numbers_and_are_equal_bytes_each_time(atlas: LesionAtlas) -> None:
    place = reference_place(atlas)
    assert [place.value(axis) for axis in ("gauge", "temperature_degC", "time_s")] == [22.0, 80.0, 20.0]
    picture = draw_against(place, "time_s", "50")
    assert picture == draw_against(place, "time_s", "50")
    assert picture != draw_against(place, "time_s", "60")
    assert picture != draw_against(place.at(tissue=1), "time_s", "50")
    assert draw_tissues(place) != draw_tissues(place.at(gauge=0))
