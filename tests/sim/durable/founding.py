"""``appliance init`` and ``appliance hub init``: keys, certificates and database of a new box and of a new hub."""

import contextlib
import hashlib
import io
import os
import ssl
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from appliance.clock import SystemClock
from appliance.errors import MadoguchiError
from appliance.ledger.evidence import EvidenceOpener
from appliance.ledger.keys import SigningKey
from appliance.programs.cli.__main__ import main as appliance
from appliance.programs.hub import settings as hub
from appliance.programs.hub.__main__ import main as appliance_hub
from appliance.services.audit import audit
from appliance.services.founding import DATABASE_KEY, DEVICE_KEY, STAFF_KEY
from appliance.services.opening import open_box
from appliance.services.staff import StaffAccounts
from appliance.store.database import Database
from appliance.store.migrate import check_schema
from appliance.store.staff import StaffStore
from tests.school.small import CODE
from tests.sim.box import SCHOOL_NAME
from tests.sim.durable.act import Act, Fact, LostError, UnusableError, Witness

PASSWORD: Final = "correct horse battery"
KEYS, STATE, CERTIFICATE = "keys", "state", "certificates/staff.crt"


class Founding(Act):
    """Something is founded. Who is interrupted does it again, and has all of it then."""

    share = 1
    lives = 1

    @abstractmethod
    def init(self, folder: Path) -> tuple[int, str]:
        """Exit code and words of the command."""

    @abstractmethod
    def use(self, folder: Path) -> None:
        """Opens everything as the programs do; raises whatever is wrong."""

    def prepare(self, folder: Path) -> list[Fact]:
        return []

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        witness.begins()
        code, _ = self.init(folder)
        if code == 0:
            witness.done({"keys": digests(folder)})

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        words = ""
        if not facts:
            _, words = self.init(folder)  # refused where all was done, but nobody was told
        elif digests(folder) != facts[0]["keys"]:
            raise LostError("a key is not there, or is another")
        try:
            self.use(folder)
        except (MadoguchiError, OSError, ValueError, InvalidSignature) as error:
            raise LostError(repr(error)) if facts else UnusableError(f"{error!r} after: {words}") from error
        return facts


class FoundBox(Founding):
    """A box, with its first administrator."""

    name = "found"

    def init(self, folder: Path) -> tuple[int, str]:
        settings = f'[box]\nstate_dir = "{folder / STATE}"\n[staff]\ncertificate = "{folder / CERTIFICATE}"\n'
        reading, writing = os.pipe()
        os.write(writing, PASSWORD.encode())
        os.close(writing)
        arguments = ["init", "--school", str(CODE), "--name", SCHOOL_NAME, "--credentials", str(folder / KEYS)]
        try:
            with environment(folder, "APPLIANCE_SETTINGS", settings) as out:
                return appliance([*arguments, "--json", "--password-fd", str(reading)]), out.getvalue()
        finally:
            os.close(reading)

    def use(self, folder: Path) -> None:
        key = SigningKey.from_pem((folder / KEYS / DEVICE_KEY).read_bytes())
        box = open_box(folder / STATE, (folder / KEYS / DATABASE_KEY).read_bytes(), key, SystemClock())
        with box.database:
            audited = audit(box, None)
            if not audited.good:
                raise ValueError(f"{audited.faults} {audited.database}")
            StaffAccounts(box, StaffStore(box.database)).sign_in("admin", PASSWORD)
        serve_with(folder / CERTIFICATE, folder / KEYS / STAFF_KEY)


class FoundHub(Founding):
    """A hub, with its authority and the certificates of its broker and its line."""

    name = "found_hub"

    def init(self, folder: Path) -> tuple[int, str]:
        settings = f'[hub]\nname = "hub.test"\nstate_dir = "{folder / STATE}"\n'
        with environment(folder, "APPLIANCE_HUB_SETTINGS", settings) as out:
            return appliance_hub(["init", "--credentials", str(folder / KEYS), "--json"]), out.getvalue()

    def use(self, folder: Path) -> None:
        keys, state = folder / KEYS, folder / STATE
        with Database.open(state / hub.DATABASE_NAME, (keys / hub.DATABASE_KEY).read_bytes()) as database:
            check_schema(database, hub.FAMILIES)
        authority = x509.load_pem_x509_certificate((state / hub.AUTHORITY_FILE).read_bytes())
        for certificate, key in ((hub.BROKER_FILE, hub.BROKER_KEY), (hub.LINE_FILE, hub.LINE_KEY)):
            x509.load_pem_x509_certificate((state / certificate).read_bytes()).verify_directly_issued_by(authority)
            serve_with(state / certificate, keys / key)
        opener = EvidenceOpener.from_bytes((keys / hub.EVIDENCE_KEY).read_bytes())
        if opener.public_bytes() != (state / hub.EVIDENCE_FILE).read_bytes():
            raise ValueError("the key for evidence that boxes are given is another")
        SigningKey.from_pem((keys / hub.HUB_KEY).read_bytes())


def digests(folder: Path) -> dict[str, str]:
    """Of all keys."""
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted((folder / KEYS).glob("*.key"))}


def serve_with(certificate: Path, key: Path) -> None:
    """Raises ``ssl.SSLError``, an ``OSError``, unless the two belong together."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


@contextlib.contextmanager
def environment(folder: Path, variable: str, settings: str) -> Iterator[io.StringIO]:
    """Settings and credentials as a command finds them; what it says goes to the text."""
    path, before, out = folder.with_name(f"{folder.name}.toml"), dict(os.environ), io.StringIO()
    path.write_text(settings, encoding="utf-8")
    os.environ.update({variable: str(path), "CREDENTIALS_DIRECTORY": str(folder / KEYS)})
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            yield out
    finally:
        os.environ.clear()
        os.environ.update(before)
