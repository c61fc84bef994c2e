"""Keeping layers in a real browser: metadata are approved, a right is given and explained, a change is undone."""

import io
import re

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

LAYER = "poi"
SCREENS = {
    "/layers": "图层",
    "/layers/shelf": "已删除的图层",
    "/quality": "质量清单",
    "/codes": "代码表",
    "/codes/new": "新增版本",
    "/codes/landuse-survey%402020/mapping": "第三次全国国土调查工作分类",
    "/profiles": "交付方案",
    "/profiles/new": "新建方案",
    "/pulls": "定时拉取",
    "/pulls/new": "新建拉取",
}


@pytest.fixture
def sign_in(new_page, city):
    """Open the data desk as somebody."""

    def enter(username: str, **context):
        page = new_page(**context)
        page.tab.goto(page.base + "/data/")
        page.tab.locator("[name=username]").fill(username)
        page.tab.locator("[name=password]").fill(city.env["ONEMAP_DEMO_PASSWORD"])
        page.tab.keyboard.press("Enter")
        expect(page.tab.get_by_role("heading", name="数据交付")).to_be_visible()
        return page

    return enter


def show(desk, place: str) -> None:
    desk.tab.goto(f"{desk.base}/data/#{place}")


def approve_metadata(desk) -> None:
    tab = desk.tab
    show(desk, f"/layers/{LAYER}/metadata")
    tab.get_by_label("联系方式").fill("数据管理 0755-12345678")
    expect(tab.get_by_text("1 项未保存")).to_be_visible()
    tab.get_by_role("button", name="保存草稿").click()
    expect(tab.get_by_text("草稿可以批准")).to_be_visible()
    assert desk.axe() == []
    tab.get_by_role("button", name="批准", exact=True).click()
    expect(tab.get_by_text(re.compile("已批准：第 1 版"))).to_be_visible()


def grant_and_explain(desk) -> None:
    tab = desk.tab
    show(desk, f"/layers/{LAYER}/rights")
    tab.get_by_role("button", name="新增授权").click()
    tab.locator("#grant-who").select_option("water")
    tab.get_by_label("下载", exact=True).check()
    tab.locator("#grant-area").fill("440304")
    assert desk.axe() == []
    tab.get_by_role("button", name="授予", exact=True).click()
    given = tab.locator('[data-grant="department:water"]').filter(has_text="440304")
    expect(given).to_contain_text("下载")
    tab.locator("#explain-kind").select_option("department")
    tab.locator("#explain-who").select_option("water")
    tab.get_by_role("button", name="查询", exact=True).click()
    expect(tab.locator("[data-action=download]")).to_contain_text("水务")
    expect(tab.locator("[data-action=edit]")).to_contain_text("没有任何授权")
    assert desk.axe() == []
    given.get_by_role("button", name=re.compile("收回")).click()
    expect(given).to_have_count(0)
    tab.get_by_role("button", name="撤销收回").click()
    expect(given).to_be_visible()


ADD_ONE = """async (layer) => {
  const read = async (path, init) => (await fetch(path, init)).json();
  const { csrf_token } = await read('/api/session');
  const [one] = (await read(`/ogc/collections/${layer}/items?limit=1&f=json`)).features;
  const edit = { op: 'insert', geometry: one.geometry, properties: { ...one.properties, code: 'LIN-1' } };
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrf_token };
  const body = JSON.stringify({ reason: '补测', edits: [edit] });
  return (await read(`/api/layers/${layer}/changes`, { method: 'POST', headers, body })).revision;
}"""


def undo_change(desk) -> None:
    tab = desk.tab
    revision = tab.evaluate(ADD_ONE, LAYER)
    show(desk, f"/layers/{LAYER}/history")
    expect(tab.get_by_role("row").filter(has_text="补测")).to_be_visible()
    tab.get_by_role("button", name=f"撤销变更 {revision}").click()
    tab.get_by_role("dialog").get_by_role("button", name="撤销", exact=True).click()
    expect(tab.get_by_role("alert").filter(has_text="请填写")).to_be_visible()
    tab.get_by_label("原因").fill("位置未经核实")
    assert desk.axe() == []
    tab.get_by_role("dialog").get_by_role("button", name="撤销", exact=True).click()
    expect(tab.get_by_role("row").filter(has_text="位置未经核实")).to_be_visible()


def check_and_export(desk) -> None:
    tab = desk.tab
    show(desk, f"/layers/{LAYER}/quality")
    tab.get_by_role("button", name="立即检查").click()
    expect(tab.get_by_text("最近检查于")).to_be_visible(timeout=60_000)
    assert desk.axe() == []
    show(desk, f"/layers/{LAYER}/export")
    tab.locator("#export-format").select_option(".csv")
    tab.get_by_role("button", name="导出", exact=True).click()
    with tab.expect_download(timeout=60_000) as held:
        tab.get_by_role("link", name="下载").click(timeout=60_000)
    assert held.value.suggested_filename.endswith(".csv")
    assert desk.axe() == []


