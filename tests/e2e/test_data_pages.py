"""The data manager's day in a real browser: a survey comes in, is asked about, judged, accepted and seen."""

import json
import re
import zipfile
from pathlib import Path

import geopandas as gpd
import shapely
from playwright.sync_api import expect

KINDS = ("水田", "旱地", "果园", "茶园", "城镇住宅用地", "公园与绿地")
WEST, NORTH = 38_506_000, 2_493_000  # CGCS2000, zone 38 in the easting, metres


def survey(folder: Path, rows: int) -> Path:
    """A zip with one shapefile as district offices send them: GBK, zone 38, and a file that says neither."""
    squares = [
        shapely.box(x := WEST + n % 4 * 200, y := NORTH + n // 4 * 200, x + 190, y + 190) for n in range(rows)
    ]
    frame = gpd.GeoDataFrame(
        {
            "BSM": [f"4403{n:06d}" for n in range(rows)],
            "DLMC": [KINDS[n % len(KINDS)] for n in range(rows)],
        },
        geometry=squares,
    )
    frame.to_file(folder / "DLTB.shp", encoding="GBK", engine="pyogrio")
    (folder / "DLTB.cpg").unlink()
    with zipfile.ZipFile(folder / "survey.zip", "w") as archive:
        for part in folder.glob("DLTB.*"):
            archive.write(part, f"2026年度变更/{part.name}")
    return folder / "survey.zip"


def deliver(desk, archive: Path, layer: str) -> None:
    tab = desk.tab
    tab.goto(f"{desk.base}/data/#/deliveries/new")
    tab.locator("[data-input=files]").set_input_files(archive)
    tab.get_by_label("图层名").fill(layer)
    tab.get_by_label("中文名称").fill("地类图斑试验")
    tab.get_by_label("主键字段").fill("BSM")
    expect(tab.get_by_text("已到达", exact=True)).to_be_visible()
    assert desk.axe() == []
    tab.get_by_role("button", name="提交检查").click()
    tab.wait_for_url(re.compile(r"#/deliveries/\d+"))


def answer(desk) -> None:
    """Answer each question once: the coordinate system is guessed, the encoding is looked at."""
    expect(desk.tab.get_by_text(re.compile("需要您答复"))).to_be_visible(timeout=60_000)
    assert desk.axe() == []
    encoding = desk.tab.locator("[data-question=encoding-doubtful] input[value=gb18030]")
    if encoding.count():
        encoding.check()
    expect(desk.tab.locator("[data-question=crs-missing] input:checked")).to_have_value("EPSG:4526")
    desk.tab.get_by_role("button", name="提交答复并重新检查").click()


def test_lin_takes_in_a_survey_and_sees_it_on_the_map(desk, tmp_path):
    deliver(desk, survey(tmp_path, 12), "survey_of_lin")
    answer(desk)
    expect(desk.tab.get_by_role("heading", name="检查通过，可以入库")).to_be_visible(timeout=60_000)
    desk.tab.get_by_role("link", name="变化").click()
    first = desk.tab.locator("[data-change]").first
    first.click()
    expect(first).to_contain_text("水田")
    assert desk.axe() == []
    desk.tab.get_by_role("button", name="接受入库").click()
    expect(desk.tab.get_by_role("heading", name="已入库，全部图层已更新")).to_be_visible(timeout=60_000)
    assert desk.complaints == []

    desk.tab.get_by_role("link", name="在地图上查看").click()
    desk.until("window.__ready === true")
    expect(desk.row("survey_of_lin")).to_have_attribute("aria-checked", "true")
    assert desk.tab.evaluate("window.__violations ?? []") == []


def test_states_of_the_list_are_designed(desk):
    problem = {"type": "about:blank", "title": "no", "status": 403, "code": "not-permitted", "facts": {}}
    refused = json.dumps({**problem, "request_id": "0" * 32})
    desk.context.route(
        "**/api/deliveries?*",
        lambda route: route.fulfill(status=403, body=refused, content_type="application/problem+json"),
    )
    desk.tab.get_by_role("button", name="刷新").click()
    expect(desk.tab.get_by_role("alert")).to_contain_text("没有权限")
    desk.context.unroute("**/api/deliveries?*")
    desk.context.route("**/api/deliveries?*", lambda route: route.abort())
    desk.tab.get_by_role("button", name="重试").click()
    expect(desk.tab.get_by_role("alert")).to_contain_text("服务器没有应答")
    assert desk.axe() == []
