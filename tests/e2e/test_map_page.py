"""The planner's map page in a real browser, against the running demonstration city."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from pyproj import Transformer
from shapely.geometry import shape

TO_PLANE = Transformer.from_crs(4490, 4547, always_xy=True)
PROBLEM = {
    "type": "about:blank",
    "title": "away",
    "status": 503,
    "code": "database-away",
    "facts": {},
    "request_id": "0" * 32,
}


@pytest.fixture
def building(city):
    """A building that has a name: its number, its properties and a point inside it, metres of the storage CRS."""
    page = city.json("/ogc/collections/building/items?limit=200")
    feature = next(one for one in page["features"] if one["properties"]["name"])
    inside = shape(feature["geometry"]).representative_point()
    east, north = TO_PLANE.transform(inside.x, inside.y)
    return {"fid": int(feature["id"]), "properties": feature["properties"], "east": east, "north": north}


def near(place, scale=1000) -> str:
    return f"/#c={place['east']:.1f},{place['north']:.1f}&s={scale}"


def tiles_of(page, layer: str) -> list[int]:
    """Levels of the tiles asked for."""
    return [
        int(level) for url in page.requests for level in re.findall(rf"/tiles/{layer}/CityGrid/(\d+)/", url)
    ]


def sign_in(page, password: str, username="planner") -> None:
    page.tab.get_by_role("button", name="登录", exact=True).click()
    page.tab.locator("[name=username]").fill(username)
    page.tab.locator("[name=password]").fill(password)
    page.tab.keyboard.press("Enter")


def grant(city, layer: str) -> tuple[int, dict]:
    """Give the planning department a layer."""
    return city.manage("grant", "--layer", layer, "--to", "department:planning", "--actions", "view,query")


def refuse(route) -> None:
    route.fulfill(status=503, json=PROBLEM, content_type="application/problem+json")


class TestOpening:
    def test_it_opens_signed_out_without_a_complaint(self, page, city):
        page.open()
        layers = city.json("/api/layers")["layers"]
        for layer in layers:
            expect(page.row(layer["name"])).to_contain_text(layer["title_zh"])
        assert page.complaints == []
        assert page.tab.evaluate("window.__violations ?? []") == []
        assert [
            url for url in page.requests if not url.startswith((page.base, "data:", "blob:", "about:"))
        ] == []

    def test_the_map_is_not_blank(self, page):
        page.open()
        pixels = np.asarray(Image.open(io.BytesIO(page.tab.locator("#map").screenshot())).convert("RGB"))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100

    def test_a_link_opens_the_view_the_layers_and_the_feature_it_names(self, page, building):
        page.open(near(building) + f"&l=building:60,road&f=building.{building['fid']}")
        expect(page.tab.locator(".values")).to_contain_text(building["properties"]["name"])
        view = page.view()
        assert abs(view["resolution"] / 0.00028 - 1000) < 1
        on = page.tab.locator('[role=treeitem][aria-level="2"][aria-checked=true]')
        assert sorted(on.evaluate_all("rows => rows.map(row => row.dataset.row)")) == [
            "layer:building",
            "layer:road",
        ]
        assert "l=building:60,road" in page.tab.url

    @pytest.mark.parametrize(
        "hash_", ["#c=NaN,1&s=-1&l=%3Cscript%3E&f=..%2F1", "#s=0&lang=xx", "#c=1e300,1e300"]
    )
    def test_a_broken_link_opens_the_ordinary_view(self, page, hash_):
        page.open("/" + hash_)
        assert page.complaints == []


class TestLayers:
    def test_below_its_first_level_a_layer_asks_for_nothing_and_says_zoom_in(self, page, city, building):
        layers = {one["name"]: one for one in city.json("/api/layers")["layers"]}
        first = layers["building"]["first_level"]["CityGrid"]
        page.open()
        assert tiles_of(page, "building") == []
        expect(page.row("building").get_by_role("img", name="放大后显示")).to_be_visible()
        page.open(near(building, 2000))
        expect(page.row("building").get_by_role("img", name="放大后显示")).to_have_count(0)
        assert min(tiles_of(page, "building")) >= first

    def test_the_tree_works_by_keyboard(self, page):
        page.open()
        page.tab.locator('[role=treeitem][tabindex="0"]').focus()
        page.tab.keyboard.press("End")
        last = page.tab.locator("[role=treeitem]").last
        expect(last).to_be_focused()
        before = last.get_attribute("aria-checked")
        page.tab.keyboard.press("Space")
        expect(last).to_have_attribute("aria-checked", "false" if before == "true" else "true")
        page.tab.keyboard.press("Home")
        page.tab.keyboard.press("ArrowLeft")
        expect(page.tab.locator("[role=treeitem]").first).to_have_attribute("aria-expanded", "false")

    def test_new_data_comes_with_a_new_address_and_old_results_say_so(self, page, building):
        page.open(near(building))
        page.click_map(building["east"], building["north"])
        expect(page.tab.locator(".values")).to_be_visible()

        def newer(route):
            answer = route.fetch(headers={**route.request.headers, "if-none-match": ""})
            layers = answer.json()["layers"]
            for layer in layers:
                layer["tiles"] = layer["tiles"].replace(
                    f"v={layer['revision']}", f"v={layer['revision'] + 1}"
                )
                layer["revision"] += 1
            route.fulfill(json={"layers": layers}, headers={"ETag": '"newer"'})

        page.tab.route("**/api/layers", newer)
        page.tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.tab.locator(".dock-right")).to_contain_text("数据有新版本")
        page.until(
            "new Set(performance.getEntriesByType('resource')"
            ".map(one => /tiles.building.*v=(\\d+)/.exec(one.name)?.[1]).filter(Boolean)).size === 2"
        )
        revisions = {re.search(r"v=(\d+)", url)[1] for url in page.requests if "/tiles/building/" in url}
        assert len(revisions) == 2

    def test_a_layer_whose_tiles_fail_is_marked_and_comes_back(self, page, building):
        page.tab.route("**/tiles/road/**", refuse)
        page.open(near(building))
        expect(page.row("road").get_by_role("img", name=re.compile("未能加载"))).to_be_visible()
        page.tab.unroute("**/tiles/road/**")
        page.row("road").locator(".tree-label").click()
        page.tab.locator(".panel-hint").get_by_role("button", name="重试").click()
        expect(page.row("road").get_by_role("img")).to_have_count(0)


class TestAsking:
    def test_a_click_shows_the_attributes_under_their_aliases(self, page, building):
        page.open(near(building))
        page.click_map(building["east"], building["north"])
        values = page.tab.locator(".values")
        expect(values).to_contain_text(building["properties"]["name"])
        expect(values).to_contain_text("层数")
        page.until(f"location.hash.includes('f=building.{building['fid']}')")

    def test_the_keyboard_asks_about_the_centre(self, page, building):
        page.open(near(building))
        page.tab.locator("#map").focus()
        page.tab.keyboard.press("Enter")
        expect(page.tab.locator(".values")).to_contain_text(building["properties"]["name"])
        page.tab.keyboard.press("Escape")
        expect(page.tab.locator(".values")).to_have_count(0)

    def test_nothing_there_is_said_in_words(self, page):
        page.open("/#c=450000,2450000&s=5000")
        page.click_map(450000, 2450000)
        expect(page.tab.locator(".dock-right")).to_contain_text("此处没有可查询的要素")

    def test_opening_the_dock_does_not_move_what_was_clicked(self, page, building):
        page.open(near(building))
        map_box = page.tab.locator("#map").bounding_box()
        before = page.tab.evaluate(f"window.__map.pixelOf([{building['east']}, {building['north']}])")
        page.click_map(building["east"], building["north"])
        expect(page.tab.locator(".dock-right")).to_be_visible()
        page.until(f"document.getElementById('map').clientWidth < {map_box['width']}")
        after = page.tab.evaluate(f"window.__map.pixelOf([{building['east']}, {building['north']}])")
        assert np.allclose(before, after, atol=2)

    def test_a_failure_names_its_code_and_is_mended_by_retrying(self, page, building):
        page.tab.route("**/api/identify*", refuse)
        page.open(near(building))
        page.click_map(building["east"], building["north"])
        block = page.tab.locator(".dock-right .is-failure")
        expect(block).to_contain_text("database-away")
        page.tab.unroute("**/api/identify*")
        block.get_by_role("button", name="重试").click()
        expect(page.tab.locator(".values")).to_contain_text(building["properties"]["name"])


class TestTable:
    def test_the_table_counts_what_the_service_counts(self, page, city, building):
        page.open(near(building, 2000))
        page.row("building").locator(".tree-label").click()
        page.tab.locator(".layer-panel").get_by_role("button", name="要素表").click()
        expect(page.tab.locator(".grid tbody tr").first).to_be_visible()
        page.until("document.querySelector('.tray-range').textContent.length > 0")
        west, south, east, north = page.view()["extent"]
        bbox = f"{south:.3f},{west:.3f},{north:.3f},{east:.3f}"
        crs = "http://www.opengis.net/def/crs/EPSG/0/4547"
        matched = city.json(f"/ogc/collections/building/items?limit=1&bbox={bbox}&bbox-crs={crs}")[
            "numberMatched"
        ]
        shown = page.tab.locator(".tray-range")
        expect(shown).to_contain_text(re.compile(rf"当前范围 {matched} 个"))
        assert page.tab.locator(".grid tbody tr").count() == min(matched, 50)

    def test_pages_go_forth_and_back(self, page, building):
        page.open(near(building, 8000))
        page.row("building").locator(".tree-label").click()
        page.tab.locator(".layer-panel").get_by_role("button", name="要素表").click()
        fids = page.tab.locator(".grid tbody button")
        expect(fids).to_have_count(50)
        expect(page.tab.locator(".state-progress")).to_have_count(0)
        first = fids.first.inner_text()
        page.tab.get_by_role("button", name="下一页").click()
        expect(fids.first).not_to_have_text(first)
        page.tab.get_by_role("button", name="上一页").click()
        expect(fids.first).to_have_text(first)

    def test_a_row_selects_on_the_map(self, page, building):
        page.open(near(building, 2000))
        page.row("building").locator(".tree-label").click()
        page.tab.locator(".layer-panel").get_by_role("button", name="要素表").click()
        row = page.tab.locator(".grid tbody tr").nth(1)
        row.get_by_role("button").click()
        expect(row).to_have_attribute("aria-selected", "true")
        fid = row.get_by_role("button").inner_text()
        page.until(f"location.hash.includes('f=building.{fid}')")


class TestPeople:
    def test_a_wrong_password_is_said_beside_the_field(self, page):
        page.open()
        sign_in(page, "not the password", "nobody")
        expect(page.tab.locator("#login-failure")).to_have_text("用户名或密码不正确。")
        expect(page.tab.locator("[name=password]")).to_be_focused()

    def test_signing_in_brings_the_department_s_layers_and_signing_out_takes_them_away(self, page, city):
        code, report = grant(city, "parcel")
        assert code == 0, report
        page.open()
        expect(page.row("parcel")).to_have_count(0)
        sign_in(page, city.env["ONEMAP_DEMO_PASSWORD"])
        expect(page.row("parcel")).to_contain_text("内部")
        page.tab.locator(".menu summary").click()
        page.tab.get_by_role("button", name="退出登录").click()
        expect(page.row("parcel")).to_have_count(0)
        assert page.complaints == []

    def test_a_session_that_ends_is_noticed(self, page, city):
        page.open()
        sign_in(page, city.env["ONEMAP_DEMO_PASSWORD"])
        expect(page.tab.locator(".menu")).to_be_visible()
        grant(city, "block")
        page.context.clear_cookies(name="sessionid")
        page.tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.tab.get_by_role("alert").filter(has_text="登录已过期")).to_be_visible()


class TestStates:
    def test_without_an_answer_the_page_says_what_failed_and_recovers(self, page):
        page.tab.route("**/api/map", refuse)
        page.tab.route("**/api/layers", refuse)
        page.tab.goto(page.base + "/")
        expect(page.tab.locator(".map-state")).to_contain_text("未能打开地图")
        expect(page.tab.locator(".dock-left")).to_contain_text("未能加载图层目录")
        page.tab.unroute("**/api/map")
        page.tab.unroute("**/api/layers")
        page.tab.locator(".map-state").get_by_role("button", name="重试").click()
        page.until("window.__ready === true")
        expect(page.tab.locator("[role=tree]")).to_be_visible()

    def test_offline_is_one_bar_that_goes_by_itself(self, page):
        page.open()
        page.context.set_offline(True)
        expect(page.tab.locator(".bars")).to_contain_text("离线")
        expect(page.tab.get_by_role("button", name="登录", exact=True)).to_be_disabled()
        page.context.set_offline(False)
        expect(page.tab.locator(".bars .bar")).to_have_count(0)

    def test_no_layers_is_explained_with_the_next_step(self, page):
        page.tab.route(
            "**/api/layers", lambda route: route.fulfill(json={"layers": []}, headers={"ETag": '"none"'})
        )
        page.open()
        dock = page.tab.locator(".dock-left")
        expect(dock).to_contain_text("没有可查看的图层")
        dock.get_by_role("button", name="登录").click()
        expect(page.tab.locator("dialog")).to_be_visible()


class TestLanguageAndSize:
    def test_the_language_changes_in_place(self, page, building):
        page.open(near(building))
        before = page.view()
        page.tab.get_by_role("button", name="English").click()
        expect(page.row("building")).to_contain_text("Buildings")
        expect(page.tab.locator("html")).to_have_attribute("lang", "en")
        assert page.view()["center"] == before["center"]
        page.tab.goto(page.base + "/")
        expect(page.tab.locator("html")).to_have_attribute("lang", "en")

    def test_the_scale_box_takes_what_people_type(self, page, building):
        page.open(near(building))
        box = page.tab.locator(".status-scale input")
        box.fill("1：2,000")
        box.press("Enter")
        page.until("Math.abs(window.__map.state().resolution - 0.56) < 1e-9")
        box.fill("two thousand")
        expect(box).to_have_attribute("aria-invalid", "true")

    @pytest.mark.parametrize("width,height", [(1366, 768), (1024, 700), (800, 600), (360, 640)])
    def test_nothing_is_wider_than_the_screen(self, new_page, width, height):
        page = new_page(viewport={"width": width, "height": height})
        page.open("/?lang=en")
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
        edge = "one => Math.max(...[...one.children].map(child => child.getBoundingClientRect().right))"
        for place in (".top-bar", ".status-bar"):
            assert page.tab.locator(place).evaluate(edge) <= width, place

    def test_on_a_phone_the_panels_are_sheets_below_the_map(self, new_page, building):
        page = new_page(viewport={"width": 360, "height": 640}, has_touch=True)
        page.open(near(building))
        expect(page.tab.locator(".dock")).to_have_count(0)
        page.click_map(building["east"], building["north"])
        expect(page.tab.locator(".values")).to_contain_text(building["properties"]["name"])
        page.tab.locator(".pane-switch button").first.click()
        expect(page.tab.locator(".dock-left")).to_be_visible()
        expect(page.tab.locator(".dock-right")).to_have_count(0)


class TestAccess:
    @pytest.mark.parametrize("language", ["zh-CN", "en"])
    def test_axe_finds_nothing_on_the_working_page(self, page, building, language):
        page.open(f"/?lang={language}" + near(building, 2000)[1:])
        page.click_map(building["east"], building["north"])
        expect(page.tab.locator(".values")).to_be_visible()
        page.row("building").locator(".tree-label").click()
        page.tab.locator(".layer-panel button").nth(2).click()
        expect(page.tab.locator(".grid tbody tr").first).to_be_visible()
        assert page.axe() == []

    def test_axe_finds_nothing_in_the_dialog_and_on_a_phone(self, page, new_page):
        page.open()
        page.tab.get_by_role("button", name="登录", exact=True).click()
        assert page.axe() == []
        phone = new_page(viewport={"width": 360, "height": 640})
        phone.open()
        phone.tab.locator(".pane-switch button").first.click()
        assert phone.axe() == []

    def test_the_first_tab_stop_skips_the_map(self, page):
        page.open()
        page.tab.keyboard.press("Tab")
        expect(page.tab.locator(".skip-link")).to_be_focused()
        page.tab.keyboard.press("Enter")
        expect(page.tab.locator("#after-map")).to_be_focused()
