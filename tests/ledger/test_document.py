"""docs/ledger.md says what the code does: every block of its example is computed, its tables are compared."""

import re
from textwrap import wrap

import pytest

from appliance.ledger.checkpoint import open_signed_by, parse_sign1, sign_checkpoint, signature_input
from appliance.ledger.day_seals import DAY_MS, JAPAN_MS, SEALING, DaySeal, Seals, begin_of, date_of, day_of, key_content
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import EPOCH_MS, EntryType, IdentityKind
from appliance.ledger.export import BEGINNING, MOST_ITEM_BYTES
from appliance.ledger.export_check import verify_export
from appliance.ledger.merkle import inclusion_proof
from appliance.ledger.receipt import open_receipt, receipt_text
from tests.ledger import changed, sealed
from tests.ledger import material as m
from tests.ledger.vectors import FILES
from tests.source import ROOT

DOCUMENT = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(hex|text) (\w+)\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
WIDTH = 96
CHECKPOINT = m.checkpoint(3)
PROTECTED = parse_sign1(CHECKPOINT)[0]
SEALED_S = (begin_of(sealed.DAYS[0] + 1) + sealed.NIGHT_MS) // 1000
SEAL = sign_checkpoint(m.ORIGIN, 3, m.root(3), SEALED_S, sealed.ARCHIVE)
SEAL_PROTECTED = parse_sign1(SEAL)[0]
SEAL_CONTENT = encode(DaySeal(date_of(sealed.DAYS[0]), 3, SEAL).content()).partition(SEAL)
KEY_CONTENT = encode(key_content(sealed.ARCHIVE.public)).partition(sealed.ARCHIVE.public.spki)
EXAMPLE = {
    "box_private": m.BOX.number.to_bytes(32),
    "box_key": m.BOX.public.spki,
    "hub_private": m.HUB.number.to_bytes(32),
    "hub_key": m.HUB.public.spki,
    "content": m.body(2).content,
    "commitment": m.body(2).commitment(),
    "entry": m.ENTRIES[2],
    "leaf": m.LEAVES[2],
    "leaf_0": m.LEAVES[0],
    "leaf_1": m.LEAVES[1],
    "root": m.root(3),
    "protected": PROTECTED,
    "signed": signature_input(PROTECTED, m.root(3)),
    "checkpoint": CHECKPOINT,
    "cosignature": m.cosignature(3),
    "proof": encode([3, 2, inclusion_proof(2, 3, m.node)]),
    "receipt": m.receipt(2, 3, cosigned=True),
    "export": m.export(3, bodies=True),
    "archive_seed": sealed.ARCHIVE.own_seed,
    "archive_key": sealed.ARCHIVE.public.spki,
    "key_before": KEY_CONTENT[0],
    "key_after": KEY_CONTENT[2],
    "seal_protected": SEAL_PROTECTED,
    "seal_signed": signature_input(SEAL_PROTECTED, m.root(3)),
    "seal": SEAL,
    "seal_before": SEAL_CONTENT[0],
    "seal_after": SEAL_CONTENT[2],
    "second_key": m.SECOND.public.spki,
    "succession_protected": decode(changed.TO_SECOND[1:])[0],
    "succession_payload": decode(changed.TO_SECOND[1:])[2],
    "succession": changed.TO_SECOND,
    "succession_entry": changed.ENTRIES[changed.FIRST_CHANGE],
}
TEXTS = {"receipt_text": receipt_text(EXAMPLE["receipt"])}


def written() -> dict[tuple[str, str], str]:
    return {(kind, name): text for kind, name, text in BLOCK.findall(DOCUMENT)}


def test_every_block_is_there_and_no_other_one() -> None:
    assert {name for kind, name in written() if kind == "hex"} == set(EXAMPLE)
    assert {name for kind, name in written() if kind == "text"} == set(TEXTS)
    assert DOCUMENT.count("\n```") == 2 * len(written())


@pytest.mark.parametrize("name", EXAMPLE)
def test_the_bytes_of_the_example_are_those_of_the_code(name: str) -> None:
    assert written()["hex", name].splitlines() == wrap(EXAMPLE[name].hex(), WIDTH)