def test_lin_keeps_a_layer(sign_in):
    desk = sign_in("datamanager")
    approve_metadata(desk)
    grant_and_explain(desk)
    undo_change(desk)
    check_and_export(desk)
    assert desk.complaints == []


def test_somebody_else_saved_the_metadata_meanwhile(sign_in):
    desk = sign_in("datamanager")
    show(desk, "/layers/facility/metadata")
    desk.tab.get_by_label("联系方式").fill("我")
    other = sign_in("datamanager")
    show(other, "/layers/facility/metadata")
    other.tab.get_by_label("目的").fill("对方")
    other.tab.get_by_role("button", name="保存草稿").click()
    expect(other.tab.get_by_text("草稿可以批准")).to_be_visible()
    desk.tab.get_by_role("button", name="保存草稿").click()
    expect(desk.tab.get_by_role("heading", name="他人刚刚保存了元数据")).to_be_visible()
    assert desk.axe() == []
    desk.tab.get_by_role("button", name="采用所选内容").click()
    desk.tab.get_by_role("button", name="保存草稿").click()
    expect(desk.tab.get_by_text("草稿可以批准")).to_be_visible()
    assert [desk.tab.get_by_label(part).input_value() for part in ("联系方式", "目的")] == ["我", "对方"]


def test_each_screen_is_accessible_in_both_languages(sign_in):
    desk = sign_in("datamanager", viewport={"width": 1024, "height": 768})
    for place, heading in SCREENS.items():
        show(desk, place)
        expect(desk.tab.get_by_role("heading", level=1, name=heading)).to_be_visible()
        assert desk.axe() == [], place
    desk.tab.get_by_role("button", name="EN · English").click()
    for place in (*SCREENS, f"/layers/{LAYER}"):
        show(desk, place)
        expect(desk.tab.get_by_role("heading", level=1)).to_be_visible()
        assert not re.search(r"[a-z]+\.[a-z]+-[a-z]+", desk.tab.locator("main").inner_text()), place
    assert desk.complaints == []


def roster(desk, path, *rows) -> str:
    """The template with people in it."""
    content = desk.tab.request.get(f"{desk.base}/api/people/template.xlsx").body()
    book = load_workbook(io.BytesIO(content))
    for row in rows:
        book["人员"].append(row)
    book.save(path)
    return str(path)


def test_an_administrator_takes_in_a_roster(sign_in, tmp_path):
    desk = sign_in("admin")
    show(desk, "/people")
    field = desk.tab.locator("[data-input=roster]")
    field.set_input_files(roster(desk, tmp_path / "faulty.xlsx", ("wu", "吴", "nowhere")))
    expect(desk.tab.get_by_role("heading", name=re.compile("名册有 1 处问题"))).to_be_visible()
    expect(desk.tab.get_by_role("row").filter(has_text="nowhere")).to_contain_text("department")
    assert desk.axe() == []
    field.set_input_files(roster(desk, tmp_path / "roster.xlsx", ("wu", "吴", "water")))
    expect(desk.tab.get_by_role("heading", name="试算完成，可以生效")).to_be_visible()
    desk.tab.get_by_role("button", name="生效").click()
    expect(desk.tab.get_by_role("heading", name="新账号的初始密码")).to_be_visible()
    assert desk.axe() == []
    password = desk.tab.locator(".secret").inner_text()
    assert len(password) >= 10 and desk.complaints == []


def test_an_administrator_renames_and_merges_departments(sign_in):
    desk = sign_in("admin")
    tab = desk.tab
    show(desk, "/people")
    tab.locator("[data-office=emergency]").get_by_role("button", name=re.compile("更名")).click()
    tab.get_by_label("中文名称").fill("应急管理")
    assert desk.axe() == []
    tab.get_by_role("dialog").get_by_role("button", name="更名").click()
    expect(tab.locator("[data-office=emergency]")).to_contain_text("应急管理")
    tab.locator("[data-office=environment]").get_by_role("button", name=re.compile("并入")).click()
    tab.get_by_role("dialog").get_by_role("button", name="合并").click()
    expect(tab.get_by_role("alert").filter(has_text="请填写")).to_be_visible()
    tab.locator("#merge-office select").select_option("emergency")
    assert desk.axe() == []
    tab.get_by_role("dialog").get_by_role("button", name="合并").click()
    expect(tab.locator("[data-office=environment]")).to_have_count(0)
    assert desk.complaints == []
