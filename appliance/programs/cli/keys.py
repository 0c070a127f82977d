"""``appliance keys``: the keys of the box, sealed on its disk and printed for the safe. For root, without the database.

No key is in an argument, a log or a pipe: sealed ones are opened in memory, and the paper's text goes to a terminal or
to a file that only its owner reads.
"""

import argparse
import os
import sys
from pathlib import Path

from appliance.config import successor_of
from appliance.errors import ConfigError, MadoguchiError, RefusedError
from appliance.programs.cli import rotation
from appliance.programs.cli.opened import settings
from appliance.programs.cli.output import FINE, PROBLEM, explain, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.services.founding import DATABASE_KEY
from appliance.services.recovery import LINES, OLD_LINES, RECOVERED, join_lines, read_keys, read_line, write_lines
from appliance.services.sealing import BOX_KEYS, MADE_LATER, REPLACED, KeyStore, NoKeysError, Seal
from appliance.services.tpm import Tpm


class NotPrivateError(ConfigError):
    """The recovery text would go into a pipe or a file that was opened by somebody else."""

    code = "keys.not_private"


class KeysPresentError(RefusedError):
    """The keys that are here open: nothing needs to be recovered."""

    code = "keys.present"


class OtherPaperError(RefusedError):
    """A key that is here opens, and the paper has another one: it is the paper of another box, or an old one."""

    code = "keys.other_paper"


def add(commands: Commands) -> None:
    """Adds ``keys`` and what is below it."""
    parts = add_group(commands, "keys", "the keys of this box: sealed on its disk, printed for the safe (as root)")
    add_command(parts, "prepare", "make the TPM ready and say how new keys will be sealed", prepare)
    seal = add_command(parts, "seal", "seal the keys again, for the TPM as it is now", seal_keys)
    seal.add_argument("--from", dest="source", type=Path, metavar="DIR", help="seal the new keys in this directory")
    seal.add_argument("--without-tpm", action="store_true", help="for this installation only, as before new firmware")
    add_command(parts, "status", "say how the keys are sealed and whether they open", tell_status)
    paper = add_command(parts, "print", "print the recovery text for the board's safe", print_paper)
    paper.add_argument("--out", type=Path, metavar="FILE", help="write it into this new file instead")
    restore = add_command(parts, "restore", "seal the keys of the recovery text on this machine", restore_keys)
    rotation.add(parts)
    text = "make and seal the keys that an earlier release had not; a unit does it by itself"
    add_command(parts, "complete", text, complete)
    following = add_command(parts, "next", "a step of rotate: seal the next key beside the present one", seal_next)
    adopt = add_command(
        parts, "adopt", "a step of rotate: put the next key in the place of the present one", adopt_next
    )
    for step in (following, adopt):
        names = [name.removesuffix(".key") for name in REPLACED]
        step.add_argument("key", choices=names, nargs="?", default="database", help="which key (default: database)")
    restore.add_argument("file", type=Path, nargs="?", help="the text; default: typed at the terminal, line by line")


def prepare(arguments: argparse.Namespace) -> int:
    """Fails before any key exists if it could not be sealed as the settings want."""
    store = _store()
    store.prepare()
    show(_fields(store.wanted), arguments.json, say("keys-prepared") + "\n" + _words(store.wanted))
    return FINE


def seal_keys(arguments: argparse.Namespace) -> int:
    """Seals the keys of a founding, or the present ones anew."""
    store = _store(without_tpm=arguments.without_tpm)
    store.prepare()
    if arguments.source is not None:
        # The database's key comes last: that it is sealed says that all are, also after a power cut.
        names = [name for name in BOX_KEYS if (arguments.source / name).exists()]
        names.sort(key=lambda name: name == DATABASE_KEY)
        for name in names:
            store.seal(name, (arguments.source / name).read_bytes())
    else:
        names = store.seal_anew()
    seal = store.tell()
    show({"sealed": names, **_fields(seal)}, arguments.json, say("keys-sealed", count=len(names)) + "\n" + _words(seal))
    return FINE


def complete(arguments: argparse.Namespace) -> int:
    """On a founded box only: its database's key must be there, or nothing is made."""
    store = _store()
    if DATABASE_KEY not in _names(store):
        raise NoKeysError(folder=str(settings().keys.store))
    made = store.complete()
    words = say("keys-completed", names=", ".join(made)) if made else say("keys-whole")
    show({"made": made}, arguments.json, words)
    return FINE


