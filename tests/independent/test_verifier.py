"""Two verifiers that share nothing but docs/ledger.md say the same of every vector, and of files that chance made."""

import ast
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import MadoguchiError, UntrustedError
from appliance.ledger.archive_keys import ArchiveVerifyingKey
from appliance.ledger.checkpoint import Checkpoint, CheckpointError, open_checkpoint, open_cosignature
from appliance.ledger.day_seals import key_content
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.entry import Entry
from appliance.ledger.export import read_export
from appliance.ledger.export_check import verify_export
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.merkle import check_consistency, root_from_inclusion
from appliance.ledger.receipt import open_receipt, parse_receipt_text, receipt_text
from appliance.ledger.signers import KeyEndedError, KeyHistoryError, Signers, SigningPeriod
from appliance.ledger.succession import follow, open_succession
from tests.independent import signatures, tree, verifier
from tests.independent.cbor import RefusedError
from tests.ledger import changed, closed_vectors, sealed
from tests.ledger import material as m
from tests.ledger.material import sequence
from tests.ledger.vectors import FOLDER, values
from tests.source import ROOT, imported

SPKI = {name: key.public.spki for name, key in m.KEYS.items()}
Proven = dict[str, Any]


def vectors(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def ids(cases: list[Any]) -> list[tuple[str, Any]]:
    return [(str(one.get("reason", one.get("name", ""))), one) for one in cases]


def test_it_imports_nothing_of_the_product() -> None:
    names = set()
    for path in sorted((ROOT / "tests/independent").glob("*.py")):
        if path.name.startswith("test_"):
            continue
        parsed = ast.parse(path.read_text(encoding="utf-8"))
        names |= set(imported(parsed))
        calls = [node.func for node in ast.walk(parsed) if isinstance(node, ast.Call)]
        assert {one.id for one in calls if isinstance(one, ast.Name)} & {"__import__", "exec", "eval", "open"} == set()
    foreign = {name for name in names if not name.startswith("tests.independent.")}
    assert {name.partition(".")[0] for name in foreign} == {
        "cryptography",
        "datetime",
        "hashlib",
        "itertools",
        "typing",
    }


def our_export(data: bytes, box: list[bytes], hubs: list[bytes], archive: list[bytes] | None = None) -> Proven:
    pinned = [VerifyingKey.from_spki(one) for one in box]
    keys = None if archive is None else [ArchiveVerifyingKey.from_spki(one) for one in archive]
    found = verify_export(read_export([data]), pinned, [VerifyingKey.from_spki(one) for one in hubs], keys)
    last, seals = found.confirmation, found.seals
    return {
        "origin": found.header.origin,
        "size": found.checkpoint.size,
        "signed": found.checkpoint.time_s,
        "confirmations": found.confirmations,
        "confirmed": None if last is None else [last.size, last.signer, last.time_s],
        "sealed": None if seals.day is None else [seals.day.isoformat(), seals.size, seals.count],
    }


def our_receipt(data: bytes, origin: str, box: bytes, hub: bytes | None) -> Proven:
    hub_key = None if hub is None else VerifyingKey.from_spki(hub)
    found = open_receipt(data, origin, VerifyingKey.from_spki(box), hub_key)
    last = found.cosignature
    return {
        "index": found.index,
        "size": found.checkpoint.size,
        "type": found.entry.type,
        "signed": found.checkpoint.time_s,
        "confirmed": None if last is None else [last.signer, last.time_s],
    }


def same_export(
    data: bytes, box: str = "box next", hub: str | None = "hub", archive: list[bytes] | None = None
) -> Proven | None:
    """What both verifiers find proven, None if both refuse; ``box`` are names of keys with blanks between."""
    box_keys, hubs = [SPKI[name] for name in box.split()], [SPKI[name] for name in (hub or "").split()]
    try:
        theirs = verifier.verify_export(data, box_keys, hubs, archive)
    except RefusedError:
        with pytest.raises(UntrustedError):
            our_export(data, box_keys, hubs, archive)
        return None
    assert our_export(data, box_keys, hubs, archive) == theirs
    return theirs


def same_receipt(data: bytes, origin: str = m.ORIGIN, box: str = "box", hub: str | None = "hub") -> Proven | None:
    """What both verifiers find proven, None if both refuse."""
    hub_key = None if hub is None else SPKI[hub]
    try:
        theirs = verifier.verify_receipt(data, origin, SPKI[box], hub_key)
    except RefusedError:
        with pytest.raises(UntrustedError):
            our_receipt(data, origin, SPKI[box], hub_key)
        return None
    assert our_receipt(data, origin, SPKI[box], hub_key) == theirs
    return theirs


def test_the_keys_are_the_published_ones() -> None:
    for name, one in vectors("keys")["keys"].items():
        assert bytes.fromhex(one["spki"]) == SPKI[name] == VerifyingKey.from_pem(one["pem"].encode()).spki
        assert signatures.key_id(SPKI[name]).hex() == one["key_id"]
        signatures.read_key(SPKI[name])


def test_entries_and_their_bodies() -> None:
    for one in vectors("entries")["good"]:
        data = bytes.fromhex(one["entry"])
        parts = [part.hex() if isinstance(part, bytes) else part for part in tree.read_entry(data)]
        assert parts == one["parts"]
        assert tree.leaf_hash(data).hex() == one["leaf"]
        assert Entry.decode(data).encode() == data
        body = bytes.fromhex(one["salt"]) + bytes.fromhex(one["content"])
        assert sha256(body).hexdigest() == parts[8]


@pytest.mark.parametrize(("reason", "one"), ids(vectors("entries")["refused"]))
def test_what_is_no_entry(reason: str, one: Any) -> None:
    data = bytes.fromhex(one["entry"])
    with pytest.raises(RefusedError):
        tree.read_entry(data)
    with pytest.raises(UntrustedError):
        Entry.decode(data)


def test_roots() -> None:
    whole = tree.Tree()
    for one in vectors("roots")["roots"]:
        assert (whole.size, whole.root().hex(), m.root(one["size"]).hex()) == (one["size"], one["root"], one["root"])
        if whole.size < m.SIZE:
            whole.append(m.LEAVES[whole.size])


def test_proofs() -> None:
    found = vectors("proofs")
    for one in found["inclusion"]:
        leaf, path = bytes.fromhex(one["leaf"]), [bytes.fromhex(step) for step in one["path"]]
        for root_of in (tree.inclusion_root, root_from_inclusion):
            assert root_of(leaf, one["index"], one["size"], path).hex() == one["root"]
    for one in found["consistency"]:
        path = [bytes.fromhex(step) for step in one["path"]]
        roots = bytes.fromhex(one["old_root"]), bytes.fromhex(one["root"])
        tree.check_consistency(one["old"], roots[0], one["size"], roots[1], path)
        check_consistency(one["old"], roots[0], one["size"], roots[1], path)


@pytest.mark.parametrize(("reason", "one"), ids(vectors("proofs")["refused_inclusion"]))
def test_what_is_no_inclusion_proof(reason: str, one: Any) -> None:
    leaf, path = bytes.fromhex(one["leaf"]), [bytes.fromhex(step) for step in one["path"]]
    for root_of, error in ((tree.inclusion_root, RefusedError), (root_from_inclusion, UntrustedError)):
        try:
            root = root_of(leaf, one["index"], one["size"], path)
        except error:
            continue
        assert root.hex() != one["root"]


@pytest.mark.parametrize(("reason", "one"), ids(vectors("proofs")["refused_consistency"]))
def test_what_is_no_consistency_proof(reason: str, one: Any) -> None:
    path = [bytes.fromhex(step) for step in one["path"]]
    old_root, root = bytes.fromhex(one["old_root"]), bytes.fromhex(one["root"])
    with pytest.raises(RefusedError):
        tree.check_consistency(one["old"], old_root, one["size"], root, path)
    with pytest.raises(UntrustedError):
        check_consistency(one["old"], old_root, one["size"], root, path)


def checkpoint_times(one: Any) -> tuple[int, int]:
    cose, root = bytes.fromhex(one["cose"]), bytes.fromhex(one["root"])
    ours = open_checkpoint(cose, root, m.ORIGIN, m.BOX.public)
    return signatures.check_checkpoint(cose, one["size"], root, m.ORIGIN, SPKI["box"]), ours.time_s


def test_checkpoints_and_cosignatures() -> None:
    for one in vectors("checkpoints")["good"]:
        assert checkpoint_times(one) == (one["time"],) * 2
    for one in vectors("cosignatures")["good"]:
        cose, root = bytes.fromhex(one["cose"]), bytes.fromhex(one["root"])
        confirmed = signatures.check_cosignature(cose, one["size"], root, m.ORIGIN, SPKI["hub"])
        ours = open_cosignature(cose, root, m.ORIGIN, m.HUB.public)
        assert confirmed == (ours.signer, ours.time_s) == (m.HUB_NAME, one["time"])


def of_size(opened: Checkpoint, size: int) -> None:
    """What whoever opens a head does next: the product compares the size where it knows it."""
    if opened.size != size:
        raise CheckpointError(reason="other size")


@pytest.mark.parametrize(("reason", "one"), ids(vectors("checkpoints")["refused"]))
def test_what_is_no_checkpoint(reason: str, one: Any) -> None:
    cose, root = bytes.fromhex(one["cose"]), bytes.fromhex(one["root"])
    with pytest.raises(RefusedError):
        signatures.check_checkpoint(cose, one["size"], root, m.ORIGIN, SPKI["box"])
    with pytest.raises(UntrustedError):
        of_size(open_checkpoint(cose, root, m.ORIGIN, m.BOX.public), one["size"])


@pytest.mark.parametrize(("reason", "one"), ids(vectors("cosignatures")["refused"]))
def test_what_is_no_cosignature(reason: str, one: Any) -> None:
    cose, root = bytes.fromhex(one["cose"]), bytes.fromhex(one["root"])
    with pytest.raises(RefusedError):
        signatures.check_cosignature(cose, one["size"], root, m.ORIGIN, SPKI["hub"])
    with pytest.raises(UntrustedError):
        of_size(open_cosignature(cose, root, m.ORIGIN, m.HUB.public), one["size"])


@pytest.mark.parametrize("one", vectors("receipts")["good"])
def test_receipts_as_bytes_and_as_text(one: Any) -> None:
    data = bytes.fromhex(one["receipt"])
    assert same_receipt(data) == one["proven"]
    assert same_receipt(data, hub=None) == one["proven"] | {"confirmed": None}
    for text in (one["text"], one["text"] + "\r\n"):
        assert verifier.read_receipt_text(text) == parse_receipt_text(text) == data


@pytest.mark.parametrize("one", vectors("receipts")["good_without_hub"])
def test_without_the_hubs_key_its_word_is_not_read(one: Any) -> None:
    data = bytes.fromhex(one["receipt"])
    assert same_receipt(data, hub=None) == one["proven"] | {"confirmed": None}
    assert same_receipt(data) is None


@pytest.mark.parametrize(("reason", "one"), ids(vectors("receipts")["refused"]))
def test_what_is_no_receipt(reason: str, one: Any) -> None:
    assert same_receipt(bytes.fromhex(one["receipt"])) is None


@pytest.mark.parametrize(("reason", "one"), ids(vectors("receipts")["refused_texts"]))
def test_what_is_no_text_of_a_receipt(reason: str, one: Any) -> None:
    with pytest.raises(RefusedError):
        verifier.read_receipt_text(one["text"])
    with pytest.raises(MadoguchiError):
        parse_receipt_text(one["text"])


@pytest.mark.parametrize(("reason", "one"), ids(vectors("receipts")["refused_for"]))
def test_a_receipt_for_others(reason: str, one: Any) -> None:
    assert same_receipt(bytes.fromhex(one["receipt"]), one["origin"], one["box"], one["hub"]) is None


@pytest.mark.parametrize(("name", "one"), ids(vectors("exports")["good"]))
def test_exports(name: str, one: Any) -> None:
    data = bytes.fromhex(one["export"])
    proven = one["proven"] | {"sealed": None}
    assert same_export(data) == proven
    assert same_export(data, hub=None) == proven | {"confirmed": None}
    assert same_export(data, hub="other hub") == proven


@pytest.mark.parametrize(("reason", "one"), ids(vectors("exports")["refused"]))
def test_what_is_no_export(reason: str, one: Any) -> None:
    assert same_export(bytes.fromhex(one["export"])) is None


@pytest.mark.parametrize(("reason", "one"), ids(vectors("exports")["refused_for"]))
def test_an_export_for_others(reason: str, one: Any) -> None:
    assert same_export(bytes.fromhex(one["export"]), one["box"], one["hub"]) is None


ARCHIVES = {name: key.public.spki for name, key in sealed.KEYS.items()}


def test_the_archive_keys_are_the_published_ones() -> None:
    for name, one in vectors("seals")["keys"].items():
        assert bytes.fromhex(one["spki"]) == ARCHIVES[name]
        assert signatures.key_id(ARCHIVES[name]).hex() == one["key_id"]
        assert sha256(ARCHIVES[name]).hexdigest() == one["fingerprint"]


@pytest.mark.parametrize(("name", "one"), ids(vectors("seals")["good"]))
def test_seals(name: str, one: Any) -> None:
    data = bytes.fromhex(one["export"])
    for pinned in (None, [ARCHIVES["archive"]], [ARCHIVES["other"], ARCHIVES["archive"]]):
        found = same_export(data, archive=pinned)
        assert found is not None
        assert found["sealed"] == one["sealed"]


@pytest.mark.parametrize(("reason", "one"), ids(vectors("seals")["refused"]))
def test_what_is_no_seal(reason: str, one: Any) -> None:
    assert same_export(bytes.fromhex(one["export"])) is None


def test_seals_for_others() -> None:
    (one,) = vectors("seals")["refused_for"]
    assert same_export(bytes.fromhex(one["export"]), archive=[ARCHIVES[one["archive"]]]) is None
    assert same_export(bytes.fromhex(one["export"]), archive=[]) is None


KEYS = [(size, bytes.fromhex(spki)) for size, spki, _ in vectors("changes")["keys"]]


@pytest.mark.parametrize("one", vectors("changes")["checkpoints"])
def test_which_key_may_sign_which_size(one: Any) -> None:
    cose, root, size = bytes.fromhex(one["cose"]), bytes.fromhex(one["root"]), one["size"]
    if one["good"]:
        assert signatures.check_checkpoint(cose, size, root, m.ORIGIN, KEYS) == m.signed_s(size)
        assert open_checkpoint(cose, root, m.ORIGIN, changed.SIGNERS).time_s == m.signed_s(size)
        return
    with pytest.raises(RefusedError):
        signatures.check_checkpoint(cose, size, root, m.ORIGIN, KEYS)
    with pytest.raises(KeyEndedError):
        open_checkpoint(cose, root, m.ORIGIN, changed.SIGNERS)


@pytest.mark.parametrize("one", vectors("changes")["receipts"])
def test_receipts_of_a_ledger_whose_key_was_changed(one: Any) -> None:
    data = bytes.fromhex(one["receipt"])
    if one["good"]:
        assert verifier.verify_receipt(data, m.ORIGIN, KEYS, None)["index"] == one["index"]
        assert open_receipt(data, m.ORIGIN, changed.SIGNERS, None).index == one["index"]
        return
    with pytest.raises(RefusedError):
        verifier.verify_receipt(data, m.ORIGIN, KEYS, None)
    with pytest.raises(KeyEndedError):
        open_receipt(data, m.ORIGIN, changed.SIGNERS, None)


@pytest.mark.parametrize(("reason", "one"), ids(vectors("changes")["refused_receipts"]))
def test_receipts_that_tell_of_other_keys(reason: str, one: Any) -> None:
    data, keys = bytes.fromhex(one["receipt"]), [(size, bytes.fromhex(spki)) for size, spki in one["keys"]]
    periods = tuple(SigningPeriod(size, VerifyingKey.from_spki(spki)) for size, spki in keys)
    with pytest.raises(RefusedError):
        verifier.verify_receipt(data, m.ORIGIN, keys, None)
    with pytest.raises(KeyHistoryError):
        open_receipt(data, m.ORIGIN, Signers(periods), None)


@pytest.mark.parametrize("one", vectors("changes")["exports"])
def test_exports_of_a_ledger_whose_key_was_changed(one: Any) -> None:
    proven = same_export(bytes.fromhex(one["export"]))
    assert proven is not None
    assert proven["size"] == one["size"]
    assert same_export(bytes.fromhex(one["export"]), "second") is None


@pytest.mark.parametrize(("reason", "one"), ids(vectors("changes")["refused_exports"]))
def test_what_is_no_export_of_a_ledger_whose_key_was_changed(reason: str, one: Any) -> None:
    assert same_export(bytes.fromhex(one["export"])) is None


def test_the_statements_of_the_keys() -> None:
    listed = [[size, bytes.fromhex(spki), bytes.fromhex(said)] for size, spki, said in vectors("changes")["keys"]]
    assert signatures.read_keys([listed[0][:2], *listed[1:]], m.ORIGIN) == KEYS
    assert [one.succession for one in changed.SIGNERS.periods] == [said for _, _, said in listed]


@pytest.mark.parametrize(("reason", "one"), ids(vectors("changes")["refused"]))
def test_what_is_no_statement_of_a_key(reason: str, one: Any) -> None:
    data = bytes.fromhex(one["succession"])
    with pytest.raises(RefusedError):
        signatures.check_succession(data, m.ORIGIN, 7, SPKI["box"], SPKI["second"])
    with pytest.raises(UntrustedError):
        follow(Signers.of(m.BOX.public), [data], m.ORIGIN)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_both_say_the_same_of_statements_that_were_bent(data: st.DataObject) -> None:
    parts = decode(changed.TO_SECOND[1:])
    bent = b"\xd2" + encode(data.draw(st.composite(lambda draw: bent_value(draw, parts))()))
    try:
        signatures.check_succession(bent, m.ORIGIN, 7, SPKI["box"], SPKI["second"])
    except RefusedError:
        with pytest.raises(UntrustedError):
            open_succession(bent, m.ORIGIN, SigningPeriod(0, m.BOX.public))
    else:
        assert open_succession(bent, m.ORIGIN, SigningPeriod(0, m.BOX.public)).size == 7


# What chance makes of good files.

MANY = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
GOOD_EXPORT, GOOD_RECEIPT = m.export(bodies=True), m.receipt(2, 3, cosigned=True)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 8),
    st.binary(max_size=3),
    st.text(max_size=2),
    st.sampled_from([[], {}, [0], {0: 0}, {-1: []}]),
)


