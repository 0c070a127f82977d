"""The hub's page: what a person at the prefecture sees."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from appliance.errors import MadoguchiError, UntrustedError
from appliance.programs.hub.page import REASONS, make_site
from appliance.sync.wire import State
from tests.programs.hub.conftest import FoundedBox, FoundedHub

CODE = "B113299900018"
BASE = "http://localhost:8090"


@pytest.fixture
def client(hub: FoundedHub) -> FlaskClient:
    return make_site(hub.registry, "hub.test", hub.clock).test_client()


def page(client: FlaskClient) -> str:
    answer = client.get("/", base_url=BASE)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_an_empty_hub_says_what_to_do(client: FlaskClient) -> None:
    text = page(client)
    assert "まだ学校がありません" in text
    assert "appliance hub admit" in text
    assert "<table" not in text
    assert client.get("/schools.json", base_url=BASE).get_json() == []


def test_schools_are_listed_with_what_is_pending(
    client: FlaskClient, hub: FoundedHub, make_box: Callable[[str, str], FoundedBox]
) -> None:
    hub.admit(make_box(CODE, "見本<小>学校"))
    text = page(client)
    assert "見本&lt;小&gt;学校" in text
    assert "切断中" in text
    assert "—" in text
    hub.registry.note_state(CODE, State(True, 1240, 1234, 0), hub.clock.now_ms())
    hub.registry.note_refusal(CODE, "sync.malformed", hub.clock.now_ms())
    text = page(client)
    assert "接続中" in text
    assert "読めないデータが 届きました" in text
    (school,) = client.get("/schools.json", base_url=BASE).get_json()
    assert (school["online"], school["recorded"], school["pending"]) == (True, 1240, 6)
    assert school["refused"] == "sync.malformed"
    hub.registry.note_all_offline()
    assert "切断中" in page(client)
    assert hub.registry.overview()[0].pending == 6


def test_nothing_comes_from_elsewhere_and_nobody_else_is_answered(client: FlaskClient) -> None:
    answer = client.get("/", base_url=BASE)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = answer.get_data(as_text=True)
    assert "<script" not in text
    assert "style=" not in text
    assert "//" not in text.replace("<!doctype html>", "")
    for path in ("/static/hub.css", "/shared/tokens.css", "/shared/icon.svg"):
        with client.get(path, base_url=BASE) as file:
            assert file.status_code == 200
    assert client.get("/", base_url="http://evil.example").status_code == 400
    assert client.post("/", base_url=BASE).status_code == 405


def test_a_broken_database_is_a_page_too(client: FlaskClient, hub: FoundedHub) -> None:
    with hub.database.transaction() as transaction:
        transaction.run("ALTER TABLE contact RENAME TO gone")
    answer = client.get("/", base_url=BASE)
    assert answer.status_code == 503
    assert "いまは表示できません" in answer.get_data(as_text=True)


def test_every_refusal_of_a_batch_has_its_words() -> None:
    codes = {one.code for one in _kinds_of(UntrustedError)}
    of_the_own_ledger = {"body_missing", "entry_missing", "forked", "note_damaged", "proof", "rolled_back"}
    about_batches = {code for code in codes if code.startswith(("sync.", "ledger."))}
    of_a_succession = {"branch", "carried", "opening"}  # whose batch is then refused as that of another school
    about_batches -= {f"ledger.{name}" for name in of_the_own_ledger | of_a_succession}
    assert len(about_batches) >= 10
    assert about_batches <= set(REASONS)


def _kinds_of(kind: type[MadoguchiError]) -> set[type[MadoguchiError]]:
    below = set(kind.__subclasses__())
    return below.union(*(_kinds_of(one) for one in below))
