"""A certificate that is renewed: when, and what a box does not take. The hub is a real one, without its processes."""

from appliance.ledger.keys import SigningKey
from appliance.services.renewal import term_of
from appliance.sync.enrolment import EnrolmentBundle


def test_without_a_certificate_nothing_is_due() -> None:
    pem = SigningKey.make().public.pem().decode()
    feed = "madoguchi/1/B113299900018/feed/1"
    bundle = EnrolmentBundle("B113299900018", "localhost", 8883, "-", "-", "hub.test", pem, b"", feed, pem)
    assert term_of(bundle) is None
