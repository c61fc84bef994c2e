"""The data manager's year in a browser: a faulty survey is sent back, the corrected one shown, next year's compared.

One street of the demonstration city stands for the district: forty shapefiles (GBK, zone 38), tables and a raster.
"""

import re
from copy import deepcopy
from pathlib import Path

import pyogrio
import pytest
import shapely
from playwright.sync_api import expect

from demo.delivery import Survey, change_some, survey, write_survey
from demo.survey_faults import plant_faults
from demo.survey_profile import profile
from layers.exchange.kinds import named

MOST_ROWS = 40  # of what the story does not look at
CHECKED = 120_000  # milliseconds
PUT_PROFILE = """async (document) => {
  const { csrf_token } = await (await fetch('/api/session')).json();
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrf_token };
  const body = JSON.stringify({ document });
  return (await fetch('/api/delivery-profiles/yearly', { method: 'PUT', headers, body })).status;
}"""


@pytest.fixture(scope="module")
def street() -> Survey:
    """The survey of one street: its land whole, of everything else some."""
    made = survey("440304", 2025, 20)
    mine = made.frames["JDXZQ"].iloc[[0]].reset_index(drop=True)
    shape = mine.geometry.array[0]
    shapely.prepare(shape)
    for source, frame in made.frames.items():
        inside = frame[shapely.contains(shape, shapely.point_on_surface(frame.geometry.array))]
        some = inside if len(inside) else frame
        made.frames[source] = (some if source == "DLTB" else some.head(MOST_ROWS)).reset_index(drop=True)
    made.frames["XZQ"] = mine
    kept = set(made.frames["JZW"]["JZWBM"])
    made.tables["RK"] = made.tables["RK"][made.tables["RK"]["JZWBM"].isin(kept)].reset_index(drop=True)
    totals = made.frames["DLTB"].groupby("DLBM", as_index=False)["TBMJ"].sum()
    made.tables["KZMJ"] = totals.rename(columns={"TBMJ": "KZMJ"}).round({"KZMJ": 2})
    return made


@pytest.fixture
def lin(desk):
    """Lin, who keeps the data, at the desk; the profile of the yearly survey is there."""
    assert desk.tab.evaluate(PUT_PROFILE, profile()) == 200
    return desk


def hand_over(lin, folder: Path) -> None:
    """Drop the folder, name the profile, send it; then answer the one question."""
    tab = lin.tab
    tab.goto(f"{lin.base}/data/#/deliveries/new")
    tab.locator("[data-input=folder]").set_input_files(folder)
    tab.get_by_label("交付方案").select_option("yearly")
    files = sum(1 for _ in folder.iterdir())
    expect(tab.locator("[data-phase=done]")).to_have_count(files, timeout=60_000)
    tab.get_by_role("button", name="提交检查").click()
    tab.wait_for_url(re.compile(r"#/deliveries/\d+"))
    expect(tab.get_by_text("需要您答复 1 个问题")).to_be_visible(timeout=CHECKED)
    expect(tab.locator("[data-question=crs-missing]")).to_contain_text("等 40 个")
    expect(tab.locator("[data-question=crs-missing] input:checked")).to_have_value("EPSG:4526")
    tab.get_by_role("button", name="提交答复并重新检查").click()


def accept(lin) -> None:
    lin.tab.get_by_role("button", name="接受入库").click()
    expect(lin.tab.get_by_role("heading", name="已入库，全部图层已更新")).to_be_visible(timeout=CHECKED)


def a_part_can_be_read_otherwise(lin) -> None:
    """Beside a part's first rows: its encoding and system, the place it would have, and no sending of the same."""
    tab = lin.tab
    tab.get_by_role("link", name=re.compile("^成果（")).click()
    tab.locator("tr", has_text="DLTB").get_by_role("button").first.click()
    form = tab.get_by_role("form", name=re.compile("DLTB"))
    send = form.get_by_role("button")
    expect(send).to_have_attribute("aria-disabled", "true")
    form.get_by_role("textbox").fill("4527")
    expect(send).to_have_attribute("aria-disabled", "false")
    form.get_by_role("textbox").fill("EPSG:1")
    expect(form.get_by_role("textbox")).to_have_attribute("aria-invalid", "true")
    expect(send).to_have_attribute("aria-disabled", "true")


def a_wrong_word_is_questioned(lin) -> None:
    """The part is read in the zone that Lin names, and lies outside the city there."""
    tab = lin.tab
    tab.get_by_role("link", name=re.compile("^成果（")).click()
    part = tab.locator("tr", has_text="DLTB")
    part.get_by_role("button").first.click()
    form = tab.get_by_role("form", name=re.compile("DLTB"))
    form.get_by_role("textbox").fill("4527")
    form.get_by_role("button").click()
    expect(tab.get_by_role("heading", name="需要您答复 1 个问题")).to_be_visible(timeout=CHECKED)
    expect(part.first).to_contain_text("EPSG:4527")
    expect(tab.get_by_text("个位于市域之外").first).to_be_visible()


