"""The staff site, page by page: who gets in, what is shown, and what is refused."""

import re
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from appliance.errors import MadoguchiError
from appliance.ledger.entry import EntryType, type_label
from appliance.school.link_code import digest, parse_link_code
from appliance.services.opening import OpenBox
from appliance.services.staff import ABSOLUTE_MS, FREE_FAILURES, IDLE_MS
from appliance.store.appending import Draft
from appliance.store.cards import CardStore
from appliance.store.database import BUSY_TIMEOUT_MS, Database
from appliance.store.faults import DiskFullError, ReadOnlyError, StoreBusyError, StoreError
from appliance.store.line import LineSample, LineStore
from appliance.store.people import PeopleStore
from appliance.store.visits import StoredVisit, VisitStore
from appliance.web.site import PUBLIC
from tests.programs.staff.conftest import PASSWORD, Member
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock

COOKIE = "__Host-staff"
ENDED = "/sign-in?ended=1"
PAGES = ["/", "/box", "/line", "/people", "/people/hana", "/people/nobody"]
CHANGES = ["/line/measure", "/people", "/people/mother/code", "/sign-out"]


def text(member: Member, path: str) -> str:
    answer = member.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def visit(box: OpenBox, guardian: str, at_ms: int) -> int:
    with box.ledger.append() as appending:
        recorded = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {}))
        VisitStore(box.database).add(appending.transaction, StoredVisit(recorded, guardian, "visit", at_ms))
    return recorded


def test_the_public_pages_are_these(site: Flask) -> None:
    public = {name for name, view in site.view_functions.items() if getattr(view, PUBLIC, False)}
    assert public == {"staff.sign_in", "staff.do_sign_in"}


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_every_page_leads_to_the_sign_in(visitor: Member, people: PeopleStore, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, answer.location) == (302, "/sign-in")
    assert "見本" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", CHANGES)
def test_without_a_session_nothing_is_changed(visitor: Member, people: PeopleStore, box: OpenBox, path: str) -> None:
    visitor.get("/sign-in")
    before = box.ledger.head().size
    assert visitor.post(path).status_code in (302, 403)
    assert box.ledger.head().size == before
    assert box.database.rows("SELECT * FROM link_code") == []


def test_signing_in_leads_to_today(visitor: Member) -> None:
    answer = visitor.sign_in()
    assert (answer.status_code, answer.location) == (303, "/")
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith(COOKIE)]
    for word in ("Secure", "HttpOnly", "Path=/", "SameSite=Strict"):
        assert word in cookie
    assert "Domain" not in cookie
    assert "見本 管理者" in text(visitor, "/")


def test_an_account_is_typed_with_blanks_around(visitor: Member) -> None:
    assert visitor.sign_in(" admin ").status_code == 303


