"""School staff at their desk, in Chromium."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from appliance.services.founding import DATABASE_KEY
from appliance.services.opening import DATABASE_NAME
from appliance.store.database import Database
from appliance.store.line import LineSample, LineStore
from tests.sim.visit import register_and_visit
from tests.sim.world import ADMIN, World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
Shot = Callable[[str], None]


def sign_in(world: World, page: Page) -> None:
    page.goto(world.staff_url)
    page.fill("[name=account]", ADMIN)
    page.fill("[name=password]", world.password)
    page.click("button.main")
    expect(page.locator(".who")).to_be_visible()


def test_signing_in_and_out(world: World, page: Page, shot: Shot) -> None:
    page.goto(world.staff_url)
    shot("staff-1-sign-in")
    page.fill("[name=account]", ADMIN)
    page.fill("[name=password]", world.password)
    page.click("button.main")
    expect(page.locator(".who")).to_be_visible()
    shot("staff-2-today")
    page.click("text=サインアウト")
    page.goto(world.staff_url + "/people")
    expect(page.locator("h1")).to_have_text("サインイン")


def test_a_visit_appears_by_itself_and_then_as_received(world: World, page: Page, shot: Shot) -> None:
    world.line.cut()
    sign_in(world, page)
    guardian = world.guardian_ids()[10]
    visitor = register_and_visit(world, "card-02", guardian, lambda _: None)
    row = page.locator("tr", has_text=str(world.roster.person(guardian).name)).first
    expect(row.locator(".state")).to_have_text("記録済み・送信待ち", timeout=15_000)
    shot("staff-2-today-offline")
    world.line.restore()
    visitor.wait_until_confirmed()
    expect(row.locator(".state")).to_have_text("県が受領", timeout=15_000)
    shot("staff-2-today-received")
    world.stage.remove()
    visitor.wait_for("waiting")


def test_printing_a_link_code(world: World, page: Page, shot: Shot) -> None:
    sign_in(world, page)
    page.click("nav >> text=人")
    shot("staff-3-people")
    guardian = world.roster.person(world.guardian_ids()[20])
    page.fill("[name=q]", str(guardian.name))
    page.click(".search button")
    shot("staff-3-found")
    assert "?" not in page.url, "a name must not get into an address"
    page.click(f"td >> text={guardian.name}")
    shot("staff-4-person")
    page.locator(".card-state button").first.click()
    assert len(page.inner_text(".paper-code").replace(" ", "")) == 8
    shot("staff-5-code")
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    shot("staff-5-code-printed")


def test_the_line_is_measured_at_once_when_somebody_asks(world: World, page: Page, shot: Shot) -> None:
    sign_in(world, page)
    page.click("nav >> text=回線")
    shot("staff-7-line-empty")
    page.click("text=いま測る")
    expect(page.locator("[role=status]")).to_contain_text("測り終わりました", timeout=30_000)
    expect(page.locator(".picture circle")).to_have_count(1)
    expect(page.locator(".tile .big").first).to_contain_text("Mbit/s")
    key = (world.box / "credentials" / DATABASE_KEY).read_bytes()
    with Database.open(world.box / "state" / DATABASE_NAME, key) as database:
        store = LineStore(database)
        latest = store.latest()
        assert latest is not None
        for week in range(1, 30):
            carried = (11_000_000 if week > 12 else 94_000_000) + 900_000 * (week * 7 % 5)
            store.add(LineSample(latest.at_ms - week * 7 * 86_400_000, carried, 9, 1 << 20))
        store.add(LineSample(latest.at_ms + 1, 97_000_000, 9, 1 << 20))
    page.reload()
    expect(page.locator(".picture circle")).to_have_count(31)
    page.locator(".picture").scroll_into_view_if_needed()
    shot("staff-7-line")


def test_empty_states_and_health(world: World, page: Page, shot: Shot) -> None:
    sign_in(world, page)
    page.goto(world.staff_url + "/people")
    page.fill("[name=q]", "存在しない名前")
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()
    page.goto(world.staff_url + "/?day=2020-04-01")
    expect(page.locator(".empty")).to_be_visible()
    page.goto(world.staff_url + "/box")
    expect(page.locator(".facts")).to_be_visible()
    shot("staff-6-box")
