"""A district hands over its yearly survey: forty shapefiles in GBK, zone 38, tables, a raster; faulty, then corrected.

Lin drops the folder, answers each question once, gets one verdict with every fault at its place, sends the list
back, takes the corrected one; a year later only what changed changes.
"""

from copy import deepcopy

import pytest
import shapely
from django.db import connection
from shapely.geometry import shape

from demo.delivery import change_some, survey, write_survey
from demo.survey_faults import plant_faults
from demo.survey_profile import profile
from layers.exchange.deliveries import documents, flow
from layers.models import Change, Layer, RasterVersion
from spatial.crs import transformation
from tests import people
from tests.delivering import ANSWERS, work

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory"), pytest.mark.slow]
NEAR_M = 5.0
SECONDS = 600  # the verdict, on two cores


@pytest.fixture(scope="module")
def made():
    return survey("440304", 2025, 20)


@pytest.fixture(autouse=True)
def offices():
    return people.offices()


def deliver(folder, **answers):
    delivery = flow.start_delivery(
        folder, profile(), name=folder.name, department="planning", actor="user:lin", answers=answers
    )
    return work(delivery)


def accept(delivery):
    flow.accept(delivery.pk, by="user:lin")
    return work(delivery)


def near(finding, place) -> bool:
    """Whether a finding lies where the fault was planted."""
    if finding.place is None:
        return False
    there = shapely.transform(shape(finding.place), transformation(4490, 4547, {}).apply)
    return there.distance(shapely.Point(place)) < NEAR_M


def test_every_planted_fault_is_named_at_its_place(made, tmp_path):
    faulty = deepcopy(made)
    plant_faults(faulty)
    write_survey(faulty, tmp_path / "2025", 20)
    delivery = deliver(tmp_path / "2025")
    assert {one["code"]: len(one["parts"]) for one in delivery.questions}["crs-missing"] == 40
    flow.answer(delivery.pk, ANSWERS, by="user:lin")
    work(delivery)
    assert (delivery.state, delivery.verdict["passed"]) == ("checked", False)
    assert delivery.verdict["seconds"] < SECONDS
    blocking = list(delivery.findings.exclude(level="note").select_related("part"))
    for fault in faulty.planted:
        named = [one for one in blocking if one.code == fault.code and one.part.source == fault.source]
        assert named, fault
        if fault.place is not None and fault.code not in {"key-missing", "duplicate-key", "not-in-code-list"}:
            assert any(near(one, fault.place) for one in named), fault
        if fault.rows and fault.code not in {"overlap"}:
            rows = {row for one in named for row in (one.row, *one.facts.get("rows", ()))}
            assert rows >= set(fault.rows), fault
    assert documents.findings_gpkg(delivery, tmp_path / "findings.gpkg") == delivery.findings.count()
    assert documents.verdict_pdf(delivery).startswith(b"%PDF")
    assert not Layer.objects.filter(name__startswith="survey_").exists()


def test_the_corrected_survey_is_shown_whole_and_next_year_touches_only_what_changed(made, tmp_path):
    write_survey(made, tmp_path / "2025", 20)
    accept(deliver(tmp_path / "2025", **ANSWERS))
    layers = {one.name: one for one in Layer.objects.filter(name__startswith="survey_")}
    assert len(layers) == 43
    assert layers["survey_dltb"].feature_count == len(made.frames["DLTB"])
    assert RasterVersion.objects.filter(layer=layers["survey_dem"], rev_to=None).count() == 1
    later = deepcopy(made)
    changed = change_some(later, 0.03, 2026)
    write_survey(later, tmp_path / "2026", 20)
    accept(deliver(tmp_path / "2026", **ANSWERS))
    change = Change.objects.get(layer__name="survey_dltb", revision=2)
    assert (change.inserted, change.updated, change.deleted) == (
        len(changed["inserted"]),
        len(changed["updated"]),
        0,
    )
    assert keys_touched(change) == changed["inserted"] | changed["updated"]
    others = Change.objects.filter(layer__name__startswith="survey_", revision=2).exclude(
        layer__name__in=["survey_dltb", "survey_kzmj"]
    )
    assert {(one.inserted, one.updated, one.deleted) for one in others} == {(0, 0, 0)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM history.survey_zd")
        assert cursor.fetchone() == (0,)


def keys_touched(change: Change) -> set[str]:
    """The keys of the features a change names: those whose tiles are drawn anew."""
    column = change.layer.fields.get(name="BSM").column
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM data.survey_dltb WHERE fid = ANY(%s)",
            [list(change.features.values_list("fid", flat=True))],
        )
        return {key for (key,) in cursor.fetchall()}
