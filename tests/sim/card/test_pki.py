"""What the look-alike certificates say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.sim.card.hierarchy import ANCHORS, Blank, CardFile, Hierarchy
from tests.sim.card.pki import Issued, KeyType, Person, PrivateKey, Use, Wish, issue_root, key_usage, make_key

Keys = tuple[PrivateKey, PrivateKey]


@pytest.fixture
def blank(hierarchy: Hierarchy, card_keys: Keys) -> Blank:
    return hierarchy.make_blank(card_keys)


def policies(certificate: x509.Certificate) -> list[str]:
    said = certificate.extensions.get_extension_for_class(x509.CertificatePolicies)
    assert said.critical
    return [policy.policy_identifier.dotted_string for policy in said.value]


def usage(certificate: x509.Certificate) -> x509.KeyUsage:
    said = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert said.critical
    return said.value


@pytest.mark.parametrize("use", Use)
def test_issuers_look_like_the_real_ones_but_say_test(hierarchy: Hierarchy, use: Use) -> None:
    unit = {Use.AUTHENTICATION: "JPKI for user authentication", Use.SIGNATURE: "JPKI for digital signature"}[use]
    names = {root.certificate.subject for (of, _), root in hierarchy.roots.items() if of is use}
    assert [name.rfc4514_string() for name in names] == [
        f"OU=Japan Agency for Local Authority Information Systems,OU={unit},O=JPKI-TEST,C=JP"
    ]
    keys = {root.der for (of, _), root in hierarchy.roots.items() if of is use}
    assert len(keys) == 3  # one name, three generations


def test_an_authentication_certificate_names_nobody(blank: Blank, hierarchy: Hierarchy) -> None:
    leaf = blank.authentication.certificate
    assert [attribute.oid.dotted_string for attribute in leaf.subject] == ["2.5.4.6", "2.5.4.3"]
    assert leaf.subject.rfc4514_string().endswith(",C=JP")
    assert policies(leaf) == ["1.2.392.200149.8.5.1.3.30"]
    assert usage(leaf) == key_usage("digital_signature")
    leaf.verify_directly_issued_by(hierarchy.roots[Use.AUTHENTICATION, 3].certificate)
    with pytest.raises(x509.ExtensionNotFound):
        leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_signature_certificate_says_who_it_is(hierarchy: Hierarchy, card_keys: Keys) -> None:
    person = Person(name="髙田 恵", sex="2", birth="419900203", address="見本県例示市架空町9番")
    leaf = hierarchy.make_blank(card_keys, signature=Wish(person=person)).signature
    assert leaf is not None
    names = leaf.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    said = {name.type_id.dotted_string: name.value for name in names if isinstance(name, x509.OtherName)}
    assert sorted(said) == [f"1.2.392.200149.8.5.5.{number}" for number in range(1, 7)]
    utf8 = person.name.encode()
    assert said["1.2.392.200149.8.5.5.1"] == bytes([0x0C, len(utf8)]) + utf8
    assert said["1.2.392.200149.8.5.5.4"][2:] == b"419900203"
    assert policies(leaf.certificate) == ["1.2.392.200149.8.5.1.1.20"]
    assert usage(leaf.certificate) == key_usage("digital_signature", "content_commitment")


def test_serial_numbers_are_large_and_differ(hierarchy: Hierarchy, card_keys: Keys) -> None:
    serials = {hierarchy.make_blank(card_keys).authentication.certificate.serial_number for _ in range(5)}
    assert len(serials) == 5
    assert all(2**126 <= serial < 2**127 for serial in serials)


class TestWishes:
    def leaf(self, hierarchy: Hierarchy, keys: Keys, wish: Wish) -> x509.Certificate:
        return hierarchy.issue(Use.AUTHENTICATION, keys[0], wish=wish).certificate

    def test_expired_and_not_yet_valid(self, hierarchy: Hierarchy, card_keys: Keys) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        past, future = now - timedelta(days=1), now + timedelta(days=1)
        expired = self.leaf(hierarchy, card_keys, Wish(not_after=past))
        early = self.leaf(hierarchy, card_keys, Wish(not_before=future))
        assert (expired.not_valid_after_utc, early.not_valid_before_utc) == (past, future)

    def test_wrong_policy_and_key_usage(self, hierarchy: Hierarchy, card_keys: Keys) -> None:
        wish = Wish(policy="1.2.392.200149.8.5.1.1.20", key_usage=key_usage("key_encipherment"))
        leaf = self.leaf(hierarchy, card_keys, wish)
        assert policies(leaf) == ["1.2.392.200149.8.5.1.1.20"]
        assert usage(leaf) == key_usage("key_encipherment")
        with pytest.raises(ValueError, match="no such key usage: signing"):
            key_usage("signing")

    def test_another_root_of_the_same_name(self, hierarchy: Hierarchy, stranger: Hierarchy, card_keys: Keys) -> None:
        leaf = stranger.issue(Use.AUTHENTICATION, card_keys[0]).certificate
        root = hierarchy.roots[Use.AUTHENTICATION, 3].certificate
        assert leaf.issuer == root.subject
        with pytest.raises(InvalidSignature):
            leaf.verify_directly_issued_by(root)

    @pytest.mark.parametrize("length", [1453, 0x600 + 4 + 0xFD, 0x600 + 4 + 0xFE, 0x600 + 4 + 0xFF, 3000])
    def test_any_length(self, hierarchy: Hierarchy, card_keys: Keys, length: int) -> None:
        issued = hierarchy.issue(Use.AUTHENTICATION, card_keys[0], wish=Wish(der_length=length))
        assert len(issued.der) == length
        issued.certificate.verify_directly_issued_by(hierarchy.roots[Use.AUTHENTICATION, 3].certificate)

    def test_too_short_a_length(self, hierarchy: Hierarchy, card_keys: Keys) -> None:
        with pytest.raises(ValueError, match="a certificate of 500 bytes cannot be made"):
            hierarchy.issue(Use.AUTHENTICATION, card_keys[0], wish=Wish(der_length=500))

    def test_a_chosen_serial_and_subject(self, hierarchy: Hierarchy, card_keys: Keys) -> None:
        leaf = self.leaf(hierarchy, card_keys, Wish(common_name="SAMEHOLDER", serial=7))
        assert (leaf.subject.rfc4514_string(), leaf.serial_number) == ("CN=SAMEHOLDER,C=JP", 7)


@pytest.mark.parametrize(
    ("kind", "of"), [(KeyType.RSA_2048, rsa.RSAPrivateKey), (KeyType.P_384, ec.EllipticCurvePrivateKey)]
)
def test_key_types(kind: KeyType, of: type) -> None:
    key = make_key(kind)
    assert isinstance(key, of)
    assert key.key_size == {KeyType.RSA_2048: 2048, KeyType.P_384: 384}[kind]


class TestDirectory:
    def test_the_second_time_it_is_the_same(self, tmp_path: Path) -> None:
        first = Hierarchy.load_or_make(tmp_path / "roots")
        second = Hierarchy.load_or_make(tmp_path / "roots")
        assert first.anchors_pem() == second.anchors_pem() == (tmp_path / "roots" / ANCHORS).read_bytes()
        assert [path.name for path in tmp_path.iterdir()] == ["roots"]

    def test_anchors_of_one_use(self, hierarchy: Hierarchy) -> None:
        anchors = x509.load_pem_x509_certificates(hierarchy.anchors_pem(Use.AUTHENTICATION))
        assert len(anchors) == 3
        assert {anchor.subject for anchor in anchors} == {anchors[0].subject}
        assert len(x509.load_pem_x509_certificates(hierarchy.anchors_pem())) == 6

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="no hierarchy"):
            Hierarchy.load(tmp_path)

    def test_keys_are_their_owners_alone(self, tmp_path: Path) -> None:
        issue_root(Use.AUTHENTICATION, KeyType.P_384).save(tmp_path, "one")
        assert (tmp_path / "one.key").stat().st_mode & 0o777 == 0o600
        assert isinstance(Issued.load(tmp_path, "one").key, ec.EllipticCurvePrivateKey)

    @pytest.mark.parametrize("with_signature", [True, False])
    def test_a_card_comes_back_as_it_was(
        self, hierarchy: Hierarchy, card_keys: Keys, tmp_path: Path, with_signature: bool
    ) -> None:
        blank = hierarchy.make_blank(card_keys, with_signature=with_signature)
        saved = CardFile(blank, Person(name="見本 太郎"), pin="4321", pin_tries=2, pin_locked=True)
        saved.save(tmp_path / "one")
        loaded = CardFile.load(tmp_path / "one")
        card = loaded.make_card()
        assert loaded.person == saved.person
        assert card.contents == saved.make_card().contents
        assert (card.pin, card.pin_tries, card.pin_locked) == ("4321", 2, True)