def test_the_text_of_the_example_is_that_of_the_code() -> None:
    assert written()["text", "receipt_text"] == TEXTS["receipt_text"]


def test_what_the_example_says_of_itself() -> None:
    parts = m.entry(2)
    assert (parts.type, parts.version, parts.time_ms, parts.boot, parts.monotonic_ms) == (
        17,
        1,
        200_000_120_000,
        0,
        3_000,
    )
    assert (parts.actor, parts.subject, parts.refs) == (1, 1, ())
    assert f"{parts.time_ms:,}" in DOCUMENT
    assert m.body(2).read() == {"channel": "kiosk", "purpose": "visit"}
    found = open_receipt(EXAMPLE["receipt"], m.ORIGIN, m.BOX.public, m.HUB.public)
    assert f"at {found.checkpoint.time_s}. " in DOCUMENT
    assert found.cosignature is not None
    assert found.cosignature.time_s == found.checkpoint.time_s + 5
    exported = verify_export(m.export_items(3, bodies=True), [m.BOX.public], [m.HUB.public])
    assert f"at {exported.header.time_s}. " in DOCUMENT
    assert (exported.erased, exported.header.whole) == (1, False)


def test_what_the_example_says_of_its_seal() -> None:
    assert {day_of(m.entry(index).wall_ms) for index in range(3)} == {sealed.DAYS[0]}
    assert f"seals the 4th of May 2026 at {SEALED_S}" in DOCUMENT
    opened = open_signed_by(SEAL, m.root(3), m.ORIGIN, sealed.ARCHIVE.public)
    assert (opened.size, opened.time_s) == (3, SEALED_S)
    start = sealed.ARCHIVE.public.spki[:22]
    assert f"h'{start.hex()}'" in DOCUMENT
    assert f"{len(sealed.ARCHIVE.public.spki):,}" in DOCUMENT


def test_what_the_example_says_of_its_change_of_the_key() -> None:
    body = changed.body(changed.FIRST_CHANGE)
    assert (body.salt, changed.FIRST_CHANGE) == (bytes([5]) * 16, 5)
    told = {"previous": m.BOX.public.key_id, "key_id": m.SECOND.public.key_id, "succession": changed.TO_SECOND}
    assert body.read() == told
    assert f"h'{m.BOX.public.key_id.hex()}'" in DOCUMENT


def test_the_table_of_types_is_the_registry() -> None:
    table = DOCUMENT.partition("<!-- types -->")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\d+) \| ([\w.]+) \| (\d+) \|$", table, re.MULTILINE)
    assert [(int(one), name, int(version)) for one, name, version in rows] == sorted(
        (one.number, one.label, one.version) for one in EntryType
    )


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    assert f"{EPOCH_MS:,}" in DOCUMENT
    assert f"{MOST_ITEM_BYTES:,} bytes" in DOCUMENT
    assert f"h'{BEGINNING.hex()}'" in DOCUMENT
    assert f"h'{m.BOX.public.spki[:26].hex()}'" in DOCUMENT
    assert (m.BOX.public.spki[26], len(m.BOX.public.spki)) == (4, 91)
    assert f"{JAPAN_MS:,}) / {DAY_MS:,}" in DOCUMENT
    assert sorted(SEALING) == [6, 7]
    kinds = re.search(r"`kind` \((.*?)\)", DOCUMENT, re.DOTALL)
    assert kinds is not None
    assert re.findall(r"`(\w+)`", kinds[1]) == [one.name.lower() for one in IdentityKind]


def test_every_file_of_vectors_is_named() -> None:
    assert set(re.findall(r"`(\w+)\.json`", DOCUMENT)) == set(FILES)


def test_the_steps_have_the_numbers_of_the_code() -> None:
    for verify, section in (
        (open_receipt, "## 10. Receipt"),
        (verify_export, "## 11. Exported ledger"),
        (Seals, "## 12. Seals for the archive"),
    ):
        text = DOCUMENT.partition(f"\n{section}\n")[2].partition("\n## ")[0].partition("To verify ")[2]
        in_code = re.findall(r"^ +(\d)\. ", verify.__doc__ or "", re.MULTILINE)
        assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == in_code
