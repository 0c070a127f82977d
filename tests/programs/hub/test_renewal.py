"""A box and its hub renew the certificate of the line, message by message."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from appliance.log import EventLog
from appliance.programs.hub.authority import CLIENT_DAYS, Authority, make_key, pem
from appliance.programs.hub.renewal import LEAST_MS, Renewals
from appliance.programs.hub.revocation import Revocations
from appliance.programs.syncd.renewing import AGAIN_MS, Renewing
from appliance.services.enrolment import EnrolmentStore, ForeignBundleError
from appliance.services.renewal import accept_certificate, renewal_request, term_of
from appliance.sync.enrolment import EnrolmentBundle
from appliance.sync.renewal import RenewalAnswer, RenewalRequest
from tests.programs.hub.conftest import FoundedBox, FoundedHub
from tests.sim.clock import ManualClock
from tests.sim.prefecture import Prefecture, until

CODE = "B113299900018"
DAY_MS = 86_400_000


class Talk:
    """An enrolled box that renews, and its hub; both live by clocks that are advanced together."""

    def __init__(self, hub: FoundedHub, box: FoundedBox, bundle: EnrolmentBundle) -> None:
        self.hub, self.box, self.bundle = hub, box, bundle
        self.sent: list[RenewalRequest] = []
        self.renewals = Renewals(hub.settings, hub.database, hub.clock)
        self.renewing = Renewing(box.box, bundle, publish=self._take, log=EventLog("syncd"))

    def _take(self, request: RenewalRequest) -> bool:
        self.sent.append(request)
        return True

    def after(self, ms: int) -> int:
        """Time goes by; how often the box has asked meanwhile."""
        clock = self.box.box.clock
        assert isinstance(clock, ManualClock)
        clock.advance(ms)
        self.hub.clock.advance(ms)
        before = len(self.sent)
        for _ in range(3):
            self.renewing.look(connected=True)
        return len(self.sent) - before

    @property
    def kept(self) -> EnrolmentBundle | None:
        return EnrolmentStore(self.box.box.database).find()


@pytest.fixture
def talk(hub: FoundedHub, make_box: Callable[[str, str], FoundedBox], monkeypatch: pytest.MonkeyPatch) -> Talk:
    box = make_box(CODE, "架空小学校")
    bundle = hub.admit(box)
    EnrolmentStore(box.box.database).write(bundle, 1)
    monkeypatch.setattr("appliance.programs.syncd.renewing.read_credential", lambda _: box.line_key)
    return Talk(hub, box, bundle)


def test_it_asks_at_two_thirds_and_again_until_it_is_answered(talk: Talk) -> None:
    term = term_of(talk.bundle)
    assert term is not None
    assert 59 < (term.due_ms - talk.hub.clock.now_ms()) / DAY_MS < 60
    assert 89 < (term.until_ms - talk.hub.clock.now_ms()) / DAY_MS <= 90
    assert talk.after(59 * DAY_MS) == 0
    assert talk.after(DAY_MS) == 1
    assert talk.after(AGAIN_MS // 2) == 0
    assert talk.after(AGAIN_MS) == 1
    talk.renewing.receive(RenewalAnswer(b"", "hub.authority"))
    assert talk.kept == talk.bundle
    assert talk.after(AGAIN_MS) == 1


def test_a_box_that_is_offline_does_not_ask(talk: Talk) -> None:
    talk.after(10 * DAY_MS)
    clock = talk.box.box.clock
    assert isinstance(clock, ManualClock)
    clock.advance(70 * DAY_MS)
    talk.renewing.look(connected=False)
    assert talk.sent == []


def test_the_new_certificate_is_kept_and_nothing_else_changes(talk: Talk) -> None:
    talk.after(61 * DAY_MS)
    answer = talk.renewals(CODE, talk.sent[0])
    talk.renewing.receive(answer)
    kept = talk.kept
    assert kept is not None
    assert kept.certificate.encode() == answer.certificate
    assert (kept.authority, kept.hub_key, kept.host) == (
        talk.bundle.authority,
        talk.bundle.hub_key,
        talk.bundle.host,
    )
    (school,) = talk.hub.registry.overview()
    assert school.certificate_until_ms // 1000 == (talk.hub.clock.now_ms() + CLIENT_DAYS * DAY_MS) // 1000
    assert Revocations(talk.hub.database).revoke(CODE, "lost", talk.hub.clock.now_ms()) == 2


def test_one_that_was_not_asked_for_is_nothing(talk: Talk) -> None:
    talk.hub.clock.advance(30 * DAY_MS)
    request = RenewalRequest(renewal_request(talk.box.box, talk.box.line_key))
    talk.renewing.receive(talk.renewals(CODE, request))
    assert talk.kept == talk.bundle


def test_the_hub_refuses_the_revoked_the_hasty_and_nonsense(talk: Talk) -> None:
    talk.after(61 * DAY_MS)
    (request,) = talk.sent
    assert talk.renewals(CODE, RenewalRequest(b"x")) == RenewalAnswer(b"", "hub.certificate_request")
    assert talk.renewals(CODE, request).code == ""
    assert talk.renewals(CODE, request) == RenewalAnswer(b"", "hub.renewed_too_often")
    talk.hub.clock.advance(LEAST_MS)
    Revocations(talk.hub.database).revoke(CODE, "lost", talk.hub.clock.now_ms())
    assert talk.renewals(CODE, request) == RenewalAnswer(b"", "hub.revoked")
    assert Revocations(talk.hub.database).schools() == {CODE}


def test_the_box_takes_no_certificate_of_others(talk: Talk) -> None:
    talk.after(61 * DAY_MS)
    now = datetime.fromtimestamp(talk.hub.clock.now_ms() / 1000, UTC)
    request = talk.sent[0].certificate_request
    stranger = Authority.make("stranger", make_key(), now)
    hub_key = (talk.hub.settings.hub.state_dir.parent / "hub-keys" / "hub-ca.key").read_bytes()
    own = Authority.load(talk.bundle.authority.encode(), hub_key)
    wrong: list[x509.Certificate] = [
        stranger.issue_client(CODE, request, now),
        own.issue_client("B113299900027", request, now),
        own.issue_client(CODE, request, now - timedelta(days=200)),
        own.issue_client(CODE, request, now + timedelta(days=20)),
        own.issue_own_client(CODE, make_key(), now),
        x509.load_pem_x509_certificate(talk.bundle.certificate.encode()),
    ]
    for one in [*map(pem, wrong), b"", b"x"]:
        with pytest.raises(ForeignBundleError):
            accept_certificate(talk.box.box, talk.box.line_key, talk.bundle, one)
    assert talk.kept == talk.bundle


@pytest.mark.scenario
def test_the_real_programs_renew_and_go_on_with_the_new_certificate(tmp_path: Path) -> None:
    with Prefecture(tmp_path) as prefecture:
        school = prefecture.admit(CODE, "架空小学校")
        store = EnrolmentStore(school.box.database)
        bundle = store.find()
        assert bundle is not None
        authority = Authority.load(bundle.authority.encode(), (prefecture.keys / "hub-ca.key").read_bytes())
        # Of two days of life, 36 hours are over.
        old = authority.issue_own_client(CODE, school.line_key, datetime.now(UTC) - timedelta(hours=12), days=1)
        store.write(replace(bundle, certificate=pem(old).decode()), 1)
        school.syncd.start()
        until("the new certificate", lambda: bool(school.syncd.said("renewal.done")))
        until("a connection with it", lambda: len(school.syncd.said("sync.connected")) == 2)
        school.visit()
        school.until_confirmed()
        kept = store.find()
        assert kept is not None
        assert kept.certificate not in (bundle.certificate, pem(old).decode())
