"""A real browser on the running site; whatever it complains about is kept for the test to read."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.conftest import wait_until

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--font-render-hinting=none",
]
AXE = Path(__file__).parents[2] / "client" / "node_modules" / "axe-core" / "axe.min.js"
WATCH_POLICY = """
addEventListener('securitypolicyviolation', (event) => {
  (window.__violations ??= []).push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


class MapPage:
    """The planner's map in a browser tab."""

    def __init__(self, browser, base: str, **context) -> None:
        self.base = base
        self.context = browser.new_context(
            **{
                "viewport": {"width": 1366, "height": 768},
                "locale": "zh-CN",
                "timezone_id": "Asia/Shanghai",
                "reduced_motion": "reduce",
                **context,
            }
        )
        self.context.add_init_script(WATCH_POLICY)
        self.tab = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", self._console)
        self.tab.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("response", self._response)

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console {message.type}: {message.text}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def open(self, address: str = "/") -> None:
        """Load the page anew and wait until everything asked for is drawn and the interface is there."""
        self.tab.goto("about:blank")
        self.tab.goto(self.base + address)
        self.until("window.__ready === true")
        self.tab.locator(".pane-switch").wait_for()

    def until(self, condition: str, seconds: float = 30.0):
        """Poll a JavaScript expression; Playwright's own way evaluates text in the page, which the policy forbids."""
        return wait_until(lambda: self.tab.evaluate(condition), seconds)

    def row(self, layer: str):
        return self.tab.locator(f'[data-row="layer:{layer}"]')

    def click_map(self, east: float, north: float) -> None:
        """Click where a position of the storage CRS is on screen."""
        x, y = self.tab.evaluate(f"window.__map.pixelOf([{east}, {north}])")
        box = self.tab.locator("#map").bounding_box()
        self.tab.mouse.click(box["x"] + x, box["y"] + y)

    def view(self) -> dict:
        """Centre and extent in metres of the storage CRS, and metres per pixel."""
        return self.tab.evaluate("window.__map.state()")

    def axe(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA, one line each."""
        self.tab.evaluate(AXE.read_text(encoding="utf-8"))
        tags = json.dumps(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
        found = self.tab.evaluate(
            f"axe.run(document, {{runOnly: {tags}}}).then((result) => result.violations)"
        )
        return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.fixture(scope="module")
def browser():
    """Gone with its tests: an event loop that lives on would keep later tests from the database."""
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield one
        one.close()


@pytest.fixture
def new_page(browser, live_site):
    """Open tabs of their own size, language or touch; all are closed after the test."""
    pages: list[MapPage] = []

    def make(**context) -> MapPage:
        pages.append(MapPage(browser, live_site, **context))
        return pages[-1]

    yield make
    for page in pages:
        page.context.close()


@pytest.fixture
def page(new_page):
    """The map page on a desk, signed out, in Chinese."""
    return new_page()


@pytest.fixture
def desk(page, city):
    """The data desk, signed in as the data manager."""
    page.tab.goto(page.base + "/data/")
    page.tab.locator("[name=username]").fill("datamanager")
    page.tab.locator("[name=password]").fill(city.env["ONEMAP_DEMO_PASSWORD"])
    page.tab.keyboard.press("Enter")
    expect(page.tab.get_by_role("heading", name="数据交付")).to_be_visible()
    return page