def seal_next(arguments: argparse.Namespace) -> int:
    """Before the programs are started with both keys."""
    store, name = _store(), f"{arguments.key}.key"
    store.prepare()
    store.seal_next(name)
    show({"sealed": [successor_of(name)]}, arguments.json, say("keys-sealed", count=1))
    return FINE


def adopt_next(arguments: argparse.Namespace) -> int:
    """After the database is under the next key, or the ledger signed with it."""
    name = f"{arguments.key}.key"
    _store().adopt_next(name)
    show({"sealed": [name]}, arguments.json, say("keys-sealed", count=1))
    return FINE


def tell_status(arguments: argparse.Namespace) -> int:
    """One line a key; ``PROBLEM`` if one does not open."""
    store = _store()
    rows: dict[str, object] = {}
    lines, closed = [], False
    for name in _names(store):
        seal = store.seal_of(name)
        line, row = f"{name}: {_words(seal)}", _fields(seal)
        try:
            store.open(name)
        except MadoguchiError as error:
            closed, line, row = True, f"{line}\n    {explain(error)}", {**row, "error": error.code}
        rows[name] = row
        lines.append(line)
    show(rows, arguments.json, "\n".join(lines))
    return PROBLEM if closed else FINE


def print_paper(arguments: argparse.Namespace) -> int:
    """Shows the text on a terminal, or writes a new file that only its owner can read."""
    if arguments.out is None and not sys.stdout.isatty():
        raise NotPrivateError
    store = _store()
    _names(store)
    store.complete()  # a paper without all keys would be printed twice
    lines = write_lines({name: store.open(name) for name in RECOVERED})
    text = "".join(f"# {line}\n" for line in say("keys-paper").splitlines()) + "\n" + "\n".join(lines) + "\n"
    if arguments.out is None:
        sys.stdout.write(text)
        return FINE
    handle = os.open(arguments.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    show({"file": str(arguments.out)}, arguments.json, say("keys-printed", file=str(arguments.out)))
    return FINE


def restore_keys(arguments: argparse.Namespace) -> int:
    """Seals the keys of the paper here; the old files that do not open stay beside them."""
    store = _store()
    if all(_held(store, name) is not None for name in BOX_KEYS):
        raise KeysPresentError
    if arguments.file is None and sys.stdin.isatty():
        keys = _ask()
    else:
        keys = read_keys(sys.stdin.read() if arguments.file is None else arguments.file.read_text(encoding="utf-8"))
    held = {name: _held(store, name) for name in keys}
    for name, key in keys.items():
        if held[name] not in (None, key):
            raise OtherPaperError(name=name)
    store.prepare()
    for name, key in keys.items():
        if held[name] is None:
            store.set_aside(name)
        store.seal(name, key)
    for name in MADE_LATER:
        if name not in keys and _held(store, name) is None:
            store.set_aside(name)  # an older paper: what does not open makes way for a new one
    made = store.complete()
    seal = store.tell()
    words = [say("keys-restored"), *([say("keys-completed", names=", ".join(made))] if made else []), _words(seal)]
    show({"sealed": list(keys), "made": made, **_fields(seal)}, arguments.json, "\n".join(words))
    return FINE


def _ask() -> dict[str, bytes]:
    """Asks line by line, and again for a line that is mistyped."""
    found: dict[int, str] = {}
    while len(found) < LINES:
        number = len(found) + 1
        if number == OLD_LINES + 1:
            print(say("keys-paper-ends"))
        try:
            typed = input(f"{number}: ").removeprefix(f"{number}:")
            if number == OLD_LINES + 1 and not typed.strip():
                break
            found[number] = read_line(number, typed)
        except RefusedError as error:
            print(explain(error))
        except EOFError:
            break
    return join_lines(found)


def _store(*, without_tpm: bool = False) -> KeyStore:
    chosen = settings().keys
    tpm = None if without_tpm or chosen.tpm == "never" else Tpm.find()
    return KeyStore(chosen.store, chosen.status, tpm, chosen.pcrs)


def _names(store: KeyStore) -> list[str]:
    names = store.names()
    if not names:
        raise NoKeysError(folder=str(settings().keys.store))
    return names


def _held(store: KeyStore, name: str) -> bytes | None:
    """A key that is here and opens."""
    try:
        return store.open(name) if name in store.names() else None
    except MadoguchiError:
        return None


def _fields(seal: Seal) -> dict[str, object]:
    return {"tpm": seal.tpm, "pcrs": list(seal.pcrs)}


def _words(seal: Seal) -> str:
    return say("keys-tpm", pcrs=", ".join(map(str, seal.pcrs))) if seal.tpm else say("keys-host")
