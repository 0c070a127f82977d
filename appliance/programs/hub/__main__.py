"""``python -m appliance.programs.hub``: found a hub, admit schools, serve, list schools, look at evidence.

Exit codes: 0 fine, 1 refused, 2 could not run. With ``--json`` the output is for programs.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import CredentialSource
from appliance.errors import ConfigError, MadoguchiError, UnavailableError
from appliance.log import start_logging
from appliance.programs.hub import backup, endpoint, evidence, keys, replacement, revocation, tokens
from appliance.programs.hub.admission import admit
from appliance.programs.hub.files import read_file, write_file
from appliance.programs.hub.founding import HubFoundedError, found_hub, make_credentials
from appliance.programs.hub.keys import finish_rotation
from appliance.programs.hub.page import as_json, serve_page
from appliance.programs.hub.registry import Registry, Succession
from appliance.programs.hub.serving import serve
from appliance.programs.hub.settings import (
    AUTHORITY_FILE,
    DATABASE_KEY,
    DATABASE_NAME,
    HubSettings,
    load_hub_settings,
)
from appliance.store.database import Database
from appliance.sync.enrolment import EnrolmentRequest
from appliance.web.console import explain

FINE, REFUSED, COULD_NOT_RUN = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, runs one sub-command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="appliance hub", description="窓口: the prefecture's hub.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    init = commands.add_parser("init", help="found the hub: keys, certificates, database")
    init.add_argument("--credentials", type=Path, metavar="DIR", help="where the keys lie or are to be made")
    init.add_argument(
        "--make-keys", type=Path, metavar="DIR", help="only make the keys there, to be sealed before the rest"
    )
    init.set_defaults(run=_init)
    admission = commands.add_parser("admit", help="admit a school: read its request, write its enrolment")
    admission.add_argument("--request", type=Path, required=True, metavar="FILE")
    admission.add_argument("--out", type=Path, required=True, metavar="FILE")
    admission.add_argument(
        "--new-generation", action="store_true", help="the box was restored: take its new ledger beside the old one"
    )
    admission.set_defaults(run=_admit)
    commands.add_parser("serve", help="take what the boxes send, and show the page").set_defaults(run=_serve)
    schools = commands.add_parser("schools", help="list the schools and how far their records are confirmed")
    schools.add_argument("--seen", metavar="CODE", help="a person has seen that this school's ledger forked")
    schools.set_defaults(run=_schools)
    evidence.add(commands)
    backup.add(commands)
    keys.add(commands)
    tokens.add(commands)
    revocation.add(commands)
    replacement.add(commands)
    # The page and the endpoint are processes of their own, started by serve.
    endpoint.add(commands)
    commands.add_parser("page").set_defaults(run=_page)
    for command in (init, admission, schools):
        command.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except (ConfigError, UnavailableError) as error:
        print(f"appliance hub: {explain(error)}", file=sys.stderr)  # noqa: T201 - a command's answer
        return COULD_NOT_RUN
    except MadoguchiError as error:
        print(f"appliance hub: {explain(error)}", file=sys.stderr)  # noqa: T201 - a command's answer
        return REFUSED


def _init(arguments: argparse.Namespace) -> int:
    settings = load_hub_settings()
    if (settings.hub.state_dir / AUTHORITY_FILE).exists():
        raise HubFoundedError(path=str(settings.hub.state_dir))
    made: list[str] = []
    if arguments.make_keys is not None:
        made = make_credentials(arguments.make_keys)
        _show({"made": made}, arguments.json, "\n".join(made))
        return FINE
    if arguments.credentials is not None:
        made = make_credentials(arguments.credentials)
        os.environ["CREDENTIALS_DIRECTORY"] = str(arguments.credentials)
    found_hub(settings, SystemClock())
    folder = settings.hub.state_dir
    words = f"The hub {settings.hub.name} is founded in {folder}."
    _show({"hub": settings.hub.name, "state_dir": str(folder), "made": made}, arguments.json, words)
    return FINE


def _admit(arguments: argparse.Namespace) -> int:
    settings = load_hub_settings()
    request = EnrolmentRequest.from_json(read_file(arguments.request))
    with _database(settings) as database:
        before = Registry(database).origin_of(request.school)
        bundle = admit(settings, database, SystemClock(), request, new_generation=arguments.new_generation)
    write_file(arguments.out, bundle.to_json())
    words = f"{request.name} ({request.school}) is admitted; its enrolment is in {arguments.out}."
    result: dict[str, str | None] = {"school": request.school, "feed": bundle.feed_origin, "out": str(arguments.out)}
    if arguments.new_generation:
        result |= {"before": before, "origin": request.origin}
        words += f"\nIts ledger is {request.origin} from now on; {before} stays here as it is."
    _show(result, arguments.json, words)
    return FINE


def _schools(arguments: argparse.Namespace) -> int:
    with _database(load_hub_settings()) as database:
        registry = Registry(database)
        if arguments.seen is not None:
            return _see(registry, arguments.seen, arguments.json)
        schools = registry.overview()
    lines = [f"{'school':<14} {'line':<8} {'mirrored':>9} {'pending':>8}  {'head':<16}  name"]
    for one in schools:
        pending = "-" if one.pending is None else one.pending
        lines.append(
            f"{one.code:<14} {'online' if one.online else 'offline':<8} {one.mirrored:>9} {pending:>8}"
            f"  {one.root.hex()[:16]}  {one.name}"
        )
        lines += [f"{'':<14} {'ended':<8} {mirrored:>9} {'':>8}  {origin}" for origin, mirrored in one.earlier]
        lines += [line for fork in one.forks for line in _fork_lines(fork)]
    words = "\n".join(lines) if schools else "No school is admitted yet."
    _show([as_json(one) for one in schools], arguments.json, words)
    return FINE


def _see(registry: Registry, code: str, as_text: bool) -> int:
    seen = registry.see(code, SystemClock().now_ms())
    words = f"{len(seen)} fork(s) of {code} noted as seen." if seen else f"There is no fork of {code} to be seen."
    _show({"school": code, "seen": [one.origin for one in seen]}, as_text, words)
    return FINE


def _fork_lines(fork: Succession) -> list[str]:
    at = datetime.fromtimestamp(fork.at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    margin, ended = f"{'':<14} ", f"with {fork.closed_size} entries (here: {fork.mirrored} of {fork.before})"
    return [
        f"{margin}FORKED   {at}: the box's database was put back; it closed {fork.closed} {ended}",
        f"{margin}         and went on in {fork.origin}; carried over: {fork.carried}, branch {fork.branch}",
        f"{margin}         once a person has looked: appliance hub schools --seen {fork.school}",
    ]


def _page(_: argparse.Namespace) -> int:
    settings = load_hub_settings()
    start_logging(settings.hub.log_level)
    serve_page(settings)
    return FINE


def _serve(_: argparse.Namespace) -> int:
    settings = load_hub_settings()
    start_logging(settings.hub.log_level)
    finish_rotation(settings)
    with _database(settings) as database:
        serve(settings, database)
    return FINE


def _database(settings: HubSettings) -> Database:
    return Database.open(settings.hub.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY))


def _show(value: object, as_text: bool, words: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if as_text else words)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    sys.exit(main())