@pytest.mark.parametrize(("account", "password"), [("admin", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_sign_in_says_so_and_keeps_the_account(visitor: Member, account: str, password: str) -> None:
    answer = visitor.sign_in(account, password)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'role="alert"' in page
    assert f'name="account" value="{account}"' in page
    assert visitor.cookie(COOKIE) is None
    assert not password or password not in page


def test_a_locked_account_says_for_how_long(visitor: Member, clock: ManualClock) -> None:
    for _ in range(FREE_FAILURES):
        assert visitor.sign_in("admin", "wrong").status_code == 422
    locked = visitor.sign_in()
    assert locked.status_code == 422
    assert "あと 1 分です。" in locked.get_data(as_text=True)
    clock.advance(60_000)
    assert visitor.sign_in().status_code == 303


def test_what_was_typed_comes_back_as_text(visitor: Member) -> None:
    page = visitor.sign_in("<script>alert(1)</script>", "x").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_signing_out_ends_the_session_itself(member: Member) -> None:
    token = member.cookie(COOKIE)
    assert token is not None
    answer = member.post("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert member.cookie(COOKIE) is None
    member.client.set_cookie(COOKIE, token, domain="madoguchi.local", secure=True)
    assert member.get("/").location == ENDED


def test_a_session_ends_by_time(member: Member, clock: ManualClock) -> None:
    clock.advance(IDLE_MS + 1)
    assert member.get("/").location == ENDED
    page = text(member, ENDED)
    assert "サインインが必要です" in page
    assert "入力中の内容は保存されていません。" in page
    assert "サインインが必要です" not in text(member, "/sign-in")  # a newcomer has lost nothing
    assert member.sign_in().status_code == 303
    for _ in range(ABSOLUTE_MS // IDLE_MS):
        clock.advance(IDLE_MS)
        assert member.get("/box").status_code == 200
    clock.advance(1)
    assert member.get("/").location == ENDED


def test_a_page_that_refreshes_itself_keeps_nobody_in(member: Member, clock: ManualClock) -> None:
    clock.advance(IDLE_MS)
    part = member.get("/", headers={"X-Refresh": "1"}).get_data(as_text=True)
    assert "<html" not in part
    assert "来校" in part
    clock.advance(1)
    assert member.get("/", headers={"X-Refresh": "1"}).location == ENDED


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"csrf_token": ""}, {}),
        ({"csrf_token": "made-up"}, {}),
        ({}, {"Origin": "https://elsewhere.example"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
    ],
    ids=["none", "made-up", "origin", "cross-site", "same-site"],
)
def test_a_change_needs_this_sites_own_form(
    member: Member, people: PeopleStore, box: OpenBox, form: dict[str, str], headers: dict[str, str]
) -> None:
    before = box.ledger.head().size
    for path in ("/people/mother/code", "/sign-out"):
        assert member.post(path, form, headers).status_code == 403
    assert box.ledger.head().size == before
    assert member.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/people/mother/code", "/sign-out"])
def test_a_change_is_never_a_get(member: Member, path: str) -> None:
    assert member.get(path).status_code == 405


def test_a_host_of_another_name_is_refused(member: Member) -> None:
    assert member.client.get("/", base_url="https://attacker.example").status_code == 400


def test_today_lists_the_visits_with_their_state(
    member: Member, people: PeopleStore, box: OpenBox, clock: ManualClock
) -> None:
    first = visit(box, "mother", clock.ms)
    page = text(member, "/")
    assert "見本 母" in page
    assert "見本 花" in page
    assert f"M-{first:06d}" in page
    assert "記録済み・送信待ち" in page
    assert "1 件</small>" in page


def test_a_day_without_visits_says_so(member: Member, people: PeopleStore, box: OpenBox, clock: ManualClock) -> None:
    assert "まだ来校はありません。" in text(member, "/")
    visit(box, "mother", clock.ms - 86_400_000)
    yesterday = (datetime.now().astimezone() - timedelta(days=1)).date().isoformat()
    page = text(member, f"/?day={yesterday}")
    assert "見本 母" in page
    assert "次の日" in page
    assert "この日の来校はありません。" in text(member, "/?day=2001-02-03")


@pytest.mark.parametrize("day", ["", "nonsense", "2026-13-01", "0001-01-01", "9999-12-31", "2026-11-21T10:00:00+23:59"])
def test_any_day_has_a_page(member: Member, day: str) -> None:
    assert "来校" in text(member, f"/?day={day.replace('+', '%2B')}")


def test_the_box_page_names_problems_with_their_cure(member: Member) -> None:
    page = text(member, "/box")
    assert "受付端末のプログラムが応答していません" in page
    assert "対応: " in page
    assert "health.kiosk_silent" in page
    assert "県のハブに未登録です" in page
    assert "まだありません" in page


@pytest.mark.parametrize("error", [StoreError(reason="x"), ReadOnlyError(), DiskFullError(), StoreBusyError()])
def test_a_fault_of_the_disk_is_told_to_staff_in_words_for_them(
    member: Member, people: PeopleStore, monkeypatch: pytest.MonkeyPatch, error: MadoguchiError
) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(PeopleStore, "classes", failing)
    answer = member.get("/people")
    said = answer.get_data(as_text=True)
    assert answer.status_code == error.status
    assert error.code in said
    assert "いまの操作は記録されていません。" in said
    assert "事務室" not in said  # that is where they are
    assert "県の窓口" in said or "箱の状態" in said
    assert '<a href="/">「今日」のページにもどる</a>' in said
    assert '<a href="/box">「箱の状態」のページを見る</a>' in said


def test_a_page_is_read_while_somebody_else_writes(member: Member, box: OpenBox, clock: ManualClock) -> None:
    """As while the database is rewritten under another key."""
    clock.advance(120_000)
    with Database.open(box.database.path, DATABASE_KEY) as other, other.transaction():
        began_s = time.monotonic()
        for path in ("/", "/box", "/people"):
            assert "ほかの記録を書いているところです" not in text(member, path)
            assert "ディスク" not in text(member, path).split("ディスクの空き")[0]
        assert time.monotonic() - began_s < BUSY_TIMEOUT_MS / 2000


def test_a_box_that_does_not_know_the_day_says_why_the_list_of_today_is_empty(
    member: Member, people: PeopleStore, clock: ManualClock
) -> None:
    right_ms = clock.ms
    for wrong_ms, told in (
        (18_000_000, "保護者の受付ができません（カードの有効期限を確かめられないため）"),
        (right_ms - 3 * 86_400_000, "箱の時計が 3 日遅れています"),
    ):
        clock.ms = wrong_ms
        assert member.sign_in().status_code == 303
        page = text(member, "/")
        assert "箱の時計が合っていないため、今日の来校を並べられません。" in page
        assert "まだ来校はありません。" not in page
        assert told in text(member, "/box")
        assert "1970" not in text(member, "/box")
        assert "まだありません" in text(member, "/box")  # the hub has received nothing
        answer = member.post("/people/mother/code")
        said = answer.get_data(as_text=True)
        assert (answer.status_code, "期限のある番号は、時計が合うまで作れません。" in said) == (503, True)
        assert "事務室" not in said
    clock.ms = right_ms
    assert member.sign_in().status_code == 303
    assert "まだ来校はありません。" in text(member, "/")


def test_the_box_page_notes_how_the_keys_are_kept(member: Member, tmp_path: Path) -> None:
    note = "箱の鍵が、保護用の部品（TPM）に結びついていません"
    assert note not in text(member, "/box")
    (tmp_path / "sealing.json").write_text('{"tpm": false, "pcrs": []}')
    assert note in text(member, "/box")
    assert note not in text(member, "/")


def test_without_a_roster_the_way_to_one_is_told(member: Member) -> None:
    page = text(member, "/people")
    assert "名簿がまだありません" in page
    assert "appliance roster import" in page


def test_people_are_found_by_class_and_by_name(member: Member, people: PeopleStore) -> None:
    page = text(member, "/people")
    assert "名前かよみを入れるか、学級を選んでください。" in page
    assert "見本 花" not in page
    in_class = text(member, "/people?class=1年1組")
    assert "見本 花" in in_class
    assert "見本 蓮" not in in_class
    found = member.post("/people", {"q": " 見本 "}).get_data(as_text=True)
    for name in ("見本 花", "見本 蓮", "見本 母", "見本 叔母"):
        assert name in found
    nobody = member.post("/people", {"q": '<b>"だれか'}).get_data(as_text=True)
    assert "合う人は見つかりませんでした" in nobody
    assert "<b>" not in nobody


def test_a_pupil_is_shown_with_guardians_and_their_cards(
    member: Member, people: PeopleStore, box: OpenBox, clock: ManualClock
) -> None:
    with box.database.transaction() as transaction:
        CardStore(box.database).link(transaction, b"c" * 16, "mother", 1, clock.ms)
    page = text(member, "/people/hana")
    assert "1年1組" in page
    assert "カード登録済み" in page
    assert "カード未登録" in page  # the aunt's
    assert "例示 父" not in page  # his guardianship has ended
    assert text(member, "/people/mother").count("見本 蓮") == 1
    assert "名簿に登録がありません。" in text(member, "/people/father")


def test_a_protected_person_is_marked(member: Member, people: PeopleStore, box: OpenBox) -> None:
    with box.database.transaction() as transaction:
        transaction.run("UPDATE person SET protected = 1 WHERE id = 'hana'")
    assert "支援措置の対象です" in text(member, "/people/hana")
    assert "支援措置" in text(member, "/people?class=1年1組")
    assert "支援措置の対象です" not in text(member, "/people/ren")


@pytest.mark.parametrize("person", ["nobody", "%00", "..%2fetc", "'; DROP TABLE person --"])
def test_an_unknown_person_is_told(member: Member, people: PeopleStore, person: str) -> None:
    answer = member.get(f"/people/{person}")
    assert answer.status_code in (404, 422)
    assert people.count("pupil") == 3


def test_a_link_code_is_printed_once(member: Member, people: PeopleStore, box: OpenBox) -> None:
    member.get("/people/mother")
    page = member.post("/people/mother/code").get_data(as_text=True)
    shown = re.search(r"\d{4} \d{4}", page)
    assert shown is not None
    code = parse_link_code(shown.group())
    stored = CardStore(box.database).code(digest(code, box.school_key))
    assert stored is not None
    assert stored.guardian == "mother"
    assert "見本 母 様" in page
    assert "見本 花 さんの 保護者" in page
    assert type_label(box.ledger.entry(box.ledger.head().size - 1).type) == "link_code.issued"
    again = text(member, "/people/mother")
    assert "番号を渡し済み" in again
    assert code.digits not in again
    assert code.shown not in again


def test_the_paper_of_a_protected_guardian_names_no_child(member: Member, people: PeopleStore, box: OpenBox) -> None:
    with box.database.transaction() as transaction:
        transaction.run("UPDATE person SET protected = 1 WHERE id = 'mother'")
    member.get("/people/mother")
    page = member.post("/people/mother/code").get_data(as_text=True)
    assert "見本 母 様" in page
    assert "見本 花" not in page


@pytest.mark.parametrize("person", ["hana", "teacher", "nobody"])
def test_only_a_guardian_gets_a_code(member: Member, people: PeopleStore, box: OpenBox, person: str) -> None:
    member.get("/people/mother")
    assert member.post(f"/people/{person}/code").status_code == 422
    assert box.database.rows("SELECT * FROM link_code") == []


def test_who_left_the_roster_is_marked_and_gets_no_code(member: Member, people: PeopleStore, box: OpenBox) -> None:
    with box.database.transaction() as transaction:
        transaction.run("UPDATE person SET present = 0 WHERE id = 'mother'")
    page = text(member, "/people/mother")
    assert "いまの名簿にいません" in page
    assert "登録番号の紙を作る" not in page
    assert member.post("/people/mother/code").status_code == 422


def test_no_page_is_kept_by_a_browser_or_framed(member: Member, people: PeopleStore) -> None:
    for path in (*PAGES, "/sign-in"):
        answer = member.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Strict-Transport-Security"]


def test_the_page_of_the_line_shows_what_was_measured_and_asks_for_more(member: Member, box: OpenBox) -> None:
    assert "測った値は、まだありません" in text(member, "/line")
    now_ms = box.clock.now_ms()
    LineStore(box.database).add(LineSample(now_ms, 54_000_000, 8, 1_000))
    shown = text(member, "/line")
    assert "54 Mbit/s" in shown
    assert "<polyline" in shown
    assert member.post("/line/measure").location == "/line"
    assert "測っています" in text(member, "/line")
    assert "<html" not in member.get("/line", headers={"X-Refresh": "1"}).get_data(as_text=True)
