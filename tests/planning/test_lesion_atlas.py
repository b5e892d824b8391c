"""The sweep's axes and cases, what is refused before anything runs, and the atlas's numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foramen.errors import InputError
from foramen.jobs.processes import in_processes
from foramen.knowledge.devices import cannulae_of_gauge
from foramen.model.device import TipShape
from foramen.planning import lesion_atlas
from foramen.planning.lesion_atlas import case_id, lesion_of_case, lesion_sweep, made_with
from foramen.steps.bench import BenchLesion, bench_lesion, bench_strip
from small_atlas import COARSE, small_atlas, small_sweep


def test_cases_are_every_combination_in_order() -> None:
    sweep = lesion_sweep(
        gauge=(22, 18), tip_mm=(5,), temperature_degC=(80, 70, 80), time_s=(30,), tissue=("fat", "muscle")
    )
    assert sweep.gauge == (18.0, 22.0)
    assert sweep.temperature_degC == (70.0, 80.0)
    assert list(sweep.cases)[:3] == [
        "18 G x 5 mm, 70 degC, 30 s, fat, single",
        "18 G x 5 mm, 70 degC, 30 s, muscle, single",
        "18 G x 5 mm, 80 degC, 30 s, fat, single",
    ]
    assert len(sweep.cases) == 8


def test_cases_that_differ_in_the_last_bit_have_other_ids() -> None:
    sweep = lesion_sweep(gauge=(18,), tip_mm=(5, np.nextafter(5, 6)), temperature_degC=(80,), time_s=(30,))
    assert len(sweep.cases) == 2
    first, second = sweep.cases.values()
    assert case_id(first) != case_id(second)


def test_the_usual_sweep_covers_the_catalogue() -> None:
    sweep = lesion_sweep()
    assert set(sweep.gauge) == {16, 18, 20, 22}
    assert set(sweep.tip_mm) == {5, 10, 15}
    assert sweep.tissue == ("muscle",)
    assert sweep.spacing_mm == (0.0,)


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        ({"temperature_degC": (80, 100)}, "100 degC would boil"),
        ({"temperature_degC": (float("nan"),)}, "would boil"),
        ({"temperature_degC": (30,)}, "above the baseline"),
        ({"time_s": (-5,)}, "-5 s is outside"),
        ({"time_s": (float("inf"),)}, "is outside"),
        ({"time_s": (5,)}, "must be shorter"),
        ({"tip_mm": (5, 200)}, "200 mm is longer than a needle of 18 G"),
        ({"tip_mm": (60,)}, "outside what is modelled"),
        ({"tip_mm": (0,)}, "outside what is modelled"),
        ({"gauge": (19,)}, "No RF cannula of 19 G"),
        ({"tissue": ("cheese",)}, "no tissue 'cheese'"),
        ({"tissue": ("muscle", "air")}, "carries no current"),
        ({"spacing_mm": (-1,)}, "-1 mm is impossible"),
        ({"spacing_mm": (0, 0.8)}, "overlap"),
        ({"spacing_mm": (float("nan"),)}, "is impossible"),
    ],
)
def test_impossible_values_are_refused_before_anything_runs(axes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        small_sweep(**axes)


def test_a_pair_has_the_numbers_of_the_bipolar_bench_lesion() -> None:
    sweep = small_sweep(spacing_mm=(0, 8), gauge=(20,), temperature_degC=(80,), tissue=("muscle",))
    single, pair = (lesion_of_case(case, origin=made_with()) for case in sweep.cases.values())
    assert list(sweep.cases)[1].endswith("pair 8 mm apart")
    cannula = cannulae_of_gauge(20)[0]
    strip = bench_strip(
        outer_diameter_mm=cannula.outer_diameter_mm,
        inner_diameter_mm=cannula.inner_diameter_mm,
        tip_mm=5,
        temperature_degC=80,
        time_s=15,
        spacing_mm=8,
    )
    assert pair["isotherm_50degC_width_mm"] == strip.isotherms["50"].across_mm
    assert pair["isotherm_50degC_thickness_mm"] == strip.isotherms["50"].thickness_mm
    assert pair["midpoint_peak_degC"] == strip.midpoint_peak_degC[0]
    assert pair["power_mean_w"] == pytest.approx(np.mean([m.power_W for m in strip.history]), rel=0.5)
    assert set(single) < set(pair)


def test_a_worker_with_other_knowledge_refuses() -> None:
    case = next(iter(small_sweep().cases.values()))
    with pytest.raises(InputError, match="another version or knowledge"):
        lesion_of_case(case, origin={**made_with(), "knowledge_sha256": "0"})


def test_a_row_holds_the_numbers_of_its_bench_lesion(tmp_path: Path) -> None:
    atlas = small_atlas(tmp_path)
    cannula = cannulae_of_gauge(22)[0]
    lesion = bench_lesion(
        outer_diameter_mm=cannula.outer_diameter_mm,
        inner_diameter_mm=cannula.inner_diameter_mm,
        tip_mm=5,
        temperature_degC=70,
        time_s=15,
        tissue="bone_cancellous",
        tip_shape=TipShape.SHARP,
        step=COARSE,
    )
    (row,) = (r for r in atlas.rows if (r["gauge"], r["temperature_degC"], r["tissue"]) == (22, 70, "bone_cancellous"))
    assert row["isotherm_50degC_width_mm"] == lesion.isotherms["50"].width_mm
    assert row["isotherm_60degC_volume_mm3"] == lesion.isotherms["60"].volume_mm3
    assert row["cem43_length_mm"] == lesion.cem43.length_mm
    assert row["impedance_final_ohm"] == lesion.impedance_final_ohm
    assert row["is_limited"] is lesion.is_limited
    assert row["failure"] == ""
    assert atlas.grid("isotherm_50degC_width_mm")[1, 0, 0, 0, 1, 0] == lesion.isotherms["50"].width_mm
    assert atlas.shape == (2, 1, 2, 1, 2, 1)


def test_sizes_grow_with_temperature_and_thickness(tmp_path: Path) -> None:
    width = small_atlas(tmp_path).grid("isotherm_50degC_width_mm")[:, 0, :, 0, :, 0]
    assert np.all(np.diff(width, axis=1) > 0), "a hotter needle"
    assert np.all(np.diff(width, axis=0) < 0), "a thinner needle"


def test_an_exposure_without_a_damage_set_has_no_size_but_a_reason(tmp_path: Path) -> None:
    sweep = small_sweep(gauge=(18,), temperature_degC=(60,), time_s=(400,), tissue=("muscle",))
    (row,) = small_atlas(tmp_path, sweep=sweep).rows
    assert row["coagulation_width_mm"] is None
    assert row["objection"]
    assert row["isotherm_50degC_width_mm"] is not None


def test_a_case_that_fails_has_its_reason_and_the_others_their_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fragile(**settings: Any) -> BenchLesion:
        if settings["temperature_degC"] == 70:
            raise InputError("too cold for this test")
        return bench_lesion(**settings)

    monkeypatch.setattr(lesion_atlas, "bench_lesion", fragile)
    atlas = small_atlas(tmp_path)
    assert set(atlas.failures.values()) == {"too cold for this test"}
    assert len(atlas.failures) == 4
    width = atlas.grid("isotherm_50degC_width_mm")
    assert np.isnan(width[:, :, 0]).all()
    assert np.isfinite(width[:, :, 1]).all()
    monkeypatch.undo()
    assert not small_atlas(tmp_path).failures, "the next run tries them again"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_atlas_is_equal_to_the_last_bit_for_any_number_of_workers(tmp_path: Path, workers: int) -> None:
    expected = small_atlas(tmp_path / "here")
    found = small_atlas(tmp_path / "there", executor=partial(in_processes, workers=workers))
    assert found == expected
