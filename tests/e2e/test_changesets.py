"""Changesets in a real browser: corrected, contradicted by a colleague, returned, merged, approved and published."""

import re

import pytest
from playwright.sync_api import expect

LAYER = "landuse_status"
TITLE = "莲花片区现状用地更正"
SCREENS = {
    "/changesets": "变更集",
    "/changesets/new": "新建变更集",
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


SEND = """async ([method, path, body]) => {
  const { csrf_token } = await (await fetch('/api/session')).json();
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrf_token };
  const answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}"""


def send(desk, path: str, body: dict, method: str = "POST") -> dict:
    """What a map client would send in this person's name."""
    return desk.tab.evaluate(SEND, [method, path, body])


def read(desk, path: str) -> dict:
    return desk.tab.evaluate("async (path) => (await fetch(path)).json()", path)


def grown(geometry: dict, factor: float) -> dict:
    """The shape, larger or smaller about its first corner."""
    corner = geometry["coordinates"][0][0]
    east, north = corner[0] if geometry["type"] == "MultiPolygon" else corner

    def moved(part):
        if isinstance(part[0], (int, float)):
            return [east + (part[0] - east) * factor, north + (part[1] - north) * factor]
        return [moved(one) for one in part]

    return {"type": geometry["type"], "coordinates": moved(geometry["coordinates"])}


def block(desk) -> list[dict]:
    """Neighbouring parcels of present land use, as the map shows them."""
    return read(desk, f"/ogc/collections/{LAYER}/items?limit=6&f=json")["features"]


def begin(desk) -> int:
    """A new changeset by its form; the number."""
    tab = desk.tab
    show(desk, "/changesets/new")
    tab.get_by_role("button", name="创建并开始修改").click()
    expect(tab.get_by_text("请填写。")).to_be_visible()
    tab.get_by_label("标题").fill(TITLE)
    tab.get_by_label("依据与说明").fill("外业核实单 2026-17")
    assert desk.axe() == []
    tab.get_by_role("button", name="创建并开始修改").click()
    expect(tab.get_by_role("heading", level=1, name=TITLE)).to_be_visible()
    return int(re.search(r"/changesets/(\d+)", tab.url)[1])


def correct(desk, number: int, feature: dict, code: str) -> None:
    """Another code for a feature, by the form."""
    tab = desk.tab
    show(desk, f"/changesets/{number}/edit")
    tab.locator("#draft-layer").select_option(LAYER)
    tab.locator("#draft-fid").fill(str(feature["id"]))
    tab.get_by_role("button", name="读取").click()
    tab.get_by_label("用地代码", exact=True).select_option(code)
    expect(tab.get_by_text("1 项未放入变更集")).to_be_visible()
    assert desk.axe() == []
    tab.get_by_role("button", name="放入变更集").click()
    expect(tab.get_by_text(f"要素 {feature['id']} 的修改已放入变更集")).to_be_visible()


def draw(desk, number: int, reshaped: dict, halved: dict, dropped: dict) -> None:
    """What the planner draws on a map: one parcel reshaped, one split, one deleted."""
    half = {"op": "insert", "geometry": grown(halved["geometry"], 0.5), "properties": halved["properties"]}
    edits = [
        {
            "op": "update",
            "fid": reshaped["id"],
            "version": reshaped["version"],
            "geometry": grown(reshaped["geometry"], 0.8),
        },
        {**half, "split_from": halved["id"]},
        {"op": "delete", "fid": dropped["id"], "version": dropped["version"]},
    ]
    send(desk, f"/api/changesets/{number}/edits", {"layer": LAYER, "edits": edits})


def look_at_differences(desk, number: int, first: dict, halved: dict) -> None:
    tab = desk.tab
    show(desk, f"/changesets/{number}/diff")
    rows = tab.locator("[data-change]")
    expect(rows).to_have_count(4)
    expect(tab.get_by_role("row").filter(has_text=f"由 {halved['id']} 分割")).to_be_visible()
    ledger = tab.get_by_role("row").filter(has_text="现状用地").first
    expect(ledger).to_contain_text("−")
    rows.first.focus()
    tab.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    expect(rows.nth(1)).to_have_attribute("aria-pressed", "true")
    place = tab.locator(f'[data-change="{LAYER}/{first["id"]}"]')
    place.click()
    assert desk.axe() == []
    tab.get_by_role("group", name="变更类型").get_by_role("button", name=re.compile("删除")).click()
    expect(rows).to_have_count(1)
    tab.get_by_role("group", name="变更类型").get_by_role("button", name=re.compile("全部")).click()
    expect(rows).to_have_count(4)


def take_step(desk, number: int, step: str, reason: str = "") -> None:
    tab = desk.tab
    show(desk, f"/changesets/{number}")
    tab.reload()
    tab.locator(".decide").get_by_role("button", name=step, exact=True).click()
    dialog = tab.get_by_role("dialog")
    if reason:
        dialog.get_by_role("textbox").fill(reason)
    dialog.get_by_role("button", name=step, exact=True).click()
    expect(dialog).to_have_count(0)


def meddle(desk, first: dict, reshaped: dict, code: str) -> None:
    """The registrar corrects the same parcels on the one map: the same part, and parts that nobody contests."""
    edits = [
        {
            "op": "update",
            "fid": first["id"],
            "version": first["version"],
            "properties": {"land_use": code, "survey_year": 2025},
        },
        {
            "op": "update",
            "fid": reshaped["id"],
            "version": reshaped["version"],
            "geometry": grown(reshaped["geometry"], 0.9),
        },
    ]
    send(desk, f"/api/layers/{LAYER}/changes", {"reason": "年度变更调查", "edits": edits})


def send_back(desk, number: int) -> None:
    """The registrar finds it in the list and returns it; without a reason it does not go."""
    tab = desk.tab
    show(desk, "/changesets")
    tab.get_by_role("button", name="待我审查").click()
    row = tab.get_by_role("row").filter(has_text=TITLE)
    expect(row).to_contain_text("待审查")
    assert desk.axe() == []
    row.get_by_role("link").click()
    tab.locator(".decide").get_by_role("button", name="退回", exact=True).click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_role("button", name="退回", exact=True).click()
    expect(dialog.get_by_text("请写明原因")).to_be_visible()
    assert desk.axe() == []
    dialog.get_by_role("textbox").fill("与年度变更调查不一致，请合并")
    dialog.get_by_role("button", name="退回", exact=True).click()
    expect(tab.get_by_text("已退回").first).to_be_visible()


def settle(desk, number: int, first: dict, reshaped: dict, code: str) -> None:
    """One field gets a third value, the shape is theirs; choices outlive a reload of the page."""
    tab = desk.tab
    show(desk, f"/changesets/{number}/conflicts")
    expect(tab.get_by_text("与年度变更调查不一致")).to_be_visible()
    expect(tab.get_by_text("还有 2 处待定（冲突要素 2 个）")).to_be_visible()
    parcel = tab.locator(f'[data-conflict="{LAYER}/{first["id"]}"]')
    shape = tab.locator(f'[data-conflict="{LAYER}/{reshaped["id"]}"]')
    shape.get_by_role("button", name="全部取现状").click()
    parcel.get_by_role("radio", name=re.compile("其他值")).check()
    parcel.get_by_role("combobox").select_option(code)
    expect(tab.get_by_text("还有 0 处待定")).to_be_visible()
    assert desk.axe() == []
    tab.reload()
    expect(tab.get_by_text("还有 0 处待定")).to_be_visible()
    tab.get_by_role("button", name="保存 2 个要素的选择").click()
    expect(tab.get_by_text("没有待处理的冲突")).to_be_visible()
    expect(tab.get_by_text("与一张图现状没有冲突")).to_be_visible()


def codes_of(desk) -> list[str]:
    found = next(one for one in read(desk, "/api/layers")["layers"] if one["name"] == LAYER)
    return [code[0] for field in found["fields"] if field["name"] == "land_use" for code in field["codes"]]


def test_a_correction_is_contradicted_returned_merged_and_published(sign_in):
    ming, gao = sign_in("planner"), sign_in("registrar")
    first, reshaped, halved, dropped = block(ming)[:4]
    ours, theirs, other = [code for code in codes_of(ming) if code != first["properties"]["land_use"]][:3]
    number = begin(ming)
    correct(ming, number, first, ours)
    draw(ming, number, reshaped, halved, dropped)
    look_at_differences(ming, number, first, halved)
    meddle(gao, first, reshaped, theirs)
    take_step(ming, number, "送审")
    send_back(gao, number)
    ming.tab.reload()
    settle(ming, number, first, reshaped, other)
    take_step(ming, number, "送审")
    take_step(gao, number, "批准")
    take_step(gao, number, "发布", "经会审同意")
    expect(gao.tab.get_by_text("已发布", exact=True)).to_be_visible()
    show(gao, f"/changesets/{number}/log")
    expect(gao.tab.get_by_role("row").filter(has_text="经会审同意")).to_be_visible()
    assert gao.axe() == []
    now = read(gao, f"/ogc/collections/{LAYER}/items/{first['id']}?f=json")["properties"]
    assert (now["land_use"], now["survey_year"]) == (other, 2025)
    assert ming.complaints == gao.complaints == []


def test_what_happened_meanwhile_is_told_and_the_reason_is_kept(sign_in):
    ming, gao = sign_in("planner"), sign_in("registrar")
    one = block(ming)[4]
    number = send(ming, "/api/changesets", {"title": "试改"})["id"]
    edit = {"op": "update", "fid": one["id"], "version": one["version"], "properties": {"survey_year": 2001}}
    send(ming, f"/api/changesets/{number}/edits", {"layer": LAYER, "edits": [edit]})
    send(ming, f"/api/changesets/{number}/submit", {})
    show(gao, f"/changesets/{number}")
    gao.tab.locator(".decide").get_by_role("button", name="退回", exact=True).click()
    dialog = gao.tab.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("请附外业照片")
    send(ming, f"/api/changesets/{number}/withdraw", {"reason": "漏了一块"})
    dialog.get_by_role("button", name="退回", exact=True).click()
    expect(dialog.get_by_text("漏了一块")).to_be_visible()
    assert gao.axe() == []
    dialog.get_by_role("button", name="载入最新").click()
    expect(dialog.get_by_role("textbox")).to_have_value("请附外业照片")
    expect(dialog.get_by_text("变更集现在的状态已没有这一步")).to_be_visible()
    assert [line for line in gao.complaints if "409" not in line] == []


def test_a_feature_leaves_the_changeset_and_a_form_is_not_lost(sign_in):
    ming, hong = sign_in("planner"), sign_in("registrar")
    one = block(ming)[5]
    number = send(ming, "/api/changesets", {"title": "共同更正", "shared": True})["id"]
    path = f"/api/changesets/{number}/edits"
    show(ming, f"/changesets/{number}/edit/{LAYER}/{one['id']}")
    ming.tab.get_by_label("调查年份", exact=True).fill("二〇")
    expect(ming.tab.get_by_text("请填写整数。")).to_be_visible()
    ming.tab.get_by_label("调查年份", exact=True).fill("2019")
    edit = {"op": "update", "fid": one["id"], "version": one["version"], "properties": {"area_m2": 1.5}}
    send(hong, path, {"layer": LAYER, "edits": [edit]})
    ming.tab.get_by_role("button", name="放入变更集").click()
    expect(ming.tab.get_by_text("他人刚刚修改了该要素")).to_be_visible()
    expect(ming.tab.get_by_label("调查年份", exact=True)).to_have_value("2019")
    ming.tab.get_by_role("button", name="放入变更集").click()
    expect(ming.tab.get_by_text("的修改已放入变更集")).to_be_visible()
    ming.tab.get_by_role("button", name="修改说明").click()
    ming.tab.get_by_role("dialog").get_by_label("标题").fill("共同更正 调查年份")
    assert ming.axe() == []
    ming.tab.get_by_role("button", name="保存说明").click()
    expect(ming.tab.get_by_role("heading", level=1, name="共同更正 调查年份")).to_be_visible()
    show(ming, f"/changesets/{number}/diff")
    ming.tab.get_by_role("button", name=f"把要素 {one['id']} 撤出变更集").click()
    ming.tab.get_by_role("dialog").get_by_role("button", name="撤出", exact=True).click()
    expect(ming.tab.get_by_text("变更集还是空的。")).to_be_visible()
    assert [line for line in ming.complaints if "412" not in line] == []


def test_each_screen_is_accessible_in_both_languages(sign_in):
    desk = sign_in("planner", viewport={"width": 1024, "height": 768})
    number = send(desk, "/api/changesets", {"title": "Empty 空"})["id"]
    tabs = [f"/changesets/{number}/{tab}" for tab in ("diff", "conflicts", "edit", "log")]
    for place in (*SCREENS, *tabs):
        show(desk, place)
        expect(desk.tab.get_by_role("heading", level=1, name=SCREENS.get(place, "Empty 空"))).to_be_visible()
        assert desk.axe() == [], place
    desk.tab.get_by_role("button", name="EN · English").click()
    for place in (*SCREENS, *tabs):
        show(desk, place)
        expect(desk.tab.get_by_role("heading", level=1)).to_be_visible()
        assert not re.search(r"[a-z]+\.[a-z]+-[a-z]+", desk.tab.locator("main").inner_text()), place
    assert desk.complaints == []
