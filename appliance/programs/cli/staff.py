"""``appliance staff``: the accounts of the staff site, and another password for one whose password is lost."""

import argparse
import syslog

from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.programs.cli.password import read_password
from appliance.services.staff import StaffAccounts, new_password
from appliance.store.staff import StaffStore

FIRST_ACCOUNT = "admin"


def add(commands: Commands) -> None:
    """Adds ``staff list`` and ``staff password``."""
    parts = add_group(commands, "staff", "who may sign in to the staff site")
    add_command(parts, "list", "list the accounts", list_accounts)
    text = "set another password for an account, and show it once; its sessions end"
    password = add_command(parts, "password", text, set_password)
    password.add_argument(
        "account", nargs="?", default=FIRST_ACCOUNT, metavar="ID", help=f"which account (default: {FIRST_ACCOUNT})"
    )
    password.add_argument(
        "--password-fd", type=int, metavar="N", help="file descriptor that gives the password; default: make one"
    )


def list_accounts(arguments: argparse.Namespace) -> int:
    """One line an account."""
    with opened_box() as box:
        found = StaffStore(box.database).all()
    rows = [{"account": one.id, "name": one.name, "role": one.role} for one in found]
    words = "\n".join(f"{one.id:<32} {one.name}" for one in found)
    show({"accounts": rows}, arguments.json, words or say("staff-none"))
    return FINE


def set_password(arguments: argparse.Namespace) -> int:
    """The old password and all sessions of the account are of no use from now on; a made password is shown once."""
    typed = arguments.password_fd is not None
    password = read_password(arguments.password_fd) if typed else new_password()
    with opened_box() as box:
        StaffAccounts(box, StaffStore(box.database)).set_password(arguments.account, password)
        # Kept by the system's log, where this command has no other: who is meant is told by the pseudonym alone.
        pseudonym = box.pseudonym(f"staff:{arguments.account}").hex()
        syslog.openlog("appliance", facility=syslog.LOG_AUTH)
        syslog.syslog(syslog.LOG_WARNING, f"staff.password_set staff={pseudonym}")
    result = {"account": arguments.account}
    words = say("staff-password-set", account=arguments.account)
    if not typed:
        result["password"] = password
        words += "\n" + say("init-password", password=password)
    show(result, arguments.json, words)
    return FINE
