import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.trust.anchors import AnchorFileError, key_id_of, named, parse_anchors
from tests.fuzz import der
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Use


def test_all_certificates_of_a_file_are_taken(hierarchy: Hierarchy) -> None:
    anchors = parse_anchors(hierarchy.anchors_pem())
    assert len(anchors) == len(hierarchy.roots)
    assert len({one.key_id for one in anchors}) == len(anchors)


def test_one_certificate_in_der(hierarchy: Hierarchy) -> None:
    root = hierarchy.roots[Use.AUTHENTICATION, 3]
    (anchor,) = parse_anchors(root.der)
    assert anchor.certificate == root.certificate


def test_the_key_id_is_the_digest_of_the_key(hierarchy: Hierarchy) -> None:
    root = hierarchy.roots[Use.AUTHENTICATION, 3]
    spki = root.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key_id_of(root.certificate) == hashlib.sha256(spki).digest()


def test_generations_share_a_name_and_not_a_key(hierarchy: Hierarchy) -> None:
    anchors = parse_anchors(hierarchy.anchors_pem(Use.AUTHENTICATION))
    assert named(anchors, anchors[0].certificate.subject) == list(anchors)


def test_the_look_alike_is_recognised(hierarchy: Hierarchy) -> None:
    assert all(one.is_test for one in parse_anchors(hierarchy.anchors_pem()))


def test_a_root_whose_name_cannot_be_read_is_refused_at_once(hierarchy: Hierarchy) -> None:
    whole = der.read(hierarchy.roots[Use.AUTHENTICATION, 3].der)
    assert whole is not None
    assert isinstance(whole[0].inside, list)
    body = whole[0].inside[0].inside
    assert isinstance(body, list)
    body[5].inside = b"\x05\x00"  # the subject: after version, serial number, algorithm, issuer and validity
    with pytest.raises(AnchorFileError):
        parse_anchors(der.write(whole))


@pytest.mark.parametrize("data", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(AnchorFileError):
        parse_anchors(data)
