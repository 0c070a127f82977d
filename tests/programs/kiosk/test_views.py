"""The kiosk's one address: the screen of the moment, answers to it, and nothing of the last person."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.log import EventLog
from appliance.programs.kiosk.__main__ import refuse
from appliance.programs.kiosk.flow import Step
from appliance.programs.kiosk.views import date_with_readings, make_blueprint, statement_lines
from appliance.services.check_in import CheckIn
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox, School
from appliance.store.faults import StoreError
from appliance.web.catalogue import plain
from appliance.web.site import PUBLIC, make_site
from tests.programs.kiosk.conftest import PIN, SECRET, Kiosk
from tests.web.messages import SENTENCES

HOST = "http://127.0.0.1"
NOON_MS = 1_795_230_000_000
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Window:
    """Somebody at the screen, with the page's tokens as its script has them."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self._csrf = ""

    def page(self, path: str = "/") -> str:
        answer = self._client.get(path, base_url=HOST)
        assert answer.status_code == 200
        text = answer.get_data(as_text=True)
        if found := CSRF.search(text):
            self._csrf = found.group(1)
        return text

    def press(self, path: str, token: str, **form: str) -> int:
        self.page()
        data = {"csrf_token": self._csrf, "token": token, **form}
        return self._client.post(path, base_url=HOST, data=data).status_code

    def type(self, path: str, token: str, typed: bytes, csrf: str | None = None) -> int:
        self.page()
        headers = {"X-Screen": token, "X-CSRFToken": self._csrf if csrf is None else csrf}
        answer = self._client.post(
            path, base_url=HOST, data=typed, headers=headers, content_type="application/octet-stream"
        )
        return answer.status_code


@pytest.fixture
def site(kiosk: Kiosk, check_in: CheckIn, box: OpenBox) -> Flask:
    return make_site(
        "appliance.programs.kiosk",
        (make_blueprint(kiosk.conductor, check_in, box.school),),
        secret_key=b"s" * 32,
        trusted_hosts=("127.0.0.1",),
        https=False,
        authorise=refuse,
        sentences=SENTENCES,
        log=EventLog("kiosk"),
    )


@pytest.fixture
def window(site: Flask) -> Window:
    return Window(site.test_client())


def test_every_page_is_marked_public_by_name(site: Flask) -> None:
    public = {name for name, view in site.view_functions.items() if getattr(view, PUBLIC, False)}
    assert public == {
        f"kiosk.{name}"
        for name in (
            *("page", "screen", "follow"),
            *("agree", "cancel", "no_card", "again", "last_try", "still_here", "language", "code", "pin"),
        )
    }
    assert set(site.view_functions) - public == {"static", "shared.static"}


def test_a_visit_through_the_pages(linked: Kiosk, window: Window, box: OpenBox) -> None:
    assert "カード" in window.page("/screen")
    linked.card.put()
    statement = linked.at(Step.STATEMENT)
    assert "<ruby>来<rt>き</rt></ruby>ました" in window.page("/screen")
    assert window.press("/agree", statement.token) == 303
    asked = linked.at(Step.PIN)
    assert "3" in window.page("/screen")
    assert window.type("/pin", asked.token, PIN) == 303
    done = linked.at(Step.DONE)
    page = window.page()
    assert f"M-{done.entry:06d}" in page
    assert page.count("<svg") == 1
    linked.card.take()
    linked.at(Step.WAITING)
    assert f"M-{done.entry:06d}" not in window.page()


