"""``appliance enroll``: how a box comes to belong to the prefecture's hub, by two files."""

import argparse
from pathlib import Path

from appliance.config import read_credential
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, show
from appliance.services.enrolment import accept_bundle, make_request
from appliance.services.founding import LINE_KEY
from appliance.sync.enrolment import EnrolmentBundle


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("enroll", help="enrol this box at the prefecture hub")
    parts = parser.add_subparsers(metavar="request|accept", required=True)
    request = parts.add_parser("request", help="write the file that the prefecture needs from this box")
    request.add_argument("--out", type=Path, required=True, metavar="FILE")
    request.add_argument("--json", action="store_true")
    request.set_defaults(run=write_request)
    accept = parts.add_parser("accept", help="take over the file that the prefecture sent back")
    accept.add_argument("file", type=Path)
    accept.add_argument("--json", action="store_true")
    accept.set_defaults(run=accept_file)


def write_request(arguments: argparse.Namespace) -> int:
    box = opened_box()
    arguments.out.write_bytes(make_request(box, read_credential(LINE_KEY)).to_json())
    words = f"{arguments.out} を 県の担当者に渡してください。秘密は含まれていません。"
    show({"school": box.school.code, "file": str(arguments.out)}, arguments.json, words)
    return FINE


def accept_file(arguments: argparse.Namespace) -> int:
    box = opened_box()
    bundle = EnrolmentBundle.from_json(arguments.file.read_bytes())
    accept_bundle(box, read_credential(LINE_KEY), bundle)
    words = f"ハブ {bundle.hub_name} に登録しました。回線がつながると送信が始まります。"
    show({"school": box.school.code, "hub": bundle.hub_name}, arguments.json, words)
    return FINE
