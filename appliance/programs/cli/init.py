"""``appliance init`` founds a box; ``appliance migrate`` brings its database up to date."""

import argparse
import os
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import read_credential
from appliance.ledger.keys import SigningKey
from appliance.programs.cli.opened import settings
from appliance.programs.cli.output import FINE, show
from appliance.school.people import SchoolCode
from appliance.services.founding import (
    DATABASE_KEY,
    DEVICE_KEY,
    STAFF_KEY,
    make_credentials,
    write_staff_certificate,
)
from appliance.services.opening import DATABASE_NAME, found_box
from appliance.services.staff import ADMINISTRATOR, StaffAccounts, new_password
from appliance.store.database import Database
from appliance.store.migrate import migrate
from appliance.store.schema import BOX_FAMILIES
from appliance.store.staff import StaffStore


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    init = commands.add_parser("init", help="found this box: keys, database, ledger, first administrator")
    init.add_argument("--school", required=True, metavar="CODE", help="the school's 13-character code")
    init.add_argument("--name", required=True, help="the school's name as people know it")
    init.add_argument("--credentials", type=Path, metavar="DIR", help="where the keys lie or are to be made")
    init.add_argument("--admin", default="admin", metavar="ID", help="account of the first administrator")
    init.add_argument("--admin-name", default="管理者", metavar="NAME")
    init.add_argument("--password-fd", type=int, metavar="FD", help="read the administrator's password from here")
    init.add_argument("--json", action="store_true")
    init.set_defaults(run=found)
    upgrade = commands.add_parser("migrate", help="bring the database up to date; all programs wait for it")
    upgrade.add_argument("--json", action="store_true")
    upgrade.set_defaults(run=bring_up_to_date)


def found(arguments: argparse.Namespace) -> int:
    code = SchoolCode(arguments.school)
    if arguments.credentials is not None:
        make_credentials(arguments.credentials)
        os.environ["CREDENTIALS_DIRECTORY"] = str(arguments.credentials)
    chosen = settings()
    device_key = SigningKey.from_pem(read_credential(DEVICE_KEY))
    box = found_box(
        chosen.box.state_dir, read_credential(DATABASE_KEY), device_key, SystemClock(), str(code), arguments.name
    )
    write_staff_certificate(chosen.staff.certificate, read_credential(STAFF_KEY), chosen.staff.names)
    typed = arguments.password_fd is not None
    password = os.read(arguments.password_fd, 1024).decode().rstrip("\n") if typed else new_password()
    StaffAccounts(box, StaffStore(box.database)).add(arguments.admin, arguments.admin_name, ADMINISTRATOR, password)
    result = {"school": str(code), "origin": box.school.origin, "admin": arguments.admin}
    words = f"{arguments.name}（{code}）の箱を つくりました。\n管理者: {arguments.admin}"
    if not typed:
        result["password"] = password
        words += (
            f"\nパスワード: {password}\nこのパスワードは もう表示されません。書きとめて、安全な所に 保管してください。"
        )
    show(result, arguments.json, words)
    box.database.close()
    return FINE


def bring_up_to_date(arguments: argparse.Namespace) -> int:
    with Database.open(settings().box.state_dir / DATABASE_NAME, read_credential(DATABASE_KEY)) as database:
        ran = migrate(database, BOX_FAMILIES)
    show({"ran": ran}, arguments.json, "\n".join(ran) if ran else "データベースは 最新です。")
    return FINE
