"""A box that is shut out: by the hub at once, by the broker with a list, and let in again."""

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from appliance.programs.hub.registry import UnknownSchoolError
from appliance.programs.hub.revocation import LIST_DAYS, Revocations, write_list
from appliance.programs.hub.settings import AUTHORITY_FILE, REVOKED_FILE
from appliance.services.checks.hub import REVOKED
from appliance.store.signal import SignalStore
from tests.programs.hub.conftest import FoundedBox, FoundedHub
from tests.sim.prefecture import Prefecture, School, until

CODE, OTHER = "B113299900018", "B113299900027"
MakeBox = Callable[[str, str], FoundedBox]


def serial(pem: str) -> int:
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_a_revoked_school_and_its_way_back(hub: FoundedHub, make_box: MakeBox) -> None:
    box, now_ms = make_box(CODE, "架空小学校"), hub.clock.now_ms()
    revocations, issued = Revocations(hub.database), [serial(hub.admit(box).certificate) for _ in range(2)]
    hub.admit(make_box(OTHER, "別の学校"))
    assert (revocations.schools(), revocations.serials(now_ms)) == (frozenset(), [])
    assert [revocations.revoke(CODE, "lost", now_ms) for _ in range(2)] == [2, 0]
    assert revocations.schools() == {CODE}
    assert {one for one, _ in revocations.serials(now_ms)} == set(issued)
    fresh = serial(hub.admit(box).certificate)
    assert revocations.schools() == frozenset()
    assert {one for one, _ in revocations.serials(now_ms)} == set(issued)
    assert fresh not in issued
    assert revocations.serials(now_ms + 91 * 86_400_000) == []  # what has expired need not be listed
    with pytest.raises(UnknownSchoolError):
        revocations.revoke("B113299900036", "lost", now_ms)


def test_the_list_is_the_authoritys_and_lasts(hub: FoundedHub, make_box: MakeBox) -> None:
    issued = serial(hub.admit(make_box(CODE, "架空小学校")).certificate)
    Revocations(hub.database).revoke(CODE, "lost", hub.clock.now_ms())
    write_list(hub.settings, hub.database, hub.clock)
    folder = hub.settings.hub.state_dir
    revoked = x509.load_pem_x509_crl((folder / REVOKED_FILE).read_bytes())
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY_FILE).read_bytes())
    key = authority.public_key()
    assert revoked.is_signature_valid(key)  # type: ignore[arg-type]
    assert [one.serial_number for one in revoked] == [issued]
    assert revoked.next_update_utc is not None
    now = datetime.fromtimestamp(hub.clock.now_ms() / 1000, UTC)
    assert (revoked.next_update_utc - now).days in (LIST_DAYS - 1, LIST_DAYS)


def refused(school: School) -> object:
    word = SignalStore(school.box.database).read("sync")
    return None if word is None else word.value.get("refused")


@pytest.mark.scenario
def test_a_running_box_is_cut_off_within_seconds_and_a_new_enrolment_lets_it_in(tmp_path: Path) -> None:
    prefecture = Prefecture(tmp_path)
    with prefecture:
        school = prefecture.admit(CODE, "架空小学校")
        other = prefecture.admit(OTHER, "別の学校")
        for one in (school, other):
            one.syncd.start()
            one.visit()
            one.until_confirmed()
        settings = prefecture.broker.directory / "mosquitto.conf"
        listed = prefecture.state / REVOKED_FILE
        until("the list", listed.exists)
        text = settings.read_text(encoding="utf-8")
        line = f"crlfile {listed}"
        prefecture.broker._settings = lambda: text.replace(  # type: ignore[method-assign]
            "#crlfile /etc/mosquitto/madoguchi/revoked.crl", line
        )
        prefecture.broker.restart()
        for one in (school, other):
            one.visit()
            one.until_confirmed()
        begin = time.monotonic()
        told = json.loads(prefecture.run("revoke", CODE, "--reason", "lost", "--json").stdout)
        assert told["certificates"] == 1
        os.kill(prefecture.broker.pid or 0, signal.SIGHUP)
        until("the box knows why", lambda: refused(school) == REVOKED, 10.0)
        until("the end of its session", lambda: bool(prefecture.hub.said("hub.cut_off")), 10.0)
        until("its line is down", lambda: school.syncd.said("sync.disconnected")[1:] != [], 10.0)
        took_s = time.monotonic() - begin
        connected = len(school.syncd.said("sync.connected"))
        size = school.visit()
        time.sleep(2.5)  # it tries again meanwhile
        other.visit()
        other.until_confirmed()
        assert (school.pending, len(school.syncd.said("sync.connected"))) == (1, connected)
        assert took_s < 10  # the design's bound is a minute
        school.syncd.stop()
        prefecture.enrol(school)
        school.syncd.start()
        school.until_confirmed()
        assert school.box.ledger.head().cosigned_size == size
