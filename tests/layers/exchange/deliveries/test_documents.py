"""A verdict on paper and a list of faults in a GIS tell what was found, whatever it is called."""

import re
import sqlite3
import zlib

import geopandas as gpd
import pyogrio
import pytest
from django.utils import timezone
from pyproj import Transformer

from accounts.actions import ensure_department
from layers.exchange.deliveries import documents
from layers.models import Delivery, DeliveryFinding, DeliveryPart

pytestmark = pytest.mark.django_db

EVIL = '#import "@preview/x:0.1.0" [*b*] $x$ // <a> \\ `c` 𠮷 "q" _u_'
SQUARE = [[114.05, 22.54], [114.06, 22.54], [114.06, 22.55], [114.05, 22.54]]


@pytest.fixture
def delivery():
    office = ensure_department("nanshan", "南山区自然资源局", "Nanshan")
    made = Delivery.objects.create(
        folder="x",
        name=f"2026 年度变更 {EVIL}",
        department=office,
        document={"title_zh": "国土变更调查"},
        sent_by="user:lin",
        sha256="ab" * 32,
        state=Delivery.State.CHECKED,
        answers={"encoding": "gbk", "source_crs": "EPSG:4526", "accept": ["outside-city"]},
        questions=[
            {"code": "crs-missing", "why_zh": f"坐标系 {EVIL}", "why": EVIL, "pass": "x", "parts": [1]}
        ],
        verdict={
            "passed": False,
            "blocks": 212,
            "warns": 30,
            "notes": 1,
            "by_code": [
                {
                    "code": "overlap",
                    "level": "block",
                    "count": 212,
                    "message": EVIL,
                    "message_zh": f"重叠 {EVIL}",
                }
            ],
            "checked_at": timezone.now().isoformat(),
            "seconds": 12.5,
        },
        reason=EVIL,
    )
    part = DeliveryPart.objects.create(
        delivery=made,
        order=1,
        kind="layer",
        source=f"DLTB_{EVIL}",
        layer_name="landuse_status",
        options={"title_zh": "地类图斑"},
        report={
            "read": 480000,
            "inserted": 12,
            "updated": 3,
            "unchanged": 479000,
            "removed": 4,
            "rejected": 981,
        },
    )
    finding(made, None, None, level="note")
    for number in range(240):
        x, y = 113.8 + (number % 20) * 0.02, 22.5 + (number // 20) * 0.02
        finding(made, part, {"type": "Point", "coordinates": [x, y]}, row=number + 1, key=f"B{number}")
    finding(made, part, {"type": "Polygon", "coordinates": [SQUARE]})
    finding(made, part, {"type": "LineString", "coordinates": SQUARE[:2]}, level="warn")
    finding(made, part, {"type": "MultiPoint", "coordinates": SQUARE}, level="warn")
    return made


def finding(delivery, part, place, *, level="block", row=None, **facts):
    return DeliveryFinding.objects.create(
        delivery=delivery,
        part=part,
        code="overlap",
        level=level,
        message=f"overlaps {EVIL}",
        message_zh=f"与 12 重叠 0.35 平方米 {EVIL}",
        row=row,
        facts=facts,
        place=place,
    )


def test_the_verdict_is_a_paper_of_several_pages_with_its_fonts(delivery):
    made = documents.verdict_pdf(delivery)
    assert made.startswith(b"%PDF-")
    unpacked = made + b"".join(
        zlib.decompressobj().decompress(one)
        for one in re.findall(rb"stream\n(x.*?)\nendstream", made, re.DOTALL)
    )
    assert len(re.findall(rb"/Type\s*/Page\b", unpacked)) > 5
    assert b"NotoSansCJK" in unpacked
    assert b"/FontFile3" in unpacked
    assert len(made) < 2_000_000


@pytest.mark.parametrize("state", Delivery.State)
def test_every_state_has_a_verdict(delivery, state):
    delivery.findings.all().delete()
    delivery.parts.all().delete()
    delivery.state, delivery.verdict, delivery.answers, delivery.questions = state, {}, {}, []
    assert documents.verdict_pdf(delivery).startswith(b"%PDF-")


def test_the_faults_lie_where_the_surveyor_measured(delivery, tmp_path):
    path = tmp_path / "faults.gpkg"
    assert documents.findings_gpkg(delivery, path) == delivery.findings.count() == 244
    assert {name for name, _ in pyogrio.list_layers(path)} >= {
        *("fault_points", "fault_lines", "fault_areas", "faults_without_place")
    }
    points = gpd.read_file(path, layer="fault_points")
    assert points.crs.to_epsg() == 4526
    assert len(points) == 241
    first = points.iloc[0]
    x, y = Transformer.from_crs(4490, 4526, always_xy=True).transform(113.8, 22.5)
    assert (first.geometry.x, first.geometry.y) == pytest.approx((x, y), abs=1e-3)
    assert (first.row, first.key, first.level, first.layer) == (1, "B0", "block", "landuse_status")
    assert first.message_zh.endswith(EVIL)
    assert gpd.read_file(path, layer="fault_areas").geometry.iloc[0].area > 1e5
    assert len(pyogrio.read_dataframe(path, layer="faults_without_place")) == 1
    with sqlite3.connect(path) as base:
        styled = {row[0] for row in base.execute("SELECT f_table_name FROM layer_styles WHERE useAsDefault")}
    base.close()
    assert styled == {"fault_points", "fault_lines", "fault_areas"}


@pytest.mark.parametrize("crs", [None, "EPSG:1", "no crs"])
def test_without_a_known_crs_the_faults_are_in_degrees(delivery, tmp_path, crs):
    delivery.answers = {"source_crs": crs}
    path = tmp_path / "faults.gpkg"
    documents.findings_gpkg(delivery, path)
    points = gpd.read_file(path, layer="fault_points")
    assert points.crs.to_epsg() == 4490
    assert points.geometry.iloc[0].x == pytest.approx(113.8)


def test_the_parts_tell_the_crs_when_they_agree(delivery, tmp_path):
    delivery.parts.update(facts={"origin": {"source_crs": "EPSG:4547"}})
    documents.findings_gpkg(delivery, tmp_path / "faults.gpkg")
    assert gpd.read_file(tmp_path / "faults.gpkg", layer="fault_areas").crs.to_epsg() == 4547


def test_a_delivery_without_faults_makes_a_file_too(delivery, tmp_path):
    delivery.findings.all().delete()
    assert documents.findings_gpkg(delivery, tmp_path / "faults.gpkg") == 0
    assert len(pyogrio.read_dataframe(tmp_path / "faults.gpkg", layer="faults_without_place")) == 0
