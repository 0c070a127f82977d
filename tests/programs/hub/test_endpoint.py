"""The enrolment endpoint over real TLS: boxes that belong there, and peers that do not."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.log import EventLog
from appliance.programs.hub import endpoint as module
from appliance.programs.hub.endpoint import MOST_CONNECTIONS, TRIES_A_MINUTE, Endpoint, Enrolments
from appliance.programs.hub.settings import Boxes, Enrolment
from appliance.programs.hub.tokens import Tokens, make_token
from appliance.services.enrolment import EnrolmentStore
from appliance.services.token_enrolment import (
    HubUnreachableError,
    NotEnrolledError,
    WrongClockError,
    WrongHubError,
    enrol_by_token,
)
from appliance.sync.token import ENROL_PATH, MAX_MESSAGE_BYTES, Token
from tests.programs.hub.conftest import FoundedBox, FoundedHub
from tests.sim.broker import free_port
from tests.sim.clock import ManualClock
from tests.sim.prefecture import Prefecture, until

CODE, OTHER = "B113299900018", "B113299900027"
MakeBox = Callable[[str, str], FoundedBox]


@dataclass
class Door:
    hub: FoundedHub
    enrolments: Enrolments
    port: int

    def token(self, code: str = CODE) -> Token:
        token = make_token(self.enrolments._settings)
        Tokens(self.hub.database).add(token, code, SystemClock().now_ms())
        return token

    def connect(self) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 5))

    def says(self, request: bytes) -> bytes:
        with self.connect() as line:
            line.sendall(request)
            return b"".join(iter(lambda: line.recv(4096), b""))


def opened(hub: FoundedHub, clock: SystemClock | ManualClock) -> tuple[Enrolments, Endpoint]:
    settings = replace(hub.settings, boxes=Boxes(host="localhost"), enrolment=Enrolment(port=free_port()))
    enrolments = Enrolments(settings, hub.database, clock, EventLog("hub"))
    endpoint = Endpoint(enrolments, settings.enrolment.port)
    threading.Thread(target=endpoint.serve_forever, args=(0.05,), daemon=True).start()
    return enrolments, endpoint


@pytest.fixture
def founded_ms() -> int:
    return SystemClock().now_ms()


@pytest.fixture
def door(hub: FoundedHub) -> Iterator[Door]:
    enrolments, endpoint = opened(hub, SystemClock())
    yield Door(hub, enrolments, endpoint.server_address[1])
    endpoint.shutdown()
    endpoint.server_close()


def refusal(door: Door, box: FoundedBox, token: Token) -> object:
    with pytest.raises(NotEnrolledError) as refused:
        enrol_by_token(box.box, box.line_key, token)
    assert EnrolmentStore(box.box.database).find() is None
    return refused.value.fields["reason"]


def test_a_box_enrols_itself_and_may_do_it_again(door: Door, make_box: MakeBox) -> None:
    box, token = make_box(CODE, "架空小学校"), door.token()
    for _ in range(2):  # it may not have heard the answer
        bundle = enrol_by_token(box.box, box.line_key, token)
    assert EnrolmentStore(box.box.database).find() == bundle
    assert door.hub.registry.origin_of(CODE) == box.box.ledger.origin


def test_each_refusal_reaches_the_box(door: Door, make_box: MakeBox) -> None:
    box, other, token = make_box(CODE, "架空小学校"), make_box(OTHER, "別の学校"), door.token()
    assert refusal(door, other, token) == "school"
    assert refusal(door, box, replace(token, secret=b"9" * 10)) == "unknown"
    enrol_by_token(box.box, box.line_key, token)
    assert refusal(door, make_box(CODE, "別の箱"), token) == "used"
    assert refusal(door, make_box(CODE, "別の箱"), door.token()) == "admitted_before"


def test_a_hub_with_another_authority_is_told_nothing(door: Door, make_box: MakeBox) -> None:
    box, token = make_box(CODE, "架空小学校"), door.token()
    with pytest.raises(WrongHubError):
        enrol_by_token(box.box, box.line_key, replace(token, fingerprint=b"x" * 16))
    with pytest.raises(WrongHubError):  # the authority's text is right, the name that the certificate has is not
        enrol_by_token(box.box, box.line_key, replace(token, host="127.0.0.1"))
    assert door.hub.database.rows("SELECT tries, used_by FROM enrolment_token") == [(0, None)]


def test_nobody_there(door: Door, make_box: MakeBox) -> None:
    box, token = make_box(CODE, "架空小学校"), replace(door.token(), port=free_port())
    with pytest.raises(HubUnreachableError):
        enrol_by_token(box.box, box.line_key, token)


def test_a_clock_that_is_wrong_is_named(hub: FoundedHub, make_box: MakeBox) -> None:
    enrolments, endpoint = opened(hub, ManualClock(hub.clock.ms - 5 * 365 * 86_400_000))
    box, token = make_box(CODE, "架空小学校"), make_token(enrolments._settings)
    with pytest.raises(WrongClockError):
        enrol_by_token(box.box, box.line_key, token)
    endpoint.shutdown()
    endpoint.server_close()


def test_sizes_paths_and_methods_are_bounded(door: Door) -> None:
    post = f"POST {ENROL_PATH} HTTP/1.0\r\nContent-Length: "
    assert b" 404 " in door.says(b"GET /etc/passwd HTTP/1.0\r\n\r\n")
    assert b" 404 " in door.says(b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx")
    assert b" 501 " in door.says(b"DELETE / HTTP/1.0\r\n\r\n")
    for length in (str(MAX_MESSAGE_BYTES + 1), "9" * 4000, "-1", "x", "", "0"):
        assert b" 413 " in door.says(f"{post}{length}\r\n\r\n".encode())
    assert b'"token_form"' in door.says(f"{post}2\r\n\r\n{{}}".encode())


def test_there_are_only_so_many_tries_a_minute(door: Door) -> None:
    answers = [door.enrolments.answer(b"{}")[0] for _ in range(TRIES_A_MINUTE + 1)]
    assert answers == [403] * TRIES_A_MINUTE + [429]
    assert json.loads(door.enrolments.answer(b"{}")[1]) == {"refused": "busy"}


def test_those_who_only_hold_the_line_are_cut_off(
    door: Door, make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.5)
    idle = [socket.create_connection(("127.0.0.1", door.port), 5) for _ in range(MOST_CONNECTIONS)]
    begin = time.monotonic()
    assert [one.recv(1) for one in idle] == [b""] * MOST_CONNECTIONS
    assert time.monotonic() - begin < 4
    for one in idle:
        one.close()
    box = make_box(CODE, "架空小学校")
    enrol_by_token(box.box, box.line_key, door.token())


@pytest.mark.scenario
def test_the_whole_way_with_the_real_programs(tmp_path: Path, make_box: MakeBox) -> None:
    port, directory = free_port(), tmp_path / "prefecture"
    directory.mkdir()
    prefecture = Prefecture(directory)
    with prefecture._settings.open("a", encoding="utf-8") as settings:
        settings.write(f"[enrolment]\nport = {port}\n")
    with prefecture:
        until("the endpoint", lambda: bool(prefecture.hub.said("hub.endpoint")))
        token = Token.from_text(json.loads(prefecture.run("token", CODE, "--json").stdout)["token"])
        prefecture.hub.kill(alone=True)
        box = make_box(CODE, "架空小学校")
        prefecture.hub.start()
        until("another endpoint", lambda: bool(prefecture.hub.said("hub.endpoint")))
        enrol_by_token(box.box, box.line_key, token)
        assert [one["school"] for one in prefecture.listing()] == [CODE]
