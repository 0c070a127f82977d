"""A session of visits with every program at its most talkative; then everything is searched that it left behind.

A search that finds nothing proves something only if it finds what is there: each one is also made where its object is
known to lie.
"""

import random
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.ledger.disclosure import item_keys
from appliance.ledger.evidence import EPOCH_INFO, HEAD_BYTES, EvidenceOpener
from appliance.ledger.evidence_file import EvidenceFile
from appliance.programs.hub.settings import EVIDENCE_KEY
from appliance.school.people import Name
from appliance.services.evidence import evidence_file
from appliance.store.evidence import EvidenceStore
from tests.scenarios.acts import CARDS, come, leave, link, problem, tries, visit
from tests.scenarios.books import at_box, at_hub, opened_box, opened_hub, settle
from tests.scenarios.conftest import copied
from tests.scenarios.search import ProcessList, bodies, contents, files, look, spellings
from tests.sim.card.card import VirtualCard
from tests.sim.card.deck import Deck
from tests.sim.card.files import INDIVIDUAL_NUMBER_AP
from tests.sim.card.hierarchy import CardFile
from tests.sim.card.individual_number import forms, found_in
from tests.sim.prefecture import until
from tests.sim.world import World

pytestmark = pytest.mark.scenario
FIRST, SECOND, *_ = CARDS
SQLITE_MAGIC = b"SQLite format 3\x00"
WINDOW_BYTES = 24


@dataclass
class Session:
    """``pins`` belong to the cards; ``wrong_pin`` was typed too."""

    world: World
    pins: dict[str, str]
    wrong_pin: str
    processes: ProcessList
    pages: dict[str, bytes]

    @property
    def cards(self) -> list[CardFile]:
        deck = Deck(self.world.folder / "cards")
        return [deck.load(name) for name in (FIRST, SECOND)]

    @property
    def logs(self) -> dict[str, bytes]:
        """Of every program, the reader service's and the broker's among them."""
        logs = files([self.world.logs, self.world.run_dir, self.world.folder / "broker"])
        return {place: data for place, data in logs.items() if place.endswith(".log")}

    @property
    def left_behind(self) -> dict[str, bytes]:
        """All files of the box, the hub, the broker and the programs; not those of the cards themselves."""
        return files([self.world.folder, self.world.run_dir], without=[self.world.folder / "cards"])

    @property
    def plain_files(self) -> dict[str, bytes]:
        """Without the encrypted databases: bytes at random contain any four digits sooner or later, so that what is in
        those is searched opened."""
        return {place: data for place, data in self.left_behind.items() if ".db" not in Path(place).name}

    @property
    def opened(self) -> dict[str, bytes]:
        """Everything in both databases, bodies decrypted."""
        with opened_box(self.world) as box, opened_hub(self.world) as hub:
            found = contents(box.database, "box") | contents(hub, "hub")
        return found | bodies(at_box(self.world), "box") | bodies(at_hub(self.world), "hub")


