"""Which key may sign a checkpoint of which size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.checkpoint import open_checkpoint
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.signers import FIRST_CHANGE, MOST_KEYS, KeyEndedError, KeyHistoryError, Signers, SigningPeriod
from tests.ledger import changed
from tests.ledger import material as m

MANY = [SigningKey.make() for _ in range(6)]
SIGNERS = changed.SIGNERS


@st.composite
def histories(draw: st.DrawFn) -> Signers:
    sizes = sorted(draw(st.sets(st.integers(FIRST_CHANGE, 60), max_size=len(MANY) - 1)))
    pairs = zip([0, *sizes], MANY, strict=False)
    return Signers(tuple(SigningPeriod(size, key.public, b"succession") for size, key in pairs))


@given(histories(), st.integers(0, 70))
def test_a_size_is_signed_by_the_key_in_force_or_a_later_one(signers: Signers, size: int) -> None:
    keys = [period.key for period in signers.periods]
    able = keys[keys.index(signers.at(size)) :]
    for key in keys:
        if key in able:
            assert signers.for_checkpoint(key.key_id, size) == key
        else:
            with pytest.raises(KeyEndedError) as ended:
                signers.for_checkpoint(key.key_id, size)
            end = ended.value.fields["end"]
            assert isinstance(end, int)
            assert end <= size
            assert signers.at(end - 1) == key
    with pytest.raises(SignatureError, match="other key"):
        signers.for_checkpoint(m.OTHER.public.key_id, size)


@given(histories(), st.integers(0, 5))
def test_of_two_histories_of_one_ledger_the_longer_one_counts(signers: Signers, cut: int) -> None:
    shorter = Signers(signers.periods[: max(1, len(signers.periods) - cut)])
    assert shorter.joined(signers) == signers.joined(shorter) == signers
    if len(signers.periods) > 1:
        last = signers.newest
        forked = Signers((*signers.periods[:-1], SigningPeriod(last.size, m.OTHER.public)))
        with pytest.raises(KeyHistoryError, match="two histories"):
            forked.joined(signers)


@given(histories(), st.integers(0, 70))
def test_a_signature_without_a_name_is_of_a_key_that_may(signers: Signers, size: int) -> None:
    able = signers.periods[[period.key for period in signers.periods].index(signers.at(size)) :]
    for period, key in zip(signers.periods, MANY, strict=False):
        signature = key.sign(b"message")
        if period in able:
            signers.verify(size, signature, b"message")
        else:
            with pytest.raises(SignatureError):
                signers.verify(size, signature, b"message")


def test_a_key_by_itself_signs_every_size() -> None:
    alone = Signers.of(m.BOX.public)
    assert alone.at(0) == alone.at(1 << 40) == alone.first == alone.newest.key == m.BOX.public
    assert Signers.of(alone) is alone
    assert m.BOX.public.key_id in alone
    assert m.OTHER.public.key_id not in alone


@pytest.mark.parametrize(
    ("periods", "reason"),
    [
        ((), "sizes"),
        (((1, m.BOX),), "sizes"),
        (((0, m.BOX), (2, m.SECOND)), "sizes"),
        (((0, m.BOX), (5, m.SECOND), (5, m.THIRD)), "sizes"),
        (((0, m.BOX), (6, m.SECOND), (5, m.THIRD)), "sizes"),
        (((0, m.BOX), (5, m.SECOND), (7, m.BOX)), "a key that comes again"),
    ],
)
def test_what_is_no_history_is_refused(periods: tuple[tuple[int, SigningKey], ...], reason: str) -> None:
    with pytest.raises(KeyHistoryError, match=reason):
        Signers(tuple(SigningPeriod(size, key.public) for size, key in periods))


def test_a_ledger_does_not_change_its_key_for_ever() -> None:
    keys = [SigningKey.make().public for _ in range(MOST_KEYS + 1)]
    periods = [SigningPeriod(at + 2 if at else 0, key) for at, key in enumerate(keys)]
    assert len(Signers(tuple(periods[:-1])).periods) == MOST_KEYS
    with pytest.raises(KeyHistoryError, match="too many"):
        Signers(tuple(periods))


def test_checkpoints_are_opened_with_the_key_that_may() -> None:
    for size in range(1, changed.SIZE + 1):
        root = changed.root(size)
        opened = open_checkpoint(changed.checkpoint(size), root, m.ORIGIN, SIGNERS)
        again = open_checkpoint(changed.checkpoint(size, m.THIRD), root, m.ORIGIN, SIGNERS)
        assert (opened.size, again.size) == (size, size)
    for size, key, end in ((7, m.BOX, 7), (9, m.BOX, 7), (9, m.SECOND, 9)):
        with pytest.raises(KeyEndedError) as ended:
            open_checkpoint(changed.checkpoint(size, key), changed.root(size), m.ORIGIN, SIGNERS)
        assert ended.value.fields == {"size": size, "end": end}
    with pytest.raises(SignatureError):
        open_checkpoint(changed.checkpoint(3, m.OTHER), changed.root(3), m.ORIGIN, SIGNERS)