@st.composite
def bent_bytes(draw: st.DrawFn, good: bytes) -> bytes:
    """Bytes with one to three places changed, left out or put in."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 40))
        data[at : at + length] = draw(st.binary(max_size=length + 1))
    return bytes(data)


def bent_value(draw: st.DrawFn, value: Any) -> Any:
    """The value with something changed inside it, also inside of what is encoded in a byte string."""
    inner: Any = value
    if isinstance(value, bytes):
        try:
            inner = decode(value)
        except EncodingError:
            inner = None
    if isinstance(inner, list | dict) and inner and draw(st.integers(0, 7)):
        places = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        place = draw(st.sampled_from(places))
        bent = dict(inner) if isinstance(inner, dict) else list(inner)
        if draw(st.integers(0, 7)):
            bent[place] = bent_value(draw, inner[place])
        else:
            del bent[place]
        return encode(bent) if isinstance(value, bytes) else bent
    return draw(ANYTHING)


@st.composite
def bent_exports(draw: st.DrawFn) -> bytes:
    """Items left out, doubled, moved or changed, with a digest that fits."""
    items = draw(st.sampled_from([values, lambda: values(bodies=False), closed_vectors.values]))()
    for _ in range(draw(st.integers(1, 2))):
        at, to = draw(st.integers(0, len(items) - 1)), draw(st.integers(0, len(items) - 1))
        what = draw(st.sampled_from(["bend", "bend", "drop", "copy", "swap"]))
        if what == "bend":
            items[at] = bent_value(draw, items[at])
        elif what == "copy":
            items.insert(to, items[at])
        elif what == "swap":
            items[at], items[to] = items[to], items[at]
        elif len(items) > 1:
            del items[at]
    if not isinstance(items[-1], list):
        return b"".join(map(encode, items))
    return sequence(items)


@given(bent_bytes(GOOD_EXPORT))
@MANY
def test_both_say_the_same_of_bent_exports(data: bytes) -> None:
    same_export(data)


@given(bent_exports())
@MANY
def test_both_say_the_same_of_exports_made_of_other_items(data: bytes) -> None:
    same_export(data)


@given(bent_bytes(m.closed_export()))
@MANY
def test_both_say_the_same_of_bent_exports_of_an_earlier_ledger(data: bytes) -> None:
    same_export(data)


SEALED_EXPORT = sealed.whole().export()


@given(bent_bytes(SEALED_EXPORT))
@MANY
def test_both_say_the_same_of_bent_exports_with_seals(data: bytes) -> None:
    same_export(data)


@given(st.data())
@MANY
def test_both_say_the_same_of_seals_with_any_content(data: st.DataObject) -> None:
    kind, right = data.draw(
        st.sampled_from(
            [
                (sealed.SEAL, {"date": "2026-05-05", "size": 4, "cose": sealed.second_day().seal(sealed.DAYS[1], 4)}),
                (sealed.KEY, key_content(sealed.ARCHIVE.public)),
            ]
        )
    )
    content = encode(right)
    bent = data.draw(bent_bytes(content))
    if data.draw(st.booleans()):
        bent = encode(data.draw(st.composite(lambda draw: bent_value(draw, right))()))
    made = sealed.second_day()
    made.add(sealed.Line(kind, sealed.DAYS[1] + 1, sealed.NIGHT_MS, bent))
    same_export(made.sealed(sealed.DAYS[1], 4, late=2).export())


@given(bent_bytes(GOOD_RECEIPT))
@MANY
def test_both_say_the_same_of_bent_receipts(data: bytes) -> None:
    same_receipt(data)


@given(st.data())
@MANY
def test_both_say_the_same_of_receipts_made_of_other_parts(data: st.DataObject) -> None:
    entry, cose = decode(GOOD_RECEIPT)
    parts = decode(cose[1:])
    bent = data.draw(st.composite(lambda draw: bent_value(draw, [entry, parts]))())
    if isinstance(bent, list) and len(bent) == 2:
        bent = [bent[0], b"\xd2" + encode(bent[1])]
    same_receipt(encode(bent))


@given(st.text(alphabet=verifier.ALPHABET, max_size=9))
def test_both_read_the_same_from_texts(digits: str) -> None:
    try:
        ours = parse_receipt_text("MDG1:" + digits)
    except MadoguchiError:
        with pytest.raises(RefusedError):
            verifier.read_receipt_text("MDG1:" + digits)
        return
    try:
        assert verifier.read_receipt_text("MDG1:" + digits) == ours
    except RefusedError:
        # What copying does to spaces is put right by ours alone: it is the one text of its bytes but for those.
        exact = receipt_text(ours)
        assert verifier.read_receipt_text(exact) == ours
        assert exact.replace(" ", "") == ("MDG1:" + digits).replace(" ", "")
