"""A key hands its ledger over to the next one, and nobody else can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import ALG, KID, SIGN1_TAG, open_checkpoint, open_cosignature, signature_input
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import Body
from appliance.ledger.generation import Told
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.signers import KeyHistoryError, Signers, SigningPeriod
from appliance.ledger.succession import (
    COUNTERSIGNATURE,
    SUCCESSION_TYPE,
    TYP,
    SuccessionError,
    chain_of,
    check_chain,
    check_change,
    check_changes,
    follow,
    leading_on,
    open_succession,
    sign_succession,
)
from tests.ledger import changed
from tests.ledger import material as m

FIRST = SigningPeriod(0, m.BOX.public)
ALONE = Signers((FIRST,))
GOOD = changed.TO_SECOND
CHAIN = [changed.TO_SECOND, changed.TO_THIRD]


def test_the_chain_leads_from_the_first_key_to_the_last() -> None:
    assert open_succession(GOOD, m.ORIGIN, FIRST) == changed.SIGNERS.periods[1]
    assert follow(ALONE, CHAIN, m.ORIGIN) == changed.SIGNERS
    assert chain_of(changed.SIGNERS) == CHAIN
    check_chain(changed.SIGNERS, m.ORIGIN)
    check_chain(ALONE, m.ORIGIN)


def test_what_is_known_is_passed_over() -> None:
    once = follow(ALONE, CHAIN[:1], m.ORIGIN)
    assert follow(once, CHAIN, m.ORIGIN) == follow(changed.SIGNERS, CHAIN, m.ORIGIN) == changed.SIGNERS


def later(generation: int) -> str:
    return f"{m.ORIGIN.rpartition('/')[0]}/{generation}"


def test_it_leads_on_through_later_generations_and_past_what_is_forged() -> None:
    one, two = Told(m.ORIGIN, changed.TO_SECOND), Told(later(3), sign_succession(later(3), 3, m.SECOND, m.THIRD))
    forged = [
        Told(m.ORIGIN, sign_succession(m.ORIGIN, 9, m.OTHER, m.THIRD)),
        Told(later(2), sign_succession(later(3), 9, m.BOX, m.THIRD)),
        Told(m.OTHER_ORIGIN, sign_succession(m.OTHER_ORIGIN, 9, m.BOX, m.THIRD)),
        Told(m.ORIGIN, b"no succession"),
    ]
    way = list(leading_on(m.ORIGIN, FIRST, [*forged, one, *forged, two, one]))
    assert [told for told, _ in way] == [one, two]
    assert [(period.size, period.key) for _, period in way] == [(7, m.SECOND.public), (3, m.THIRD.public)]
    assert list(leading_on(m.ORIGIN, FIRST, [two])) == []
    assert list(leading_on(later(2), FIRST, [one])) == []  # of an earlier generation, so it is known or void


@pytest.mark.parametrize(
    ("chain", "error"),
    [
        (CHAIN[1:], SuccessionError),  # a link is missing
        (CHAIN[::-1], SuccessionError),
        ([sign_succession(m.ORIGIN, 7, m.OTHER, m.SECOND)], SuccessionError),
        ([sign_succession(m.OTHER_ORIGIN, 7, m.BOX, m.SECOND)], SuccessionError),
        ([sign_succession(m.ORIGIN, 2, m.BOX, m.SECOND)], SuccessionError),
        ([GOOD, sign_succession(m.ORIGIN, 7, m.SECOND, m.THIRD)], SuccessionError),  # not later than the one before
        ([GOOD, sign_succession(m.ORIGIN, 6, m.BOX, m.THIRD)], SuccessionError),  # a second one of the old key
        ([GOOD, sign_succession(m.ORIGIN, 9, m.BOX, m.THIRD)], SuccessionError),
        ([GOOD, sign_succession(m.ORIGIN, 9, m.SECOND, m.BOX)], KeyHistoryError),  # back again
    ],
)
def test_no_other_chain_is_followed(chain: list[bytes], error: type[UntrustedError]) -> None:
    with pytest.raises(error):
        follow(ALONE, chain, m.ORIGIN)


def bent(**change: object) -> bytes:
    protected, unprotected, payload, signature = decode(GOOD[1:])
    parts = {"protected": protected, "unprotected": unprotected, "payload": payload, "signature": signature}
    return SIGN1_TAG + encode(list((parts | change).values()))


def signed(
    header: dict[int, object], told: object, *, by: SigningKey = m.BOX, possession: bytes | None = None
) -> bytes:
    """What a box could sign that means something else, or says more or less."""
    protected, payload = encode(header), encode(told)
    signature = by.sign(encode(["Signature1", protected, b"", payload]))
    counter = m.SECOND.sign(encode(["CounterSignature0V2", protected, b"", payload, [signature]]))
    return SIGN1_TAG + encode([protected, {COUNTERSIGNATURE: possession or counter}, payload, signature])


HEADER: dict[int, object] = {ALG: -7, KID: m.BOX.public.key_id, TYP: SUCCESSION_TYPE}
TOLD: dict[str, object] = {"origin": m.ORIGIN, "size": 7, "key": m.SECOND.public.spki}


def test_the_form_is_the_documented_one() -> None:
    assert signed(HEADER, TOLD) == GOOD


@pytest.mark.parametrize(
    "cose",
    [
        b"",
        GOOD[1:],
        GOOD + b"\0",
        GOOD[:-1],
        bent(payload=None),
        bent(unprotected={}),
        bent(unprotected={COUNTERSIGNATURE: b"s" * 64, 4: b""}),
        bent(unprotected={COUNTERSIGNATURE: None}),
        bent(unprotected={COUNTERSIGNATURE: m.SECOND.sign(b"something else")}),
        bent(unprotected={COUNTERSIGNATURE: b"s"}),
        bent(signature=m.BOX.sign(b"something else")),
        bent(signature=b""),
        bent(protected=b""),
        signed(HEADER | {TYP: "application/cose"}, TOLD),
        signed(HEADER | {ALG: -8}, TOLD),
        signed(HEADER | {395: 1}, TOLD),
        signed(HEADER | {KID: m.SECOND.public.key_id}, TOLD),
        signed(HEADER, TOLD, by=m.SECOND),
        signed(HEADER, TOLD | {"more": 1}),
        signed(HEADER, TOLD | {"size": True}),
        signed(HEADER, TOLD | {"size": -7}),
        signed(HEADER, TOLD | {"key": b"no key"}),
        signed(HEADER, TOLD | {"key": m.OTHER.public.spki}),  # who signs for it does not hold it
        signed(HEADER, TOLD | {"origin": m.OTHER_ORIGIN}),
        signed(HEADER, [m.ORIGIN, 7, m.SECOND.public.spki]),
        m.checkpoint(3),
        m.cosignature(3),
    ],
)
def test_anything_else_is_refused(cose: bytes) -> None:
    with pytest.raises((SuccessionError, SignatureError)):
        open_succession(cose, m.ORIGIN, FIRST)


@given(st.integers(0, 8 * len(GOOD) - 1))
def test_no_flipped_bit_passes(at: int) -> None:
    flipped = bytearray(GOOD)
    flipped[at >> 3] ^= 1 << (at & 7)
    with pytest.raises(UntrustedError):
        open_succession(bytes(flipped), m.ORIGIN, FIRST)


@given(st.binary(max_size=300))
def test_bytes_are_no_succession(data: bytes) -> None:
    for start in (b"", SIGN1_TAG):
        with pytest.raises(UntrustedError):
            follow(ALONE, [start + data], m.ORIGIN)


def test_it_passes_for_nothing_else() -> None:
    for root in (m.root(7), decode(GOOD[1:])[2]):
        for open_it in (open_checkpoint, open_cosignature):
            with pytest.raises(UntrustedError):
                open_it(GOOD, root, m.ORIGIN, m.BOX.public)
    assert signature_input(b"", b"") != encode(["CounterSignature0V2", b"", b"", b"", [b""]])


def test_the_entries_tell_of_exactly_the_changes() -> None:
    check_changes([5, 7], changed.SIGNERS, 0, 9)
    check_changes([5], changed.SIGNERS, 3, 7)
    check_changes([], changed.SIGNERS, 0, 5)
    check_changes([], ALONE, 0, 9)
    for places, first, size, wrong in (
        ([5], 0, 9, 7),
        ([7], 0, 8, 5),
        ([6, 7], 0, 9, 5),
        ([3], 0, 5, 3),
        ([], 7, 8, 7),
    ):
        with pytest.raises(KeyHistoryError) as refused:
            check_changes(places, changed.SIGNERS, first, size)
        assert refused.value.fields["index"] == wrong


def test_a_stored_history_must_be_the_chain() -> None:
    first, second, third = changed.SIGNERS.periods
    for periods in (
        (first, SigningPeriod(7, m.SECOND.public, b""), third),
        (first, SigningPeriod(7, m.OTHER.public, second.succession), third),
        (first, SigningPeriod(6, m.SECOND.public, second.succession), third),
        (first, SigningPeriod(9, m.THIRD.public, third.succession)),
    ):
        with pytest.raises(UntrustedError):
            check_chain(Signers(periods), m.ORIGIN)
    with pytest.raises(UntrustedError):
        check_chain(changed.SIGNERS, m.OTHER_ORIGIN)


SAID = changed.CHANGES[changed.FIRST_CHANGE].content()


def tell(content: dict[str, object], index: int = changed.FIRST_CHANGE) -> None:
    check_change(Body.of(content, bytes(16)), index, changed.SIGNERS, m.ORIGIN)


def test_the_body_of_a_change_tells_what_the_history_has_there() -> None:
    tell(SAID)
    tell(changed.CHANGES[changed.SECOND_CHANGE].content(), changed.SECOND_CHANGE)
    tell(SAID | {"succession": sign_succession(m.ORIGIN, 7, m.BOX, m.SECOND)})  # signed again: it says the same
    check_change(None, changed.FIRST_CHANGE, changed.SIGNERS, m.ORIGIN)


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({}, KeyHistoryError),
        (SAID | {"more": 0}, KeyHistoryError),
        (SAID | {"previous": m.OTHER.public.key_id}, KeyHistoryError),
        (SAID | {"key_id": m.THIRD.public.key_id}, KeyHistoryError),
        (SAID | {"succession": "text"}, KeyHistoryError),
        (SAID | {"succession": sign_succession(m.ORIGIN, 8, m.BOX, m.SECOND)}, KeyHistoryError),
        (SAID | {"succession": sign_succession(m.ORIGIN, 7, m.BOX, m.THIRD)}, KeyHistoryError),
        (SAID | {"succession": sign_succession(m.OTHER_ORIGIN, 7, m.BOX, m.SECOND)}, SuccessionError),
        (SAID | {"succession": b""}, SuccessionError),
    ],
)
def test_a_body_that_tells_of_another_change_is_refused(told: dict[str, object], error: type[UntrustedError]) -> None:
    with pytest.raises(error):
        tell(told)
    with pytest.raises(KeyHistoryError):
        tell(SAID, changed.SECOND_CHANGE)
    with pytest.raises(KeyHistoryError):
        tell(SAID, 3)
    with pytest.raises(KeyHistoryError):
        check_change(Body(bytes(16), b"\x80"), changed.FIRST_CHANGE, changed.SIGNERS, m.ORIGIN)
