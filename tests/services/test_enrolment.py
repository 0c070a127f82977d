"""The box's side of an enrolment: what it asks, and what it takes for an answer."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from appliance.ledger.keys import SigningKey
from appliance.programs.hub.authority import Authority, make_key, pem
from appliance.services.enrolment import (
    EnrolmentStore,
    ForeignBundleError,
    LineKeyError,
    accept_bundle,
    make_request,
)
from appliance.services.opening import OpenBox, found_box
from appliance.store.mirror import MirrorLedger
from appliance.sync.enrolment import EnrolmentBundle
from tests.sim.clock import ManualClock

CODE = "B113299900018"
FEED = f"madoguchi/1/{CODE}/feed/1"
HUB = SigningKey.make().public.pem().decode()
LINE_KEY = make_key()
AUTHORITY = Authority.make("test", make_key(), datetime.now(UTC))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[OpenBox]:
    box = found_box(tmp_path, b"k" * 32, SigningKey.make(), ManualClock(), CODE, "見本小学校")
    with box.database:
        yield box


def answer(box: OpenBox) -> EnrolmentBundle:
    request = make_request(box, LINE_KEY)
    certificate = AUTHORITY.issue_client(request.school, request.certificate_request.encode(), datetime.now(UTC))
    return EnrolmentBundle(
        school=CODE,
        host="hub.example",
        port=8883,
        authority=pem(AUTHORITY.certificate).decode(),
        certificate=pem(certificate).decode(),
        hub_name="hub",
        hub_key=HUB,
        evidence_key=b"evidence",
        feed_origin=FEED,
        feed_key=HUB,
    )


def test_a_request_says_who_asks_and_proves_the_lines_key(box: OpenBox) -> None:
    request = make_request(box, LINE_KEY)
    assert (request.school, request.name, request.origin) == (CODE, "見本小学校", box.school.origin)
    assert request.device_key.encode() == box.ledger.public_key.pem()
    signed = x509.load_pem_x509_csr(request.certificate_request.encode())
    assert signed.is_signature_valid
    assert b"PRIVATE" not in request.to_json()


def test_an_answer_is_kept_and_the_feed_pinned(box: OpenBox) -> None:
    store = EnrolmentStore(box.database)
    assert store.find() is None
    bundle = answer(box)
    accept_bundle(box, LINE_KEY, bundle)
    assert store.find() == bundle
    assert MirrorLedger.find(box.database, FEED).public_key.pem().decode() == HUB
    renewed = answer(box)
    accept_bundle(box, LINE_KEY, renewed)
    assert store.find() == renewed != bundle


def test_an_answer_that_is_not_for_this_box_changes_nothing(box: OpenBox) -> None:
    good, other_authority = answer(box), Authority.make("other", make_key(), datetime.now(UTC))
    wrong = [
        ("school", dataclasses.replace(good, school="C113299900028")),
        ("certificate", dataclasses.replace(good, certificate="nonsense")),
        ("authority", dataclasses.replace(good, authority=good.certificate)),
        ("authority", dataclasses.replace(good, authority=pem(other_authority.certificate).decode())),
    ]
    for reason, bundle in wrong:
        with pytest.raises(ForeignBundleError) as refused:
            accept_bundle(box, LINE_KEY, bundle)
        assert refused.value.fields["reason"] in (reason, "certificate")
    with pytest.raises(ForeignBundleError) as refused:
        accept_bundle(box, make_key(), good)
    assert refused.value.fields["reason"] == "line key"
    assert EnrolmentStore(box.database).find() is None


def test_a_known_feed_keeps_its_key(box: OpenBox) -> None:
    good = answer(box)
    accept_bundle(box, LINE_KEY, good)
    with pytest.raises(ForeignBundleError) as refused:
        accept_bundle(box, LINE_KEY, dataclasses.replace(good, feed_key=SigningKey.make().public.pem().decode()))
    assert refused.value.fields["reason"] == "feed key"
    assert EnrolmentStore(box.database).find() == good


@pytest.mark.parametrize("key", [b"", b"nonsense", HUB.encode()])
def test_a_broken_line_key_is_named(box: OpenBox, key: bytes) -> None:
    with pytest.raises(LineKeyError):
        make_request(box, key)
