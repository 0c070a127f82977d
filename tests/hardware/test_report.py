"""A report tells how card and reader behave, and nothing of whose card it is."""

import json
import re
import stat
from pathlib import Path

import pytest

from appliance.card.connection import CardRemovedError
from appliance.card.desk import Desk
from appliance.card.key import Key
from tests.card.table import Table, signed
from tests.hardware.personal import HOLDER, NEIGHBOUR, PIN, pieces, traces
from tests.hardware.recorded import RecordedReaders
from tests.hardware.report import LARGEST, TEXTS, PersonalError, Report
from tests.sim.card.card import VirtualCard
from tests.sim.fixtures import MakeCard


@pytest.fixture
def report() -> Report:
    return Report()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "card-report.json"


def visit(card: VirtualCard, report: Report) -> list[bytes]:
    """Both keys sign, the signature certificate is read, and the card is taken away in the end."""
    table = Table()
    table.put(card)
    with Desk(RecordedReaders(table, report)) as desk:
        client = desk.client()
        client.read()
        signatures = [signed(client, bytearray(PIN.encode()), bytes(32))]
        signatures.append(signed(client, bytearray(b"ABC123"), bytes(32), key=Key.SIGNATURE))
        client.certificate(Key.SIGNATURE)
        card.removed_at = card.count + 1
        with pytest.raises(CardRemovedError):
            client.sign(bytes(32))
    return signatures


def test_it_holds_no_piece_of_what_the_card_gave(report: Report, file: Path, make_card: MakeCard) -> None:
    card, neighbour = make_card(pin=PIN, authentication=HOLDER), make_card(authentication=NEIGHBOUR)
    signatures = visit(card, report)
    signer = card.contents.signature or b""
    report.write(file)
    written = file.read_text(encoding="utf-8")
    personal = traces(card, neighbour, [*signatures, signer[-256:]])
    assert len(personal) > 3000
    assert [piece for piece in personal if piece in written] == []
    assert "ABC123" not in written


def test_the_search_would_find_them(make_card: MakeCard) -> None:
    card, neighbour = make_card(authentication=HOLDER), make_card(authentication=NEIGHBOUR)
    certificate = card.contents.authentication or b""
    personal = traces(card, neighbour, [])
    for written in (certificate.hex(), certificate[-40:].hex().upper(), str(certificate), HOLDER.common_name or ""):
        assert any(piece in written for piece in personal)
    assert not personal & set(pieces(neighbour.contents.authentication or b""))


def test_it_tells_each_exchange_by_header_lengths_and_status(report: Report, file: Path, make_card: MakeCard) -> None:
    report.begin("test_a_visit")
    visit(make_card(pin=PIN), report)
    report.write(file)
    lines = json.loads(file.read_text())["exchanges"]["test_a_visit"]
    without_times = [line.rpartition(" in ")[0] for line in lines]
    assert without_times[:5] == [
        "00A4040C sent 15, got 0 bytes 9000",
        "00B08A00 sent 7, got 1453 bytes 9000",
        "00200098 sent 4, got 0 bytes 63C3",
        "00200098 sent <secret>, got 0 bytes 9000",
        "802A0097 sent 57, got 256 bytes 9000",
    ]
    assert "802A0097 sent 57, got 0 bytes card.removed" in without_times


def test_facts_and_outcomes(report: Report, file: Path) -> None:
    report.note("reader", "SONY FeliCa RC-S300/P (1234567) 00 00")
    report.note("atr", "3B888001000041E0B381A1003B")
    report.note("extended_le", False)
    report.note("filler_bytes", None)
    report.conclude("test_it_is_there", "failed card.mute")
    report.write(file)
    said = json.loads(file.read_text())
    assert said["facts"] == {
        "reader": "SONY FeliCa RC-S300/P (blanked) 00 00",
        "atr": "3B888001000041E0B381A1003B",
        "extended_le": False,
        "filler_bytes": None,
    }
    assert said["checks"] == {"test_it_is_there": "failed card.mute"}
    assert set(said["system"]) == {"madoguchi", "python", "pcsc-lite", "distribution", "machine"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("atr", "3B" * 34),
        ("atr", "4A3DFA96"),
        ("atr", "not hexadecimal"),
        ("token", "JPKIAPICCTOKEN2 of 窓口 花子"),
        ("kind", "a card"),
        ("issuer", "C=JP, CN=somebody"),
        ("certificates", "8F8F00FF"),
        ("serial", "4A3DFA96"),
        ("serial", 5),
        ("certificate_bytes", LARGEST + 1),
        ("certificate_bytes", -1),
        ("certificate_bytes", True),
        ("certificate_bytes", "1453"),
        ("holder", True),
    ],
)
def test_what_has_no_place_is_refused_and_not_repeated(report: Report, name: str, value: str | int) -> None:
    with pytest.raises(PersonalError) as caught:
        report.note(name, value)
    assert str(value) not in str(caught.value)
    assert report.facts == {}


def test_only_the_name_of_an_error_gets_in(report: Report) -> None:
    for outcome in ("failed because of 1234", "failed serial=4A3D", "passed\n1234"):
        with pytest.raises(PersonalError):
            report.conclude("test_it", outcome)


def test_no_text_may_be_long() -> None:
    """Nothing like a digest of 32 bytes in hexadecimal digits fits any but the reader's name."""
    digest = "4A3DFA96CB676E50B42E792F2C781276" * 2
    assert [name for name, form in TEXTS.items() if re.fullmatch(form, digest)] == ["reader"]


def test_it_is_for_whoever_made_it(report: Report, file: Path) -> None:
    report.write(file)
    report.write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
