"""Our signatures and receipts before an implementation of RFC 9052, 9162 and 9942 that others wrote."""

import hashlib

import cbor2
import pytest
from scitt_cose import CoseError, merkle, verify_receipt, verify_sign1

from appliance.ledger.encoding import decode
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import consistency_proof, frontier_at, inclusion_proof
from tests.ledger.paper import BOX, HUB, HUB_NAME, ORIGIN, TIME_S, make_paper
from tests.ledger.test_merkle import LEAVES, NODE

SIZES = [(1, 0), (2, 1), (3, 1), (1_000, 999), (1_000_000, 654_321)]
# What RFC 9597 puts at label 15, and of its claims what RFC 8392 numbers 1, 2 and 6.
CWT_CLAIMS, ISS, SUB, IAT = 15, 1, 2, 6
SIZE = -65537
"""Our own claim, of the range for private use."""


def box_pem() -> bytes:
    return BOX.public.pem()


@pytest.mark.parametrize(("size", "index"), SIZES)
def test_a_checkpoint_verifies(size: int, index: int) -> None:
    paper = make_paper(size, index)
    found = verify_sign1(paper.checkpoint, public_key_pem=box_pem(), detached_payload=paper.root)
    assert found.protected[CWT_CLAIMS] == {ISS: ORIGIN, IAT: TIME_S, SIZE: size}
    assert found.unprotected == {}


@pytest.mark.parametrize(("size", "index"), SIZES)
def test_a_cosignature_verifies(size: int, index: int) -> None:
    paper = make_paper(size, index)
    found = verify_sign1(paper.cosignature, public_key_pem=HUB.public.pem(), detached_payload=paper.root)
    assert found.protected[CWT_CLAIMS] == {ISS: HUB_NAME, SUB: ORIGIN, IAT: TIME_S + 5, SIZE: size}


def test_the_bytes_are_those_that_the_rfcs_describe() -> None:
    # Put together by hand, so that it does not rest on an encoder that both sides share (RFC 8949 section 3).
    paper = make_paper(300, 7)
    origin, name = b"\x78\x1f" + ORIGIN.encode(), b"\x6b" + HUB_NAME.encode()
    size = b"\x3a\x00\x01\x00\x00" + b"\x19\x01\x2c"  # -65537: 300
    own = b"\xa3" + b"\x01" + origin + b"\x06\x1a" + TIME_S.to_bytes(4) + size
    hubs = b"\xa4" + b"\x01" + name + b"\x02" + origin + b"\x06\x1a" + (TIME_S + 5).to_bytes(4) + size
    for cose, key, claims in ((paper.checkpoint, BOX, own), (paper.cosignature, HUB, hubs)):
        alg, kid, vds = b"\x01\x26", b"\x04\x48" + key.public.key_id, b"\x19\x01\x8b\x01"
        protected = b"\xa4" + alg + kid + b"\x0f" + claims + vds
        # Tag 18, four parts: the protected header, an empty map, nil for the detached payload, r and s.
        assert cose[:-64] == b"\xd2\x84" + b"\x58" + bytes([len(protected)]) + protected + b"\xa0\xf6\x58\x40"


def test_neither_verifies_for_another_root_or_with_another_key() -> None:
    paper = make_paper()
    for cose, pem, root in (
        (paper.checkpoint, box_pem(), hashlib.sha256(paper.root).digest()),
        (paper.checkpoint, HUB.public.pem(), paper.root),
        (paper.cosignature, box_pem(), paper.root),
    ):
        with pytest.raises(CoseError):
            verify_sign1(cose, public_key_pem=pem, detached_payload=root)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize(("size", "index"), SIZES)
def test_a_receipt_verifies(size: int, index: int, confirmed: bool) -> None:
    paper = make_paper(size, index, confirmed=confirmed)
    entry, cose = decode(paper.receipt)
    found = verify_receipt(cose, leaf_entry_hex=entry.hex(), log_public_key_pem=box_pem())
    assert (found.ok, found.errors) == (True, [])
    assert (found.root, found.tree_size, found.leaf_index) == (paper.root.hex(), size, index)
    assert (found.issuer, found.subject, found.iat) == (ORIGIN, None, TIME_S)
    assert found.protected_header_ext == {4: BOX.public.key_id}


def test_a_receipt_carries_the_cosignature_that_a_peer_can_verify() -> None:
    paper = make_paper(1_000, 1)
    _, unprotected, _, _ = cbor2.loads(decode(paper.receipt)[1][1:])
    found = verify_sign1(unprotected[-65538], public_key_pem=HUB.public.pem(), detached_payload=paper.root)
    assert found.protected[CWT_CLAIMS][SUB] == ORIGIN


def test_a_peer_refuses_what_we_refuse() -> None:
    paper, other = make_paper(1_000, 7), make_paper(1_000, 8)
    entry, cose = decode(paper.receipt)
    for data, leaf, key in (
        (cose, other.entry, BOX),
        (cose, entry, SigningKey.make()),
        (decode(other.receipt)[1], entry, BOX),
        (cose[:-1] + bytes([cose[-1] ^ 1]), entry, BOX),
    ):
        found = verify_receipt(data, leaf_entry_hex=leaf.hex(), log_public_key_pem=key.public.pem())
        assert not found.ok


@pytest.mark.parametrize("size", [1, 2, 7, 64, 300])
def test_a_peer_makes_the_same_trees_and_proofs(size: int) -> None:
    entries = [number.to_bytes(2).hex() for number in range(size)]
    assert [merkle.leaf_hash(one) for one in entries] == [leaf.hex() for leaf in LEAVES[:size]]
    assert merkle.merkle_root(entries) == frontier_at(size, NODE).root().hex()
    for at in range(0, size, max(1, size // 9)):
        path = [one.hex() for one in inclusion_proof(at, size, NODE)]
        assert merkle.inclusion_proof(entries, at) == path
        path = [one.hex() for one in consistency_proof(at + 1, size, NODE)]
        assert merkle.consistency_proof(entries, at + 1, size) == path