@pytest.fixture(scope="module")
def session(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with copied(founded, tmp_path_factory.mktemp("secrets"), log_level="debug") as world:
        first, second, wrong = unheard_of(world, 3)
        session = Session(world, {FIRST: first, SECOND: second}, wrong, ProcessList(), {})
        for card, pin in session.pins.items():
            world.stage.set(card, pin=pin)
        with session.processes.watching():
            play(session)
        yield session


def unheard_of(world: World, count: int) -> list[str]:
    """PINs that stand nowhere yet. They begin with 0 as no number does that a program prints."""
    with opened_box(world) as box, opened_hub(world) as hub:
        opened = contents(box.database, "box") | contents(hub, "hub")
    before = b"\n".join((files([world.folder, world.run_dir]) | opened).values())
    chosen: list[str] = []
    while len(chosen) < count:
        pin = f"0{secrets.randbelow(900) + 100}"
        if pin not in chosen and not standing_alone(pin).search(before):
            chosen.append(pin)
    return chosen


def standing_alone(pin: str) -> re.Pattern[bytes]:
    """A PIN that is not a part of a longer number."""
    return re.compile(rb"(?<![0-9])" + pin.encode() + rb"(?![0-9])")


def play(session: Session) -> None:
    """First visits and later ones, a wrong PIN, a pulled card, and the staff who look at it all."""
    world, (first, second) = session.world, session.world.guardian_ids()[:2]
    told = [link(world, FIRST, first, session.pins[FIRST]), link(world, SECOND, second, session.pins[SECOND])]
    told.append(visit(world, FIRST, session.pins[FIRST]))
    visitor = come(world, FIRST)
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", session.wrong_pin)
    until("the second try", lambda: visitor.wait_for("signing", "pin")["step"] == "pin")
    world.stage.set(FIRST, removed_in=3)
    visitor.type_digits("/pin", session.pins[FIRST])
    problem(visitor, "card.removed")
    leave(world, visitor)
    assert tries(world, FIRST) == 3
    staff = world.staff_member()
    for path in ("/", f"/people/{first}", "/box"):
        session.pages[path] = staff.get(path).encode()
    for command in (["sync", "status"], ["ledger", "show"], ["ledger", "receipt", str(told[0])], ["config"]):
        session.pages[" ".join(command)] = world.appliance(*command).encode()
    settle(world, told)


def typed(session: Session) -> list[str]:
    return [*session.pins.values(), session.wrong_pin]


def test_no_pin_is_in_any_log_or_file_or_record(session: Session) -> None:
    places = session.plain_files | session.opened | session.pages
    # The trace was on: each VERIFY is in the log, and shows that there was a PIN, not which.
    trace = (session.world.logs / "cardd.log").read_text()
    assert trace.count('"event": "card.exchange"') > 20
    assert trace.count("<pin>") >= 5
    for pin in typed(session):
        alone = standing_alone(pin)
        assert [place for place, data in places.items() if alone.search(data)] == []
        spelt = {"UTF-16": pin.encode("utf-16-le"), "hexadecimal": pin.encode().hex().encode()}
        assert look(spelt, session.logs | session.pages | session.opened) == []
    state = files([session.world.folder / "cards"])
    assert [place for place, data in state.items() if standing_alone("1234").search(data)]  # the PIN that it came with


def test_no_pin_is_in_what_the_card_saw_go_by(session: Session) -> None:
    for card, pin in session.pins.items():
        # What was sent to it; its answers hold a certificate, whose dates may have any four digits in them.
        said = "\n".join(str(one["command"]) for one in session.world.stage.trace(card)).encode()
        assert b"<pin>" in said
        assert not standing_alone(pin).search(said)
        assert pin.encode().hex().encode() not in said.lower()


def test_no_pin_is_in_the_list_of_processes(session: Session) -> None:
    seen = session.processes.seen
    assert session.processes.samples > 20
    programs = b"\n".join(seen.values())
    for name in ("cardd", "kiosk", "staff", "syncd", "hub"):
        assert f"appliance.programs.{name}".encode() in programs
    for pin in typed(session):
        assert [place for place, data in seen.items() if standing_alone(pin).search(data)] == []


def test_no_certificate_serial_is_anywhere_but_sealed_for_the_verifier(session: Session) -> None:
    places = session.left_behind | session.opened | session.pages | session.processes.seen
    for card in session.cards:
        for issued in (card.blank.authentication, card.blank.signature):
            assert issued is not None
            serial = issued.certificate.serial_number
            content = serial.to_bytes(serial.bit_length() // 8 + 1)
            wanted = spellings("serial", content) | {"serial (decimal)": str(serial).encode()}
            assert look(wanted, places) == []
    # The one place where it is: evidence, which only the hub's verifier opens. There the same search finds it.
    for evidence, card in zip(opened_evidence(session), session.cards, strict=True):
        serial = card.blank.authentication.certificate.serial_number
        assert look(spellings("serial", serial.to_bytes(16)), {"evidence": evidence}) == [
            ("serial (bytes)", "evidence")
        ]


def sealed_evidence(session: Session) -> list[EvidenceFile]:
    """The evidence of the first two visits, one of each card."""
    with opened_box(session.world) as box:
        first = box.database.rows("SELECT entry FROM visit ORDER BY entry LIMIT 2")
        return [evidence_file(box.ledger, EvidenceStore(box.database), entry) for (entry,) in first]


def verifier(session: Session) -> EvidenceOpener:
    return EvidenceOpener.from_bytes((session.world.prefecture / "credentials" / EVIDENCE_KEY).read_bytes())


def opened_evidence(session: Session) -> list[bytes]:
    """The certificates in the evidence of the first two visits, opened with the key that the hub alone has."""
    opener = verifier(session)
    return [opener.open_certificate(one.certificate_message, one.claim.certificate) for one in sealed_evidence(session)]


def test_no_key_of_evidence_is_anywhere(session: Session) -> None:
    opener, wanted = verifier(session), dict[str, bytes]()
    for number, one in enumerate(sealed_evidence(session)):
        items = item_keys(one, opener)
        epoch = opener.unseal(one.act_message[HEAD_BYTES:], EPOCH_INFO + one.claim.act.epoch)
        for name, key in (("act", items.act), ("certificate", items.certificate), ("epoch", epoch)):
            wanted |= spellings(f"{name} {number}", key)
    assert look(wanted, session.left_behind | session.opened | session.pages | session.processes.seen) == []


def test_no_individual_number_is_anywhere(session: Session) -> None:
    assert session.processes.of_the_product
    places = session.plain_files | session.opened | session.pages | session.processes.of_the_product
    # A ledger's times are whole milliseconds since 2020 and have twelve digits until 2051; their columns say so.
    looked_at = {place: data for place, data in places.items() if not place.endswith("_ms")}
    assert [(place, one) for place, data in looked_at.items() for one in numbers_in(data)] == []
    everything = places | session.left_behind
    for card in session.cards:
        assert look(forms(card.individual_number), everything) == []
    status = [session.world.stage.status(slot) for slot in range(2)]
    assert [one.get("forbidden_selected", 0) for one in status] == [0, 0]


def test_the_search_finds_the_individual_number_where_it_is(session: Session) -> None:
    card = session.cards[0]
    state = files([session.world.folder / "cards" / FIRST])
    assert [one for data in state.values() for one in numbers_in(data)] == [card.individual_number]
    virtual: VirtualCard = card.make_card()
    aid = INDIVIDUAL_NUMBER_AP
    virtual.transmit(bytes([0x00, 0xA4, 0x04, 0x0C, len(aid)]) + aid)
    given = virtual.transmit(bytes.fromhex("00B0810000"))
    assert list(numbers_in(given[:-2])) == [card.individual_number]
    assert ("text", "the card") in look(forms(card.individual_number), {"the card": given})


def numbers_in(data: bytes) -> Iterator[str]:
    yield from found_in(data.decode("utf-8", "replace"))


def test_the_database_files_hold_no_plain_text(session: Session) -> None:
    stored = {place: data for place, data in session.left_behind.items() if ".db" in Path(place).name}
    for name in ("box.db", "box.db-wal", "box.db-shm", "hub.db", "hub.db-wal", "hub.db-shm"):
        assert any(place.endswith(f"/{name}") for place in stored)
    wanted = {"SQLite's magic": SQLITE_MAGIC, "a table": b"CREATE TABLE", "the school's name": "みどり".encode()}
    for person in session.world.roster.people:
        wanted |= written(person.name) | written(person.name_kana)
    assert look(wanted, stored) == []
    with opened_box(session.world) as box:
        opened = contents(box.database, "box")
    guardian = session.world.roster.person(session.world.guardian_ids()[0])
    assert look({"the guardian": str(guardian.name).encode()}, opened)  # it is in there, encrypted
    for card in session.cards:
        der = card.blank.authentication.der
        # Any 31 bytes in a row hold one of these windows whole. One of hardly any different bytes is only padding.
        windows = {at: der[at : at + WINDOW_BYTES] for at in range(0, len(der) - WINDOW_BYTES, 8)}
        parts = {f"certificate at {at}": part for at, part in windows.items() if len(set(part)) > WINDOW_BYTES // 3}
        assert len(parts) > 100
        assert look(parts, stored) == []
        assert look(parts, opened) == []


def written(name: Name) -> dict[str, bytes]:
    """A name in the encodings that a database could hold it in; without an empty or a single-letter one."""
    parts = [one for one in (str(name), name.family + name.given) if len(one) > 2]
    return {f"{one} in {code}": one.encode(code) for one in parts for code in ("utf-8", "utf-16-le", "utf-16-be")}


def test_no_name_of_a_person_is_in_any_log(session: Session) -> None:
    names: dict[str, bytes] = {}
    for person in session.world.roster.people:
        for name in (person.official, person.name, person.name_kana):
            names |= written(name)
    for card in session.cards:
        names[card.person.name] = card.person.name.encode()
    logs = session.logs
    assert {Path(place).name for place in logs} >= {
        "cardd.log", "kiosk.log", "staff.log", "syncd.log", "hub.log", "pcscd.log", "mosquitto.log",
    }  # fmt: skip
    # JSON may spell other letters with escapes.
    escaped = {
        f"{name} (escaped)": text.decode().encode("unicode_escape") for name, text in names.items() if "utf-8" in name
    }
    assert look(names | escaped, logs) == []
    page = {"a page": session.pages["/"]}
    guardian = session.world.roster.person(session.world.guardian_ids()[0])
    assert look(written(guardian.name), page)


@pytest.mark.parametrize("key", ["another", "short", "none"])
def test_without_the_key_nothing_opens_the_database_and_the_error_says_so(
    session: Session, tmp_path: Path, key: str
) -> None:
    credentials = tmp_path / "credentials"
    shutil.copytree(session.world.box / "credentials", credentials)
    right = (credentials / "database.key").read_bytes()
    other = {"another": random.Random(1).randbytes(len(right)), "short": right[:-1], "none": b""}[key]
    (credentials / "database.key").write_bytes(other)
    environment = session.world.box_environment | {
        "CREDENTIALS_DIRECTORY": str(credentials),
        "LANG": "ja_JP.UTF-8",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-m", "appliance.programs.cli", "ledger", "verify", "--json"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert '"error": "store.wrong_key"' in done.stdout
    assert "鍵" in done.stderr
    assert "store.wrong_key" in done.stderr
    assert "Traceback" not in done.stderr
    for secret in (right, other):
        assert not secret or secret.hex() not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["box/state/box.db", "hub/state/hub.db"])
def test_plain_sqlite_takes_it_for_no_database(session: Session, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes((session.world.folder / name).read_bytes())
    with closing(sqlite3.connect(copy)) as connection, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
