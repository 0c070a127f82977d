"""``appliance init``, interrupted: keys, certificate, database, ledger and administrator of a new box."""

import contextlib
import hashlib
import io
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.clock import SystemClock
from appliance.errors import MadoguchiError
from appliance.ledger.keys import SigningKey
from appliance.programs.cli.__main__ import main
from appliance.services.founding import DATABASE_KEY, DEVICE_KEY, STAFF_KEY
from appliance.services.opening import open_box
from appliance.services.staff import StaffAccounts
from appliance.store.staff import StaffStore
from tests.school.small import CODE
from tests.sim.box import SCHOOL_NAME
from tests.sim.durable.act import Act, Fact, LostError, UnusableError, Witness, check_ledger

PASSWORD: Final = "correct horse battery"
KEYS, STATE, CERTIFICATE = "keys", "state", "certificates/staff.crt"


class Found(Act):
    """A box is founded. Who is interrupted does it again, and has a whole box then."""

    name = "found"
    share = 1
    lives = 1

    def prepare(self, folder: Path) -> list[Fact]:
        return []

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        witness.begins()
        code, _ = init(folder)
        if code == 0:
            witness.done({"keys": digests(folder)})

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        if facts:
            if digests(folder) != facts[0]["keys"]:
                raise LostError("a key is not there, or is another")
        else:
            _, words = init(folder)  # refused where the founding was complete, but nobody was told
        try:
            use(folder)
        except (MadoguchiError, OSError, ValueError) as error:
            raise LostError(str(error)) if facts else UnusableError(f"{error!r} after: {words}") from error
        return facts


def init(folder: Path) -> tuple[int, str]:
    """Exit code and words of the command, given the password."""
    out = io.StringIO()
    with _environment(folder) as descriptor, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        arguments = ["init", "--school", str(CODE), "--name", SCHOOL_NAME, "--credentials", str(folder / KEYS)]
        code = main([*arguments, "--json", "--password-fd", str(descriptor)])
    return code, out.getvalue()


def digests(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted((folder / KEYS).glob("*.key"))}


def use(folder: Path) -> None:
    """Opens the box as its programs do; raises whatever is wrong."""
    key = SigningKey.from_pem((folder / KEYS / DEVICE_KEY).read_bytes())
    box = open_box(folder / STATE, (folder / KEYS / DATABASE_KEY).read_bytes(), key, SystemClock())
    with box.database:
        check_ledger(box.ledger, [])
        StaffAccounts(box, StaffStore(box.database)).sign_in("admin", PASSWORD)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / CERTIFICATE, folder / KEYS / STAFF_KEY)


@contextlib.contextmanager
def _environment(folder: Path) -> Iterator[int]:
    """Settings and credentials as the command finds them; a descriptor that gives the password."""
    settings = folder.with_name(f"{folder.name}.toml")
    settings.write_text(
        f'[box]\nstate_dir = "{folder / STATE}"\n[staff]\ncertificate = "{folder / CERTIFICATE}"\n', encoding="utf-8"
    )
    before = dict(os.environ)
    reading, writing = os.pipe()
    os.write(writing, PASSWORD.encode())
    os.close(writing)
    os.environ.update(APPLIANCE_SETTINGS=str(settings), CREDENTIALS_DIRECTORY=str(folder / KEYS))
    try:
        yield reading
    finally:
        os.close(reading)
        os.environ.clear()
        os.environ.update(before)
