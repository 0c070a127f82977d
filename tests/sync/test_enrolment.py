"""The two enrolment documents: exact both ways, and every part that is wrong is named."""

import dataclasses
import json
from typing import Any

import pytest

from appliance.ledger.keys import SigningKey
from appliance.ledger.succession import sign_succession
from appliance.sync.enrolment import DocumentError, EnrolmentBundle, EnrolmentRequest
from tests.sync.memory import ORIGIN, SCHOOL

KEY = SigningKey.make().public.pem().decode()
REQUEST = EnrolmentRequest(SCHOOL, "見本小学校", ORIGIN, KEY, "-----BEGIN CERTIFICATE REQUEST-----")
BUNDLE = EnrolmentBundle(
    school=SCHOOL,
    host="hub.example",
    port=8883,
    authority="-----BEGIN CERTIFICATE-----",
    certificate="-----BEGIN CERTIFICATE-----",
    hub_name="hub",
    hub_key=KEY,
    evidence_key=bytes(range(256)),
    feed_origin=ORIGIN.replace("box", "feed"),
    feed_key=KEY,
)


def test_both_come_back_exactly() -> None:
    assert EnrolmentRequest.from_json(REQUEST.to_json()) == REQUEST
    assert EnrolmentBundle.from_json(BUNDLE.to_json()) == BUNDLE


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("form", "other", "form"),
        ("school", "B1132999000/8", "school"),
        ("school", "hub", "school"),
        ("school", None, "school"),
        ("name", " ", "name"),
        ("origin", ORIGIN.replace("18/", "19/"), "origin"),
        ("origin", ORIGIN + "/#", "origin"),
        ("origin", ORIGIN.replace("box", "feed"), "origin"),
        ("device_key", "no key", "device_key"),
        ("certificate_request", 1, "certificate_request"),
    ],
)
def test_a_wrong_part_of_a_request_is_named(path: str, value: object, field: str) -> None:
    document = json.loads(REQUEST.to_json())
    document[path] = value
    with pytest.raises(DocumentError) as wrong:
        EnrolmentRequest.from_json(json.dumps(document).encode())
    assert wrong.value.fields["field"] == field


@pytest.mark.parametrize(
    ("part", "key", "value", "field"),
    [
        ("broker", "port", 0, "broker.port"),
        ("broker", "port", True, "broker.port"),
        ("broker", "host", "", "host"),
        ("hub", "key", "x", "key"),
        ("feed", "origin", ORIGIN, "origin"),
    ],
)
def test_a_wrong_part_of_a_bundle_is_named(part: str, key: str, value: object, field: str) -> None:
    document = json.loads(BUNDLE.to_json())
    document[part][key] = value
    with pytest.raises(DocumentError) as wrong:
        EnrolmentBundle.from_json(json.dumps(document).encode())
    assert wrong.value.fields["field"] == field


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"null", b'{"form": 1}', b"[" * 100_000])
def test_other_files_are_no_documents(data: bytes) -> None:
    for document in (EnrolmentRequest, EnrolmentBundle):
        with pytest.raises(DocumentError):
            document.from_json(data)
    broken = json.loads(BUNDLE.to_json())
    for evidence_key in ("%%%", "日本"):
        broken["evidence_key"] = evidence_key
        with pytest.raises(DocumentError):
            EnrolmentBundle.from_json(json.dumps(broken).encode())


def test_the_key_of_backups_may_be_missing_in_the_answer_of_an_older_hub() -> None:
    with_key = dataclasses.replace(BUNDLE, backup_key=bytes(range(99)))
    assert EnrolmentBundle.from_json(with_key.to_json()) == with_key
    assert b"backup_key" not in BUNDLE.to_json()
    broken = {**json.loads(with_key.to_json()), "backup_key": "%%%"}
    with pytest.raises(DocumentError) as refused:
        EnrolmentBundle.from_json(json.dumps(broken).encode())
    assert refused.value.fields == {"field": "backup_key"}


SECOND, THIRD = SigningKey.make(), SigningKey.make()
FIRST = SigningKey.make()
CHAIN = (sign_succession(ORIGIN, 7, FIRST, SECOND), sign_succession(ORIGIN, 9, SECOND, THIRD))
CHANGED = dataclasses.replace(
    REQUEST,
    device_key=THIRD.public.pem().decode(),
    first_key=FIRST.public.pem().decode(),
    successions=CHAIN,
)


def test_a_box_whose_key_was_changed_tells_of_all_its_keys() -> None:
    assert EnrolmentRequest.from_json(CHANGED.to_json()) == CHANGED
    assert [one.key for one in CHANGED.signers().periods] == [FIRST.public, SECOND.public, THIRD.public]
    assert b"history" not in REQUEST.to_json()
    assert REQUEST.signers().newest.key.pem().decode() == KEY


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"successions": CHAIN[:1]}, "history"),
        ({"successions": CHAIN[1:]}, "history"),
        ({"successions": (CHAIN[0][:-1], CHAIN[1])}, "history"),
        ({"successions": CHAIN * 64}, "successions"),
        ({"device_key": KEY}, "history"),
        ({"first_key": KEY}, "history"),
        ({"first_key": "no key"}, "first_key"),
        ({"origin": f"{ORIGIN}2"}, "history"),
    ],
)
def test_keys_that_do_not_follow_are_no_request(change: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as wrong:
        EnrolmentRequest.from_json(dataclasses.replace(CHANGED, **change).to_json())
    assert wrong.value.fields["field"] == field


@pytest.mark.parametrize("history", [None, [], {}, {"first_key": KEY}, {"first_key": KEY, "successions": [1]}])
def test_another_form_of_the_history_is_refused(history: object) -> None:
    document = {**json.loads(CHANGED.to_json()), "history": history}
    with pytest.raises(DocumentError):
        EnrolmentRequest.from_json(json.dumps(document).encode())
