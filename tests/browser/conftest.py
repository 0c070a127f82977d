"""One running product and one Chromium for all browser tests; screenshots of every screen in ``.cache/screens``."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, sync_playwright

from tests.sim.world import World

CHROMIUM = "/usr/bin/chromium"
# Chromium's own calls home are switched off: whatever still leaves the machine is a page's doing, and is a fault.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SCREENS = Path(__file__).parents[2] / ".cache" / "screens"
ATTEMPTS = 3
KIOSK_SIZE: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("browser"), cards=3, odd_cards=True, lesson_hours=[]) as world:
        yield world


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    # The staff site's certificate is the box's own in the demo.
    context = chromium.new_context(viewport=KIOSK_SIZE, ignore_https_errors=True, locale="ja-JP")
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the page's console said; a test that provokes something takes it out again."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A page that fails the test on any script error, console message or request to elsewhere."""
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
    yield page
    assert complaints == []
    assert hosts <= {"127.0.0.1", "localhost"}


@pytest.fixture
def shot(page: Page) -> Callable[[str], None]:
    """Takes a picture of the page under a name, for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> None:
        page.wait_for_load_state()
        page.wait_for_function("() => [...document.images].every((one) => one.complete)")
        for attempt in range(ATTEMPTS):
            try:
                page.screenshot(path=SCREENS / f"{name}.png")
                return
            except Error:  # a busy machine's compositor sometimes gives no picture; the page itself is fine
                if attempt == ATTEMPTS - 1:
                    raise

    return take
