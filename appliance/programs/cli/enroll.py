"""``appliance enroll``: how a box comes to belong to the prefecture's hub, by two files or a one-time token."""

import argparse
import getpass
import sys
from pathlib import Path

from appliance.config import read_credential
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.services.enrolment import accept_bundle, make_request
from appliance.services.founding import LINE_KEY
from appliance.services.token_enrolment import enrol_by_token
from appliance.sync.enrolment import EnrolmentBundle
from appliance.sync.token import Token


def add(commands: Commands) -> None:
    """Adds ``enroll token``, ``enroll request`` and ``enroll accept``."""
    parts = add_group(commands, "enroll", "enrol this box at the prefecture's hub")
    token = add_command(parts, "token", "enrol over the network with the prefecture's one-time token", use_token)
    token.add_argument("--token", metavar="TEXT", help="the token; asked for otherwise, so that no history keeps it")
    request = add_command(parts, "request", "write the file that the prefecture needs from this box", write_request)
    request.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write it")
    accept = add_command(parts, "accept", "take over the file that the prefecture sent back", accept_file)
    accept.add_argument("file", type=Path, help="the prefecture's answer")


def write_request(arguments: argparse.Namespace) -> int:
    """Writes what the hub has to know of this box; nothing in it is secret."""
    with opened_box() as box:
        arguments.out.write_bytes(make_request(box, read_credential(LINE_KEY)).to_json())
    words = say("enroll-request", file=str(arguments.out))
    show({"school": box.school.code, "file": str(arguments.out)}, arguments.json, words)
    return FINE


def accept_file(arguments: argparse.Namespace) -> int:
    """Keeps the hub's answer if it is for this box."""
    bundle = EnrolmentBundle.from_json(arguments.file.read_bytes())
    with opened_box() as box:
        accept_bundle(box, read_credential(LINE_KEY), bundle)
    words = say("enroll-accepted", hub=bundle.hub_name)
    show({"school": box.school.code, "hub": bundle.hub_name}, arguments.json, words)
    return FINE


def use_token(arguments: argparse.Namespace) -> int:
    """Enrols the box at the hub that the token names."""
    token = Token.from_text(_typed() if arguments.token is None else arguments.token)
    with opened_box() as box:
        bundle = enrol_by_token(box, read_credential(LINE_KEY), token)
    words = say("enroll-accepted", hub=bundle.hub_name)
    show({"school": box.school.code, "hub": bundle.hub_name}, arguments.json, words)
    return FINE


def _typed() -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{say('enroll-token')} ")
    return sys.stdin.readline()
