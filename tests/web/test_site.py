"""What both sites have in common: closed by default, changes by our own pages only, failures that give nothing away."""

from typing import cast

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from appliance.log import EventLog
from appliance.programs.kiosk import views as kiosk
from appliance.programs.kiosk.conductor import Conductor
from appliance.programs.staff import views as staff
from appliance.services.check_in import CheckIn
from appliance.services.opening import School
from appliance.web.site import PUBLIC, make_site
from tests.web.messages import SENTENCES
from tests.web.small_site import HOST, SECRET, NobodyError, SmallSite, failures

KIOSK_PAGES = {
    *(
        "page",
        "screen",
        "follow",
        "agree",
        "cancel",
        "no_card",
        "again",
        "last_try",
        "still_here",
        "language",
        "code",
        "pin",
    ),
}


@pytest.fixture
def small() -> SmallSite:
    return SmallSite()


@pytest.fixture
def encrypted() -> SmallSite:
    return SmallSite(https=True)


def post(small: SmallSite, address: str, *, token: bool = True, **headers: str) -> TestResponse:
    """A form sent as a browser would from our own page; ``headers`` with ``_`` for ``-`` replace its own."""
    client = small.client()
    form = {"csrf_token": small.token(client)} if token else {}
    sent = {"Origin": small.origin, "Referer": f"{small.origin}/", "Sec-Fetch-Site": "same-origin"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(address, data=form, headers={k: v for k, v in sent.items() if v}, base_url=small.origin)


def words(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


# Closed by default.


def test_a_view_that_says_nothing_is_guarded(small: SmallSite) -> None:
    assert small.client().get("/shut", base_url=small.origin).status_code == NobodyError.status
    assert small.asked == ["small.shut_page"]
    assert small.changes == []


def test_who_is_allowed_gets_in(small: SmallSite) -> None:
    small.allowed = True
    assert words(small.client().get("/shut", base_url=small.origin)) == "shut"
    assert post(small, "/shut").status_code == 200
    assert small.changes == ["GET", "POST"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_every_method_is_guarded(small: SmallSite, method: str) -> None:
    client = small.client()
    form = {"csrf_token": small.token(client)} if method == "POST" else None
    answer = client.open("/shut", method=method, data=form, base_url=small.origin)
    assert answer.status_code == NobodyError.status
    assert small.changes == []


@pytest.mark.parametrize("address", ["/open", "/shared/base.css", "/static/base.css", "/nowhere"])
def test_the_guard_is_not_asked_for_what_is_everybodys(small: SmallSite, address: str) -> None:
    small.client().get(address, base_url=small.origin, buffered=True)
    assert small.asked == []


def test_who_may_not_be_here_is_told_so_before_any_word_about_the_form(small: SmallSite) -> None:
    answer = post(small, "/shut", token=False)
    assert NobodyError.code in words(answer)


def public_views(site: Flask, blueprint: str) -> set[str]:
    marked = {name for name, view in site.view_functions.items() if getattr(view, PUBLIC, False)}
    return {name.removeprefix(f"{blueprint}.") for name in marked}


def refuse() -> None:
    raise NobodyError()


def test_the_public_pages_of_the_staff_site_are_the_sign_in_alone() -> None:
    # Only the views' marks are looked at, so nothing has to stand behind them.
    pages = staff.make_blueprint(cast(staff.Uses, None))
    site = make_site(
        "appliance.programs.staff",
        (pages,),
        secret_key=b"s" * 32,
        trusted_hosts=(HOST,),
        https=True,
        authorise=refuse,
        sentences=SENTENCES,
        log=EventLog("small"),
    )
    assert public_views(site, "staff") == {"sign_in", "do_sign_in"}


def test_the_public_pages_of_the_kiosk_are_known_by_name() -> None:
    pages = kiosk.make_blueprint(cast(Conductor, None), cast(CheckIn, None), cast(School, None))
    site = make_site(
        "appliance.programs.kiosk",
        (pages,),
        secret_key=b"s" * 32,
        trusted_hosts=(HOST,),
        https=False,
        authorise=refuse,
        sentences=SENTENCES,
        log=EventLog("small"),
    )
    assert public_views(site, "kiosk") == KIOSK_PAGES


# Changes by our own pages only.


def test_a_form_of_our_own_page_is_taken(small: SmallSite, encrypted: SmallSite) -> None:
    for site in (small, encrypted):
        assert post(site, "/open").status_code == 200
        assert site.changes == ["POST"]


def test_a_browser_that_says_nothing_of_itself_is_judged_by_the_token(small: SmallSite) -> None:
    assert post(small, "/open", Origin="", Sec_Fetch_Site="").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_change_without_token_is_refused(small: SmallSite, method: str) -> None:
    answer = small.client().open("/open", method=method, base_url=small.origin)
    assert answer.status_code == 403
    assert "web.stale_form" in words(answer)
    assert small.changes == []


def test_a_token_of_another_browser_is_refused(small: SmallSite) -> None:
    token = small.token(small.client())
    answer = small.client().post("/open", data={"csrf_token": token}, base_url=small.origin)
    assert "web.stale_form" in words(answer)
    assert small.changes == []


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("http://elsewhere.example", id="another host"),
        pytest.param(f"http://{HOST}.elsewhere.example", id="a name that begins like ours"),
        pytest.param(f"http://{HOST}:8000", id="another port"),
        pytest.param(f"https://{HOST}", id="another scheme"),
        pytest.param("null", id="a hidden origin"),
    ],
)
def test_a_foreign_origin_is_refused_even_with_a_token(small: SmallSite, origin: str) -> None:
    answer = post(small, "/open", Origin=origin, Sec_Fetch_Site="")
    assert answer.status_code == 403
    assert "web.foreign_request" in words(answer)
    assert small.changes == []


@pytest.mark.parametrize("value", ["cross-site", "same-site", "", "anything"])
def test_only_our_own_site_may_ask_for_a_change(small: SmallSite, value: str) -> None:
    answer = post(small, "/open", Sec_Fetch_Site=value or " ")
    assert "web.foreign_request" in words(answer)
    assert small.changes == []


def test_other_sites_may_link_to_us(small: SmallSite) -> None:
    headers = {"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert small.client().get("/open", headers=headers, base_url=small.origin).status_code == 200


def test_an_encrypted_site_asks_for_the_page_that_sent_the_form(encrypted: SmallSite) -> None:
    for referer in ("", "https://elsewhere.example/", f"http://{HOST}/"):
        assert "web.stale_form" in words(post(encrypted, "/open", Referer=referer))
    assert encrypted.changes == []


def test_too_large_a_form_is_refused(small: SmallSite) -> None:
    client = small.client()
    form = {"csrf_token": small.token(client), "more": "x" * 5000}
    answer = client.post("/open", data=form, base_url=small.origin)
    assert answer.status_code == 413
    assert small.changes == []


def test_the_cookie_of_the_form_stays_in_the_browser_and_on_the_site(small: SmallSite, encrypted: SmallSite) -> None:
    cookie = encrypted.client().get("/token", base_url=encrypted.origin).headers["Set-Cookie"]
    assert cookie.startswith("__Host-form=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    plain = small.client().get("/token", base_url=small.origin).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict"} <= set(plain.split("; "))


# Names.


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1", f"{HOST}.elsewhere.example", f"x@{HOST}", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("address", ["/open", "/shut", "/nowhere", "/shared/base.css"])
def test_a_name_that_is_not_the_box_is_refused(small: SmallSite, host: str, method: str, address: str) -> None:
    answer = small.client().open(address, method=method, headers={"Host": host})
    assert answer.status_code == 400
    assert "web.unknown_host" in words(answer)
    assert small.changes == []


# Failures.


@pytest.mark.parametrize("kind", sorted(failures()))
def test_a_failure_is_a_page_with_three_sentences_and_no_trace(
    small: SmallSite, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    answer = small.client().get(f"/fails/{kind}", base_url=small.origin)
    text = words(answer)
    assert answer.mimetype == "text/html"
    assert text.count("<h1>") == 1
    assert text.count("<p>") == 3  # what it means, what to do, the way back
    for unwanted in ("Traceback", "File &#34;", ".py", "ValueError", SECRET):
        assert unwanted not in text
    logged = [f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records]
    assert logged
    assert not any(SECRET in line for line in logged)


def test_a_known_error_keeps_its_status_and_code(small: SmallSite) -> None:
    answer = small.client().get("/fails/known", base_url=small.origin)
    assert answer.status_code == 422
    assert "staff.wrong_password" in words(answer)
    assert "アカウント名かパスワードが違います" in words(answer)


def test_an_error_without_a_sentence_still_has_a_page(small: SmallSite) -> None:
    answer = small.client().get("/fails/unheard", base_url=small.origin)
    assert answer.status_code == 422
    assert "test.unheard" in words(answer)
    assert "うまく いきませんでした" in words(answer)


def test_an_unexpected_error_says_where_it_came_from_to_the_log_alone(
    small: SmallSite, caplog: pytest.LogCaptureFixture
) -> None:
    answer = small.client().get("/fails/foreign", base_url=small.origin)
    assert answer.status_code == 500
    assert "box.error" in words(answer)
    [record] = [one for one in caplog.records if one.getMessage() == "web.fault"]
    fields = record.__dict__["fields"]
    assert fields["fault"] == "ValueError"
    assert fields["endpoint"] == "small.fails"
    assert fields["place"].startswith("small_site.py:")


@pytest.mark.parametrize(
    ("address", "method", "status", "code"),
    [("/nowhere", "GET", 404, "web.not_found"), ("/token", "DELETE", 405, "web.bad_request")],
)
def test_what_is_not_there_is_said_plainly(small: SmallSite, address: str, method: str, status: int, code: str) -> None:
    answer = small.client().open(address, method=method, base_url=small.origin)
    assert (answer.status_code, code in words(answer)) == (status, True)


def test_a_redirect_is_no_failure(small: SmallSite) -> None:
    assert small.client().get("/moved", base_url=small.origin).headers["Location"] == "/open"


@pytest.mark.parametrize(
    ("accepted", "language", "heading"),
    [
        ("", "ja", "この ページは ありません"),
        ("en-GB,en;q=0.9", "en", "There is no such page"),
        ("ja,en;q=0.5", "ja", "この ページは ありません"),
        ("xx", "ja", "この ページは ありません"),
    ],
)
def test_a_failure_is_said_in_the_browsers_language(
    small: SmallSite, accepted: str, language: str, heading: str
) -> None:
    headers = {"Accept-Language": accepted}
    text = words(small.client().get("/nowhere", headers=headers, base_url=small.origin))
    assert f'<html lang="{language}">' in text
    assert f"<h1>{heading}</h1>" in text


def test_what_an_error_page_links_to_is_there(small: SmallSite) -> None:
    text = words(small.client().get("/nowhere", base_url=small.origin))
    linked = [part.split('"')[0] for part in text.split('href="')[1:]]
    assert "/" in linked
    assert '<a href="/">はじめに もどる</a>' in text
    for address in linked:
        if address != "/":
            assert small.client().get(address, base_url=small.origin, buffered=True).status_code == 200, address