def faults_are_named(lin, faulty: Survey) -> None:
    """Every planted fault is in the list, and those with a place are on the map."""
    tab = lin.tab
    tab.get_by_role("link", name=re.compile("问题（")).click()
    for fault in faulty.planted:
        kinds = tab.get_by_label("问题类型")
        expect(kinds.locator(f"option[value={fault.code}]")).to_contain_text(named(fault.code)["name_zh"])
        with tab.expect_response(lambda answer, code=fault.code: f"code={code}" in answer.url) as listed:
            kinds.select_option(fault.code)
        found = [one for one in listed.value.json()["findings"] if one["part"]["source"] == fault.source]
        first = tab.locator(f'[data-finding="{found[0]["id"]}"]')
        expect(first).to_be_visible()
        if fault.place is not None:
            first.click()
            expect(first).to_have_attribute("aria-pressed", "true")
            expect(first).not_to_contain_text("无位置")


def test_the_yearly_survey_is_sent_back_corrected_accepted_and_compared_a_year_later(lin, street, tmp_path):
    tab = lin.tab
    faulty = deepcopy(street)
    plant_faults(faulty)
    write_survey(faulty, tmp_path / "福田2025", 20)
    hand_over(lin, tmp_path / "福田2025")
    expect(tab.get_by_role("heading", name="检查未通过")).to_be_visible(timeout=CHECKED)
    a_part_can_be_read_otherwise(lin)
    faults_are_named(lin, faulty)
    assert lin.axe() == []

    with tab.expect_download() as waiting:
        tab.get_by_role("link", name="下载问题清单").click()
    waiting.value.save_as(tmp_path / "findings.gpkg")
    codes = {
        code
        for name, _ in pyogrio.list_layers(tmp_path / "findings.gpkg")
        if name.startswith("fault")
        for code in pyogrio.read_dataframe(tmp_path / "findings.gpkg", layer=name)["code"]
    }
    assert codes >= {fault.code for fault in faulty.planted}
    a_wrong_word_is_questioned(lin)
    tab.get_by_role("button", name="退回").click()
    tab.get_by_role("dialog").get_by_role("textbox").fill("请按问题清单修改后重新提交")
    tab.get_by_role("dialog").get_by_role("button", name="退回").click()
    expect(tab.get_by_text("请按问题清单修改后重新提交")).to_be_visible()

    write_survey(street, tmp_path / "福田2025更正", 20)
    hand_over(lin, tmp_path / "福田2025更正")
    expect(tab.get_by_role("heading", name="检查通过，可以入库")).to_be_visible(timeout=CHECKED)
    accept(lin)

    later = deepcopy(street)
    changed = change_some(later, 0.03, 2026)
    write_survey(later, tmp_path / "福田2026", 20)
    hand_over(lin, tmp_path / "福田2026")
    expect(tab.get_by_role("heading", name="检查通过，可以入库")).to_be_visible(timeout=CHECKED)
    only_the_changes_are_shown(lin, changed)
    assert lin.axe() == []
    accept(lin)
    assert lin.complaints == []
    on_the_map(lin, len(later.frames["DLTB"]))


def only_the_changes_are_shown(lin, changed: dict[str, set[str]]) -> None:
    """The comparison of the land parcels has last year's changes, each by its key, and no other."""
    tab = lin.tab
    tab.get_by_role("link", name="变化").click()
    tab.locator("label", has_text="成果").locator("select").select_option(label="DLTB → 年度调查 地类图斑")
    for word, op in (("修改", "updated"), ("新增", "inserted")):
        tab.get_by_role("button", name=f"{word} {len(changed[op])}", exact=True).click()
        rows = tab.locator("[data-change] .change-head b")
        expect(rows).to_have_count(len(changed[op]))
        assert set(rows.all_inner_texts()) == changed[op]
    expect(tab.get_by_role("button", name="删除 0", exact=True)).to_be_visible()


def on_the_map(lin, count: int) -> None:
    """The land parcels are on the map, every one of them."""
    lin.tab.get_by_role("link", name="在地图上查看").click()
    lin.until("window.__ready === true")
    expect(lin.row("survey_dltb")).to_have_attribute("aria-checked", "true")
    shown = lin.tab.evaluate(
        "async () => (await (await fetch('/ogc/collections/survey_dltb/items?limit=1')).json()).numberMatched"
    )
    assert shown == count
    assert lin.complaints == []
    assert lin.tab.evaluate("window.__violations ?? []") == []
