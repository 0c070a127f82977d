"""The key of a ledger changes while the other side is away: what it learns of it, and what it does not believe."""

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import claimed_signer, open_cosignature, sign_checkpoint
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import Entry
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.signers import MOST_KEYS, KeyEndedError, KeyHistoryError, Signers
from appliance.ledger.succession import SuccessionError, sign_succession
from appliance.ledger.verify import Batch, ReplayedError, verify_batch
from appliance.sync.incoming import Incoming
from appliance.sync.ports import KeyChanged
from appliance.sync.wire import HEADER_BYTES, Ack, MalformedError, Refusal, frame, pack, unpack
from tests.sync.memory import ORIGIN, MemoryMirror, MemoryOwn, frontier_of
from tests.sync.pair import BOX, HUB, Pair

SECOND, THIRD, STRANGER = SigningKey.make(), SigningKey.make(), SigningKey.make()


def changed() -> MemoryOwn:
    """Four entries, the change to the second key, two entries, the change to the third, one entry."""
    own = MemoryOwn(BOX)
    own.append(4)
    own.hand_over(SECOND)
    own.append(2)
    own.hand_over(THIRD)
    own.append(1)
    return own


OWN = changed()
TO_SECOND, TO_THIRD = (one.succession for one in OWN.keys.periods[1:])
FIRST, KNOWS_SECOND = Signers.of(BOX.public), Signers(OWN.keys.periods[:2])


def batch(first: int, last: int, *successions: bytes, key: SigningKey = THIRD) -> Batch:
    root = frontier_of(OWN.entries[:last]).root()
    checkpoint = sign_checkpoint(ORIGIN, last, root, 1, key)
    return Batch(ORIGIN, first, tuple(OWN.entries[first:last]), checkpoint, successions)


def verified(one: Batch, keys: Signers = FIRST) -> list[bytes]:
    """The ids of the keys that it brings."""
    last_time_ms = 1000 * (one.first - 1) if one.first else 0
    found = verify_batch(one, ORIGIN, frontier_of(OWN.entries[: one.first]), last_time_ms, keys)
    return [period.key.key_id for period in found.periods]


BOTH = [SECOND.public.key_id, THIRD.public.key_id]


@pytest.mark.parametrize("last", range(1, 10))
def test_a_batch_that_ends_anywhere_brings_the_keys(last: int) -> None:
    assert len(OWN.entries) == 9
    assert verified(batch(0, last, TO_SECOND, TO_THIRD)) == BOTH


def test_what_is_known_need_not_come_and_may() -> None:
    assert verified(batch(5, 9, TO_THIRD), KNOWS_SECOND) == BOTH[1:]
    assert verified(batch(5, 9, TO_SECOND, TO_THIRD), KNOWS_SECOND) == BOTH[1:]
    assert verified(batch(0, 9), OWN.keys) == []
    assert verified(batch(0, 4, key=BOX)) == []
    assert verified(batch(0, 5, TO_SECOND, key=BOX)) == BOTH[:1]  # the last checkpoint of the first key


@pytest.mark.parametrize(
    ("wrong", "keys", "error"),
    [
        (batch(0, 4), FIRST, SignatureError),  # a key that nobody has named
        (batch(0, 4, TO_THIRD), FIRST, SuccessionError),  # a link is missing
        (batch(0, 4, TO_THIRD, TO_SECOND), FIRST, SuccessionError),
        (batch(0, 4, sign_succession(ORIGIN, 6, STRANGER, THIRD)), FIRST, SuccessionError),
        (batch(0, 4, sign_succession(f"{ORIGIN}1", 6, BOX, THIRD)), FIRST, SuccessionError),
        (batch(0, 4, TO_SECOND[:-1] + bytes([TO_SECOND[-1] ^ 1]), TO_THIRD), FIRST, SignatureError),
        (batch(0, 9, sign_succession(ORIGIN, 7, BOX, SECOND), TO_THIRD), FIRST, KeyHistoryError),  # a wrong size
        (batch(0, 9, sign_succession(ORIGIN, 5, BOX, SECOND), TO_THIRD), FIRST, KeyHistoryError),
        (batch(0, 9, TO_SECOND, key=SECOND), FIRST, KeyHistoryError),  # a change that is told and not shown
        (batch(0, 5, key=BOX), FIRST, KeyHistoryError),
        (batch(0, 6, TO_SECOND, key=BOX), FIRST, KeyEndedError),
        (batch(0, 9, TO_SECOND, TO_THIRD, key=BOX), FIRST, KeyEndedError),
        (batch(0, 9, TO_SECOND, TO_THIRD, key=SECOND), FIRST, KeyEndedError),
        (batch(5, 9, TO_THIRD, key=BOX), KNOWS_SECOND, KeyEndedError),
        (batch(5, 9, sign_succession(ORIGIN, 9, BOX, STRANGER), key=STRANGER), KNOWS_SECOND, SuccessionError),
        (batch(0, 4, sign_succession(ORIGIN, 6, BOX, STRANGER)), KNOWS_SECOND, SuccessionError),
    ],
)
def test_what_does_not_follow_is_not_believed(wrong: Batch, keys: Signers, error: type[UntrustedError]) -> None:
    with pytest.raises(error):
        verified(wrong, keys)


