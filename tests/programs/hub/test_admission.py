"""Admitting schools, from the box's request to the box's own database."""

import dataclasses
from collections.abc import Callable

import pytest
from cryptography import x509

from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.succession import sign_succession
from appliance.ledger.verify import Batch, verify_batch
from appliance.programs.hub.admission import AdmittedBeforeError, NoNewGenerationError, admit
from appliance.programs.hub.authority import AuthorityError, make_key
from appliance.services.enrolment import (
    EnrolmentStore,
    ForeignBundleError,
    LineKeyError,
    accept_bundle,
    make_request,
)
from appliance.store.ledger import OwnLedger
from appliance.store.mirror import MirrorLedger
from appliance.sync.enrolment import EnrolmentBundle, EnrolmentRequest
from appliance.sync.wire import State
from tests.programs.hub.conftest import FoundedBox, FoundedHub

CODE, OTHER_CODE = "B113299900018", "C113299900028"
MakeBox = Callable[[str, str], FoundedBox]


def test_a_school_is_admitted_and_its_box_pins_the_hub(hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    bundle = hub.admit(box)
    assert (bundle.host, bundle.port, bundle.hub_name) == ("hub.example", 8884, "hub.test")
    certificate = x509.load_pem_x509_certificate(bundle.certificate.encode())
    assert certificate.subject.rfc4514_string() == f"CN={CODE}"
    store = EnrolmentStore(box.box.database)
    assert store.find() is None
    accept_bundle(box.box, box.line_key, bundle)
    assert store.find() == bundle
    mirror = MirrorLedger.find(hub.database, box.box.school.origin)
    assert mirror.public_key.key_id == box.device_key.public.key_id
    (overview,) = hub.registry.overview()
    assert (overview.code, overview.name, overview.online, overview.pending) == (CODE, "見本小学校", False, None)


def test_the_feed_begins_with_what_the_box_can_verify(hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    bundle = hub.admit(box)
    accept_bundle(box.box, box.line_key, bundle)
    feed = OwnLedger.find(hub.database, bundle.feed_origin)
    head = feed.head()
    assert head.checkpoint is not None
    mirror = MirrorLedger.find(box.box.database, bundle.feed_origin)
    empty = mirror.head()
    batch = Batch(bundle.feed_origin, 0, tuple(feed.items(0, head.size)), head.checkpoint)
    key = VerifyingKey.from_pem(bundle.feed_key.encode())
    verified = verify_batch(batch, mirror.origin, mirror.frontier(), empty.last_time_ms, key)
    assert [one.type for one in verified.entries] == [1, 64]


def test_asking_again_renews_the_certificate_and_nothing_else(hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    first = hub.admit(box)
    hub.clock.advance(60 * 86_400_000)
    second = hub.admit(box)
    assert second.certificate != first.certificate
    assert dataclasses.replace(second, certificate=first.certificate) == first
    assert OwnLedger.find(hub.database, first.feed_origin).head().size == 2
    (overview,) = hub.registry.overview()
    assert overview.certificate_until_ms - hub.clock.now_ms() == 90 * 86_400_000
    for bundle in (first, second):
        accept_bundle(box.box, box.line_key, bundle)
    assert EnrolmentStore(box.box.database).find() == second


def test_another_box_of_the_same_school_waits_for_a_person(hub: FoundedHub, make_box: MakeBox) -> None:
    hub.admit(make_box(CODE, "見本小学校"))
    with pytest.raises(AdmittedBeforeError) as other_key:
        hub.admit(make_box(CODE, "見本小学校"))
    assert other_key.value.fields["reason"] == "another device key"
    third = make_box(CODE, "見本小学校")
    request = dataclasses.replace(make_request(third.box, third.line_key), origin=f"madoguchi/1/{CODE}/box/2")
    with pytest.raises(AdmittedBeforeError) as other_ledger:
        admit(hub.settings, hub.database, hub.clock, request)
    assert other_ledger.value.fields["reason"] == "another ledger"


def test_a_restored_box_is_admitted_when_a_person_says_so(hub: FoundedHub, make_box: MakeBox) -> None:
    old, new = make_box(CODE, "見本小学校"), make_box(CODE, "見本小学校")
    second = dataclasses.replace(make_request(new.box, new.line_key), origin=f"madoguchi/1/{CODE}/box/2")

    def admit_new(request: EnrolmentRequest) -> EnrolmentBundle:
        return admit(hub.settings, hub.database, hub.clock, request, new_generation=True)

    with pytest.raises(NoNewGenerationError):  # nothing is known that it could follow
        admit_new(second)
    first = hub.admit(old)
    hub.registry.note_state(CODE, State(True, 7, 1, 0), 5)
    with pytest.raises(NoNewGenerationError) as same:
        admit_new(make_request(new.box, new.line_key))
    assert same.value.fields == {"school": CODE, "known": old.box.school.origin, "asked": old.box.school.origin}
    bundle = admit_new(second)
    assert bundle.feed_origin == first.feed_origin
    (overview,) = hub.registry.overview()
    assert (overview.mirrored, overview.pending, overview.refused_code) == (0, None, None)
    assert overview.earlier == ((old.box.school.origin, 0),)
    assert hub.registry.school(CODE).box_origin == second.origin
    assert MirrorLedger.find(hub.database, second.origin).public_key.key_id == new.device_key.public.key_id
    assert MirrorLedger.find(hub.database, old.box.school.origin).public_key.key_id == old.device_key.public.key_id
    assert admit(hub.settings, hub.database, hub.clock, second).feed_origin == bundle.feed_origin  # a renewal
    for request in (make_request(old.box, old.line_key), second):
        with pytest.raises(NoNewGenerationError):
            admit_new(request)
    with pytest.raises(AdmittedBeforeError):
        hub.admit(old)


def test_the_answer_has_the_key_of_backups_if_the_hub_has_one(hub: FoundedHub, make_box: MakeBox) -> None:
    public = hub.settings.hub.state_dir / "backup.pub"
    box = make_box(CODE, "見本小学校")
    assert hub.admit(box).backup_key == public.read_bytes()
    public.unlink()
    assert hub.admit(box).backup_key is None


def test_a_box_takes_only_its_own_answer(hub: FoundedHub, make_box: MakeBox) -> None:
    box, other = make_box(CODE, "見本小学校"), make_box(OTHER_CODE, "見本中学校")
    own, foreign = hub.admit(box), hub.admit(other)
    wrong = {
        "school": foreign,
        "line key": dataclasses.replace(own, certificate=foreign.certificate),
        "certificate": dataclasses.replace(own, certificate="nonsense"),
        "authority": dataclasses.replace(own, authority=own.certificate),
    }
    for reason, bundle in wrong.items():
        with pytest.raises(ForeignBundleError) as refused:
            accept_bundle(box.box, box.line_key, bundle)
        assert refused.value.fields["reason"] in {reason, "certificate"}
    assert EnrolmentStore(box.box.database).find() is None
    accept_bundle(box.box, box.line_key, own)
    swapped = dataclasses.replace(own, feed_key=other.device_key.public.pem().decode())
    with pytest.raises(ForeignBundleError) as refused:
        accept_bundle(box.box, box.line_key, swapped)
    assert refused.value.fields["reason"] == "feed key"
    assert EnrolmentStore(box.box.database).find() == own


def test_without_its_keys_nothing_works(hub: FoundedHub, make_box: MakeBox, monkeypatch: pytest.MonkeyPatch) -> None:
    box = make_box(CODE, "見本小学校")
    with pytest.raises(LineKeyError):
        make_request(box.box, b"nonsense")
    with pytest.raises(ForeignBundleError):
        accept_bundle(box.box, make_key(), hub.admit(box))
    (hub.settings.hub.state_dir / "ca.crt").unlink()
    with pytest.raises(AuthorityError):
        hub.admit(box)


def test_a_box_that_changed_its_key_is_renewed_and_an_old_key_is_not(hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    first = make_request(box.box, box.line_key)
    for _ in range(2):
        box.box.ledger.hand_over(SigningKey.make())
        hub.admit(box)
        assert MirrorLedger.find(hub.database, box.box.school.origin).keys == box.box.ledger.keys
    thief = SigningKey.make()
    fork = sign_succession(first.origin, 9, box.device_key, thief)
    pem = thief.public.pem().decode()
    stolen = dataclasses.replace(first, device_key=pem, first_key=first.device_key, successions=(fork,))
    for request in (first, stolen, dataclasses.replace(first, device_key=pem)):
        with pytest.raises(AdmittedBeforeError):
            admit(hub.settings, hub.database, hub.clock, request)
    assert MirrorLedger.find(hub.database, box.box.school.origin).keys == box.box.ledger.keys


def test_a_hub_that_never_knew_the_box_pins_its_whole_history(hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    for _ in range(2):
        box.box.ledger.hand_over(SigningKey.make())
    hub.admit(box)
    mirror, ledger = MirrorLedger.find(hub.database, box.box.school.origin), box.box.ledger
    assert mirror.keys == ledger.keys
    head = ledger.head()
    assert head.checkpoint is not None
    batch = Batch(ledger.origin, 0, tuple(ledger.items(0, head.size)), head.checkpoint)
    assert verify_batch(batch, ledger.origin, mirror.frontier(), 0, mirror.keys).frontier.size == head.size


def test_the_life_of_a_certificate_is_the_prefectures_choice(hub: FoundedHub, make_box: MakeBox) -> None:
    boxes = dataclasses.replace(hub.settings.boxes, certificate_days=30)
    hub.settings = dataclasses.replace(hub.settings, boxes=boxes)
    bundle = hub.admit(make_box(CODE, "見本小学校"))
    certificate = x509.load_pem_x509_certificate(bundle.certificate.encode())
    assert (certificate.not_valid_after_utc.timestamp() - hub.clock.now_ms() // 1000) == 30 * 86_400
