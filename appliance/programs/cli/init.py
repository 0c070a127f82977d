"""``appliance init`` founds a box; ``appliance migrate`` brings its database up to date."""

import argparse
import os
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import CredentialSource, read_credential
from appliance.ledger.keys import SigningKey
from appliance.programs.cli.opened import settings
from appliance.programs.cli.output import FINE, say, show
from appliance.programs.cli.parsing import Commands, add_command
from appliance.programs.cli.password import read_password
from appliance.school.people import SchoolCode
from appliance.services.device_key_rotation import finish_device_key, remember_keys
from appliance.services.device_keys import DeviceKeys
from appliance.services.founding import (
    DATABASE_KEY,
    DEVICE_KEY,
    STAFF_KEY,
    make_credentials,
    write_staff_certificate,
)
from appliance.services.key_rotation import PATIENCE_S, KeyRotation
from appliance.services.opening import (
    DATABASE_NAME,
    AlreadyFoundedError,
    NotFoundedError,
    OpenBox,
    found_box,
    open_box,
)
from appliance.services.rollback import outgrown_generation
from appliance.services.staff import ADMINISTRATOR, StaffAccounts, check_account, new_password
from appliance.store.database import Database, Keys
from appliance.store.ledger import NoLedgerError
from appliance.store.migrate import migrate
from appliance.store.schema import BOX_FAMILIES
from appliance.store.staff import StaffStore


def add(commands: Commands) -> None:
    """Adds ``init`` and ``migrate``."""
    init = add_command(commands, "init", "found this box: keys, database, ledger, first administrator", found)
    init.add_argument("--school", required=True, metavar="CODE", help="the school's 13-character code")
    init.add_argument("--name", required=True, help="the school's name as people know it")
    init.add_argument("--credentials", type=Path, metavar="DIR", help="where the keys lie or are to be made")
    init.add_argument(
        "--make-keys", type=Path, metavar="DIR", help="only make the keys there, to be sealed before the rest"
    )
    init.add_argument("--admin", default="admin", metavar="ID", help="account of the first administrator")
    init.add_argument("--admin-name", default="管理者", metavar="NAME", help="the administrator's name on the pages")
    init.add_argument(
        "--password-fd", type=int, metavar="N", help="file descriptor that gives the password; default: make one"
    )
    add_command(commands, "migrate", "bring the database up to date; all programs wait for it", bring_up_to_date)


def found(arguments: argparse.Namespace) -> int:
    """Founds the box; what was typed is checked before anything is made."""
    code = SchoolCode(arguments.school)
    if arguments.make_keys is not None:
        made = make_credentials(arguments.make_keys)
        show({"made": made}, arguments.json, "\n".join(made))
        return FINE
    typed = arguments.password_fd is not None
    password = read_password(arguments.password_fd) if typed else new_password()
    check_account(arguments.admin, password)
    if arguments.credentials is not None:
        make_credentials(arguments.credentials)
        os.environ["CREDENTIALS_DIRECTORY"] = str(arguments.credentials)
    chosen = settings()
    device_key = SigningKey.from_pem(read_credential(DEVICE_KEY))
    box = _founded(chosen.box.state_dir, CredentialSource(DATABASE_KEY), device_key, str(code), arguments.name)
    write_staff_certificate(chosen.staff.certificate, read_credential(STAFF_KEY), chosen.staff.names)
    StaffAccounts(box, StaffStore(box.database)).add(arguments.admin, arguments.admin_name, ADMINISTRATOR, password)
    result = {"school": str(code), "origin": box.school.origin, "admin": arguments.admin}
    box.database.close()
    words = say("init-done", name=arguments.name, school=str(code), admin=arguments.admin)
    if not typed:
        result["password"] = password
        words += "\n" + say("init-password", password=password)
    show(result, arguments.json, words)
    return FINE


def bring_up_to_date(arguments: argparse.Namespace) -> int:
    """Runs the migrations that wait and says which ran; ends changes of keys of which only the end is missing, and
    goes on in a new generation of the ledger where the database is older than such a change."""
    path = settings().box.state_dir / DATABASE_NAME
    if path.exists():
        KeyRotation(path, DATABASE_KEY).finish()
    with Database.open(path, CredentialSource(DATABASE_KEY), PATIENCE_S) as database:
        ran = migrate(database, BOX_FAMILIES)
        origin = _follow_the_key(database)
    words = ran or [say("migrate-none")]
    if origin is not None:
        words.append(say("migrate-generation", origin=origin))
    begun = {} if origin is None else {"generation": origin}
    show({"ran": ran, **begun}, arguments.json, "\n".join(words))
    return FINE


def _follow_the_key(database: Database) -> str | None:
    """Ends a change of the device key; the new generation that begins if the database was put back to before one."""
    try:
        finish_device_key(database)
        begun = outgrown_generation(database, DeviceKeys()(), SystemClock())
        remember_keys(database)
    except (NotFoundedError, NoLedgerError):  # nothing was founded yet, or not to its end
        return None
    return begun


def _founded(state_dir: Path, database_key: Keys, device_key: SigningKey, code: str, name: str) -> OpenBox:
    """A new box, or one whose founding was cut short before anybody could sign in; else ``AlreadyFoundedError``."""
    try:
        return found_box(state_dir, database_key, device_key, SystemClock(), code, name)
    except AlreadyFoundedError:
        box = open_box(state_dir, database_key, device_key, SystemClock())
        if (box.school.code, box.school.name) == (code, name) and StaffStore(box.database).count() == 0:
            return box
        box.database.close()
        raise