def test_a_recorded_visit_is_said_to_be_that_also_where_its_receipt_cannot_be_read(
    linked: Kiosk, window: Window, check_in: CheckIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> str:
        raise StoreError(reason="disk I/O error")

    linked.card.put()
    window.press("/agree", linked.at(Step.STATEMENT).token)
    window.type("/pin", linked.at(Step.PIN).token, PIN)
    done = linked.at(Step.DONE)
    monkeypatch.setattr(check_in, "receipt_text", failing)
    page = window.page("/screen")
    assert f"M-{done.entry:06d}" in page
    assert "<svg" not in page
    monkeypatch.undo()
    assert "<svg" in window.page("/screen")


def test_a_code_is_typed_on_the_pad(kiosk: Kiosk, link_codes: LinkCodes, window: Window) -> None:
    code = link_codes.issue("father", "admin").code
    kiosk.card.put()
    token = kiosk.at(Step.LINK).token
    assert window.type("/code", token, b"\xff\xfe") == 303
    kiosk.until(lambda screen: screen.notice is not None)
    assert window.type("/code", token, code.digits.encode()) == 303
    kiosk.at(Step.STATEMENT)
    assert code.digits not in window.page()


@pytest.mark.parametrize("path", ["/agree", "/cancel", "/again", "/last-try", "/still-here"])
def test_an_answer_to_another_screen_changes_nothing(linked: Kiosk, window: Window, path: str) -> None:
    linked.card.put()
    screen = linked.at(Step.STATEMENT)
    assert window.press(path, "0.waiting") == 303
    assert linked.conductor.screen == screen


def test_a_pin_for_another_screen_is_dropped(linked: Kiosk, window: Window) -> None:
    linked.to_pin()
    assert window.type("/pin", "0.pin", SECRET.encode()) == 303
    assert linked.conductor.screen.step is Step.PIN
    assert linked.card.signed == []


def test_a_pin_without_the_pages_token_is_refused(linked: Kiosk, window: Window) -> None:
    asked = linked.to_pin()
    for csrf in ("", "made-up"):
        assert window.type("/pin", asked.token, PIN, csrf) == 403
    assert linked.conductor.screen == asked


def test_more_than_a_pin_is_not_read_on(linked: Kiosk, window: Window) -> None:
    asked = linked.to_pin()
    assert window.type("/pin", asked.token, b"1" * 5000) == 303
    linked.at(Step.DONE)
    assert [len(pin) for pin, _ in linked.card.opened] == [16]


def test_the_language_is_chosen_among_those_there_are(linked: Kiosk, window: Window) -> None:
    screen = linked.conductor.screen
    assert window.press("/language", screen.token, language="xx") == 303
    assert linked.conductor.screen.language == "ja"
    assert window.press("/language", screen.token, language="en") == 303
    assert linked.conductor.screen.language == "en"
    assert 'lang="en"' in window.page()


def test_a_problem_is_told_in_words_even_if_nobody_wrote_them(linked: Kiosk, window: Window) -> None:
    class NewerError(Exception):
        pass

    linked.card.read_errors = [NewerError(SECRET)]
    linked.card.put()
    linked.problem("box.error")
    page = plain(re.sub(r"<rt>.*?</rt>|<[^>]+>", "", window.page("/screen")))
    assert "うまく いきませんでした" in page
    assert SECRET not in page


def test_nothing_is_kept_by_the_browser(window: Window, site: Flask) -> None:
    for path in ("/", "/screen"):
        headers = site.test_client().get(path, base_url=HOST).headers
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_another_host_is_not_served(site: Flask) -> None:
    assert site.test_client().get("/", base_url="http://attacker.example").status_code == 400


@pytest.mark.parametrize("language", SENTENCES.languages)
def test_a_statement_names_school_day_and_purpose(language: str) -> None:
    school = School("B113299900018", "架空小学校", "origin")
    lines = statement_lines(SENTENCES, school, language, False, NOON_MS)
    linking = statement_lines(SENTENCES, school, language, True, NOON_MS)
    assert len(linking) == len(lines) + 1
    assert set(lines) < set(linking)
    words = "".join(plain(line) for line in lines)
    assert "架空小学校" in words
    assert "11" in words
    assert "《" not in words


@pytest.mark.parametrize(
    ("month", "day", "shown"),
    [
        (11, 21, "11｜月《がつ》21｜日《にち》"),
        (4, 1, "4｜月《がつ》｜1日《ついたち》"),
        (9, 20, "9｜月《がつ》｜20日《はつか》"),
    ],
)
def test_a_date_is_read_as_people_say_it(month: int, day: int, shown: str) -> None:
    assert date_with_readings(month, day) == shown
    assert plain(shown) == f"{month}月{day}日"
