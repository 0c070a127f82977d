"""A guardian at the kiosk, in Chromium."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.sim.file_limit import failing_beyond
from tests.sim.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
Shot = Callable[[str], None]
SLOW_MS = 15_000


@pytest.fixture(autouse=True)
def _empty_reader(world: World, page: Page) -> Iterator[None]:
    """Each story begins and ends with nothing on the reader."""
    page.set_default_timeout(SLOW_MS)
    yield
    world.stage.remove()
    page.goto(world.kiosk_url)
    # Once the reader is seen to be empty: a button of the screen before would be pressed too late.
    page.wait_for_selector(".step-waiting, .step-problem")
    if page.locator(".step-problem form[action='/cancel'] button").count():
        page.locator("form[action='/cancel'] button").first.click()
    page.wait_for_selector(".step-waiting")


def at(page: Page, step: str) -> None:
    page.wait_for_selector(f".step-{step}")


def press(page: Page, action: str) -> None:
    page.click(f"form[action='{action}'] button")


def type_digits(page: Page, digits: str) -> None:
    for digit in digits:
        page.click(f"[data-digit='{digit}']")


def enter(page: Page, digits: str) -> None:
    type_digits(page, digits)
    page.click(".enter")


def link_card(world: World, page: Page, card: str, guardian: str) -> None:
    """Through the link code to the statement."""
    code = world.staff_member().link_code(guardian)
    page.goto(world.kiosk_url)
    at(page, "waiting")
    world.stage.insert(card)
    at(page, "link")
    enter(page, code)
    at(page, "statement")


def test_the_whole_visit(world: World, page: Page, shot: Shot) -> None:
    code = world.staff_member().link_code(world.guardian_ids()[0])
    page.goto(world.kiosk_url)
    at(page, "waiting")
    shot("kiosk-1-waiting")
    expect(page.locator(".promise")).to_contain_text("マイナンバー")
    world.stage.set("card-01", delay_ms=900)  # long enough to be seen on a busy machine
    world.stage.insert("card-01")
    at(page, "reading")
    shot("kiosk-2-reading")
    at(page, "link")
    shot("kiosk-3-link")
    assert page.locator(".enter").is_disabled()
    enter(page, code)
    at(page, "statement")
    shot("kiosk-4-statement")
    page.click("summary")
    shot("kiosk-4-statement-more")
    agree, decline = page.locator(".choices button").nth(1), page.locator(".choices button").nth(0)
    assert agree.bounding_box() is not None
    sizes = [(box["width"], box["height"]) for one in (agree, decline) if (box := one.bounding_box())]
    assert sizes[0] == sizes[1], "to decline must be as prominent as to agree"
    press(page, "/agree")
    at(page, "pin")
    expect(page.locator(".tries")).to_contain_text("3")
    type_digits(page, "12")
    shot("kiosk-5-pin")
    assert page.locator(".digit.full").all_text_contents() == ["●", "●"]
    enter(page, "34")
    at(page, "signing")
    shot("kiosk-6-signing")
    at(page, "done")
    page.wait_for_selector(".confirmed")
    shot("kiosk-7-done")
    assert page.locator(".receipt svg").count() == 1
    world.stage.remove()
    at(page, "waiting")
    assert "M-0" not in page.inner_text("body")
    world.stage.set("card-01", delay_ms=0)


def test_nothing_of_the_last_person_comes_back(world: World, page: Page) -> None:
    link_card(world, page, "card-02", world.guardian_ids()[1])
    other = page.context.new_page()
    world.stage.remove()
    at(page, "problem")
    press(page, "/cancel")
    at(page, "waiting")
    for look in (page.reload, page.go_back):
        look()
        page.goto(world.kiosk_url)
        at(page, "waiting")
    other.goto(world.kiosk_url)
    other.wait_for_selector(".step-waiting")
    assert page.evaluate("history.length") < 10
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    other.close()


def test_wrong_pins_up_to_the_last_try(world: World, page: Page, shot: Shot) -> None:
    link_card(world, page, "card-03", world.guardian_ids()[2])
    press(page, "/agree")
    at(page, "pin")
    enter(page, "0000")
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator(".tries")).to_contain_text("2")
    shot("kiosk-8-wrong-pin")
    enter(page, "0000")
    at(page, "last_try")
    shot("kiosk-8-last-try")
    assert page.locator(".pad").count() == 0
    press(page, "/last-try")
    at(page, "pin")
    enter(page, "1234")
    at(page, "done")


def test_a_wrong_link_code_says_so(world: World, page: Page, shot: Shot) -> None:
    page.goto(world.kiosk_url)
    world.stage.insert("last-try")
    at(page, "link")
    enter(page, "12345678")
    expect(page.locator(".notice")).to_be_visible()
    shot("kiosk-8-wrong-code")


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("stranger", "card.untrusted_issuer"),
        ("expired", "card.untrusted_expired"),
        ("juki", "card.no_certificate"),
    ],
)
def test_cards_that_cannot_be_used(world: World, page: Page, shot: Shot, card: str, code: str) -> None:
    page.goto(world.kiosk_url)
    world.stage.insert(card)
    at(page, "problem")
    expect(page.locator(".code")).to_contain_text(code)
    shot(f"kiosk-9-{card}")
    press(page, "/cancel")
    at(page, "take_card")
    shot("kiosk-9-take-card")


def test_a_telephone_shows_who_it_is_after_the_pin(world: World, page: Page, shot: Shot) -> None:
    code = world.staff_member().link_code(world.guardian_ids()[4])
    page.goto(world.kiosk_url)
    at(page, "waiting")
    world.stage.set("android", delay_ms=600)
    world.stage.insert("android")
    at(page, "pin")
    expect(page.locator(".lead")).to_contain_text("スマートフォン")
    shot("kiosk-5-pin-telephone")
    enter(page, "1234")
    at(page, "opening")
    shot("kiosk-6-opening")
    at(page, "link")
    enter(page, code)
    at(page, "statement")
    press(page, "/agree")
    at(page, "signing")
    at(page, "done")
    world.stage.set("android", delay_ms=0)
    world.stage.remove()
    at(page, "waiting")


def test_a_card_as_slow_as_in_life_shows_how_far_it_is(world: World, page: Page, shot: Shot) -> None:
    link_card(world, page, "coming", world.guardian_ids()[5])
    world.stage.set("coming", delay_ms={"verify": 300, "compute_signature": 900})
    press(page, "/agree")
    at(page, "pin")
    enter(page, "1234")
    at(page, "signing")
    page.wait_for_function("() => document.querySelector('.step-signing progress[value=\"1\"]')")
    shot("kiosk-6-signing-slowly")
    at(page, "done")
    world.stage.set("coming", delay_ms=0)


def test_a_locked_card_is_not_asked_for_its_pin(world: World, page: Page, shot: Shot) -> None:
    link_card(world, page, "locked", world.guardian_ids()[3])
    press(page, "/agree")
    at(page, "problem")
    expect(page.locator(".code")).to_contain_text("card.locked")
    shot("kiosk-9-locked")


def test_a_card_taken_away(world: World, page: Page, shot: Shot) -> None:
    page.goto(world.kiosk_url)
    world.stage.insert("locked")
    page.wait_for_selector(".step-link, .step-statement")
    world.stage.remove()
    at(page, "problem")
    expect(page.locator(".code")).to_contain_text("card.removed")
    shot("kiosk-9-removed")


def test_the_reader_goes_and_comes_back(world: World, page: Page, shot: Shot) -> None:
    page.goto(world.kiosk_url)
    at(page, "waiting")
    world.pcscd.stop()
    at(page, "problem")
    expect(page.locator(".code")).to_contain_text("reader.service")
    assert page.locator("form[action='/cancel']").count() == 0
    shot("kiosk-9-reader")
    world.pcscd.start()
    at(page, "waiting")


def test_a_disk_that_fails_is_told_before_anybody_begins(world: World, page: Page, shot: Shot) -> None:
    page.goto(world.kiosk_url)
    at(page, "waiting")
    with failing_beyond(world, 1):  # noticed at the kiosk's next sign of life
        at(page, "problem")
        expect(page.locator("form[action='/cancel']")).to_have_count(0)
        assert "ask-staff" in str(page.locator(".picture").get_attribute("src"))
        world.stage.insert("card-01")
        page.wait_for_timeout(1000)
        expect(page.locator(".step-problem")).to_be_visible()
        shot("kiosk-out-of-order")
        world.stage.remove()
    at(page, "waiting")


def test_the_kiosk_program_goes_and_comes_back(world: World, page: Page, shot: Shot, complaints: list[str]) -> None:
    page.goto(world.kiosk_url)
    at(page, "waiting")
    world.programs["kiosk"].kill()
    page.wait_for_selector("#away:not([hidden])")
    shot("kiosk-9-away")
    world.programs["kiosk"].start()
    world.programs["kiosk"].wait_for("kiosk.ready")
    page.wait_for_selector("#away", state="hidden")
    at(page, "waiting")
    # Its forms still work, although the program knows nothing of the page from before.
    page.click("button[lang=en]")
    expect(page.locator("h1")).to_have_text("Put your card here")
    page.click("button[lang=ja]")
    world.stage.insert("last-try")
    at(page, "link")
    enter(page, "12345678")
    expect(page.locator(".notice")).to_be_visible()
    assert all("net::ERR_" in one for one in complaints)
    complaints.clear()


def test_switching_the_language_keeps_the_step(world: World, page: Page, shot: Shot) -> None:
    page.goto(world.kiosk_url)
    world.stage.insert("card-01")
    at(page, "statement")
    page.click("button[lang=en]")
    expect(page.locator("h1")).to_have_text("This will be recorded")
    shot("kiosk-4-statement-en")
    press(page, "/agree")
    at(page, "pin")
    shot("kiosk-5-pin-en")
    page.click("button[lang=ja]")
    at(page, "pin")
    press(page, "/cancel")
    at(page, "take_card")


def test_who_has_no_card_is_told_where_to_go(page: Page, world: World, shot: Shot) -> None:
    page.goto(world.kiosk_url)
    at(page, "waiting")
    press(page, "/no-card")
    at(page, "no_card")
    shot("kiosk-1-no-card")
    press(page, "/cancel")
    at(page, "waiting")


def test_keys_of_a_keypad_work_too(world: World, page: Page) -> None:
    page.goto(world.kiosk_url)
    world.stage.insert("card-01")
    at(page, "statement")
    press(page, "/agree")
    at(page, "pin")
    for key in ("9", "Backspace", "1", "2", "3", "4", "Enter"):
        page.keyboard.press(key)
    at(page, "done")


def test_every_target_can_be_hit_by_a_finger(world: World, page: Page) -> None:
    page.goto(world.kiosk_url)
    world.stage.insert("card-01")
    at(page, "statement")
    press(page, "/agree")
    at(page, "pin")
    boxes = page.locator("button").evaluate_all(
        "(all) => all.map((one) => ({ name: one.innerText, ...one.getBoundingClientRect().toJSON() }))"
    )
    assert len(boxes) >= 14  # ten digits, two to mend, one to go on, one to stop
    for box in boxes:
        assert box["height"] >= 64, box
        assert box["width"] >= 64, box
        assert box["bottom"] <= 800, "a button is below the edge of the screen"


def test_a_screen_that_has_not_changed_is_not_replaced_under_the_finger(world: World, page: Page) -> None:
    page.goto(world.kiosk_url)
    world.stage.insert("card-01")
    at(page, "statement")
    press(page, "/agree")
    at(page, "pin")
    page.evaluate("document.querySelector('.frame').dataset.seen = 'yes'")
    page.evaluate("events.dispatchEvent(new MessageEvent('message', { data: '-2' }))")
    page.evaluate("draw()")
    expect(page.locator(".frame")).to_have_attribute("data-seen", "yes")
    # Whoever answers after a break in the line may be another process: then the page is drawn anew.
    page.evaluate("events.dispatchEvent(new Event('error'))")
    page.evaluate("draw()")
    expect(page.locator(".frame")).not_to_have_attribute("data-seen", "yes")
