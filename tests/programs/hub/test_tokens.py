"""One-time tokens at the hub: for one school, once, for ten minutes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from appliance.programs.hub.__main__ import main
from appliance.programs.hub.settings import Enrolment
from appliance.programs.hub.tokens import MOST_TRIES, VALID_MS, NoEndpointError, TokenRefusedError, Tokens, make_token
from appliance.services.enrolment import make_request
from appliance.sync.token import Token, TokenMessage, transcript
from tests.programs.hub.conftest import FoundedBox, FoundedHub

CODE, OTHER = "B113299900018", "B113299900027"
SERVER = b"the server's certificate"


def pay(token: Token, box: FoundedBox, server: bytes = SERVER) -> TokenMessage:
    request = make_request(box.box, box.line_key).to_json()
    key = ed25519.Ed25519PrivateKey.from_private_bytes(token.seed)
    return TokenMessage(key.public_key().public_bytes_raw(), key.sign(transcript(request, server)), request)


@pytest.fixture
def token(hub: FoundedHub) -> Token:
    return make_token(replace(hub.settings, enrolment=Enrolment(port=8890)))


@pytest.fixture
def tokens(hub: FoundedHub, token: Token) -> Tokens:
    tokens = Tokens(hub.database)
    assert tokens.add(token, CODE, hub.clock.now_ms()) == hub.clock.now_ms() + VALID_MS
    return tokens


def reason(tokens: Tokens, message: TokenMessage, now_ms: int) -> object:
    with pytest.raises(TokenRefusedError) as refused:
        tokens.redeem(message, SERVER, now_ms)
    return refused.value.fields["reason"]


def test_one_box_uses_it_and_may_ask_again(
    hub: FoundedHub, tokens: Tokens, token: Token, make_box: Callable[[str, str], FoundedBox]
) -> None:
    now_ms, box = hub.clock.now_ms(), make_box(CODE, "架空小学校")
    for _ in range(2):
        request, new_generation = tokens.redeem(pay(token, box), SERVER, now_ms)
        assert (request.school, new_generation) == (CODE, False)
    assert reason(tokens, pay(token, make_box(CODE, "別の箱")), now_ms) == "used"


def test_whom_it_does_not_let_in(
    hub: FoundedHub, tokens: Tokens, token: Token, make_box: Callable[[str, str], FoundedBox]
) -> None:
    now_ms, box = hub.clock.now_ms(), make_box(CODE, "架空小学校")
    assert reason(tokens, pay(token, make_box(OTHER, "別の学校")), now_ms) == "school"
    assert reason(tokens, pay(token, box, b"another server"), now_ms) == "proof"
    assert reason(tokens, pay(replace(token, secret=b"9" * 10), box), now_ms) == "unknown"
    assert reason(tokens, pay(token, box), now_ms + VALID_MS + 1) == "expired"
    tokens.redeem(pay(token, box), SERVER, now_ms)


def test_tries_are_counted_and_end(
    hub: FoundedHub, tokens: Tokens, token: Token, make_box: Callable[[str, str], FoundedBox]
) -> None:
    now_ms, box = hub.clock.now_ms(), make_box(CODE, "架空小学校")
    wrong = pay(token, box, b"another server")
    assert [reason(tokens, wrong, now_ms) for _ in range(MOST_TRIES)] == ["proof"] * MOST_TRIES
    assert reason(tokens, pay(token, box), now_ms) == "tries"


def test_a_newer_token_takes_the_place_of_the_older(
    hub: FoundedHub, tokens: Tokens, token: Token, make_box: Callable[[str, str], FoundedBox]
) -> None:
    now_ms, box = hub.clock.now_ms(), make_box(CODE, "架空小学校")
    newer = replace(token, secret=b"n" * 10)
    tokens.add(newer, CODE, now_ms, new_generation=True)
    assert reason(tokens, pay(token, box), now_ms) == "unknown"
    assert tokens.redeem(pay(newer, box), SERVER, now_ms)[1] is True


def test_the_database_holds_nothing_that_lets_anybody_in(hub: FoundedHub, tokens: Tokens, token: Token) -> None:
    (row,) = hub.database.rows("SELECT * FROM enrolment_token")
    assert not {token.secret, token.seed} & set(row)


def test_without_an_endpoint_there_are_no_tokens(hub: FoundedHub) -> None:
    with pytest.raises(NoEndpointError):
        make_token(hub.settings)


def test_the_command_prints_one(
    hub: FoundedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "hub.toml"
    text = (
        f'[hub]\nstate_dir = "{hub.settings.hub.state_dir}"\n[boxes]\nhost = "hub.example"\n[enrolment]\nport = 8890\n'
    )
    settings.write_text(text, encoding="utf-8")
    monkeypatch.setenv("APPLIANCE_HUB_SETTINGS", str(settings))
    assert main(["token", CODE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    token = Token.from_text(told["token"])
    assert (told["school"], token.host, token.port) == (CODE, "hub.example", 8890)
    assert main(["token", CODE]) == 0
    assert "appliance enroll token" in capsys.readouterr().out
    assert main(["token", "B1"]) == 1
    assert "B1 " in capsys.readouterr().err