def test_a_batch_that_comes_again_changes_nothing() -> None:
    with pytest.raises(ReplayedError):
        verify_batch(batch(0, 4, TO_SECOND, TO_THIRD), ORIGIN, frontier_of(OWN.entries[:5]), 0, OWN.keys)


def test_an_ordinary_batch_has_not_a_byte_more() -> None:
    ordinary, changing = batch(0, 4, key=BOX), batch(0, 4, TO_SECOND, TO_THIRD)
    assert unpack(pack(ordinary)) == ordinary
    assert unpack(pack(changing)) == changing
    assert (len(parts(ordinary)), len(parts(changing))) == (15, 16)


def parts(message: Batch) -> list[object]:
    return list(decode(zstandard.ZstdDecompressor().decompress(pack(message)[HEADER_BYTES:])))


@pytest.mark.parametrize("more", [[[]], [None], [[b"", 1]], [[b""], [b""]], [b""], [[b""] * MOST_KEYS]])
def test_another_form_of_them_is_no_message(more: list[object]) -> None:
    with pytest.raises(MalformedError):
        unpack(with_more(more))


def with_more(more: list[object]) -> bytes:
    """A batch with these parts at its end."""
    return frame(zstandard.ZstdCompressor().compress(encode([*parts(batch(0, 4, key=BOX)), *more])))


@given(st.lists(st.sampled_from(["visit", "visit", "change", "send", "lose", "answer"]), max_size=40))
@settings(deadline=None)
def test_whatever_happens_in_between_both_sides_agree_in_the_end(deeds: list[str]) -> None:
    pair, keys = Pair(), [BOX]
    pair.connect()
    pair.append(1)
    for deed in deeds:
        match deed:
            case "visit":
                pair.append(1)
            case "change":
                keys.append(SigningKey.make())
                pair.own.hand_over(keys[-1])
                pair.outgoing.look()
            case "send":
                pair.take_up()
            case "answer":
                pair.take_back()
            case "lose":
                pair.disconnect()
                pair.connect()
    pair.settle()
    assert pair.mirror.keys == pair.own.keys
    assert [one.key for one in pair.mirror.keys.periods] == [one.public for one in keys]
    assert pair.mirror.entries == pair.own.entries
    told = [one.key_id for one in pair.told if isinstance(one, KeyChanged)]
    assert told == [one.public.key_id for one in keys[1:]]
    assert not {code for code in pair.codes() if not code.startswith("sync.")}


def test_a_receipt_that_is_given_again_is_signed_with_the_present_key() -> None:
    present, sent = [HUB], []
    mirror, pair = MemoryMirror(BOX.public), Pair()

    def publish(payload: bytes) -> None:
        sent.append(unpack(payload))

    incoming = Incoming(
        mirror, "hub.test", lambda: present[0], publish=publish, clock=pair.clock, observe=pair.told.append
    )
    incoming.receive(batch(0, 4, key=BOX))
    (first,) = sent
    assert isinstance(first, Ack)
    present[0] = STRANGER
    incoming.receive(batch(0, 4, key=BOX))
    again = sent[1]
    assert isinstance(again, Refusal)
    assert again.ack is not None
    assert claimed_signer(again.ack.cosignature) == STRANGER.public.key_id
    root = frontier_of(OWN.entries[:4]).root()
    opened = open_cosignature(again.ack.cosignature, root, ORIGIN, STRANGER.public)
    assert (opened.size, opened.signer, again.ack.checkpoint) == (4, "hub.test", first.checkpoint)
    present[0] = HUB
    incoming.receive(batch(0, 4, key=BOX))
    last = sent[2]
    assert isinstance(last, Refusal)
    assert last.ack == first


def test_the_memory_of_these_tests_is_a_ledger() -> None:
    assert [Entry.decode(entry.entry).type for entry in OWN.entries] == [1, 17, 17, 17, 8, 17, 17, 8, 17]
    assert [one.size for one in OWN.keys.periods] == [0, 6, 9]
