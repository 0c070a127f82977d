"""Who may import whom, one module for each foreign package, a test for each module, one class for each error code."""

import ast
import re
import sys
from collections import defaultdict

import pytest

from tests.source import PACKAGE, ROOT, Module, classes, imported, modules

GROUND = {"errors", "clock"}
BASE = (
    GROUND
    | {"config", "log", "notify", "throttle"}
    | {*("card", "trust", "ledger", "school", "store", "sync", "services", "web")}
)

# Package -> packages of ours that it may import, itself aside. ``appliance.__version__`` is free for all.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "notify": {"errors"},
    "config": GROUND,
    "log": GROUND,
    "throttle": GROUND,
    "card": GROUND | {"throttle"},
    "trust": GROUND,
    "ledger": GROUND | {"trust"},
    "school": GROUND | {"ledger"},
    "store": GROUND | {"ledger", "school"},
    "sync": GROUND | {"ledger", "school"},
    "services": BASE - {"services", "web", "notify"},
    "web": {"errors", "config", "log"},
    "programs.cardd": BASE,
    "programs.cli": BASE,
    "programs.kiosk": BASE,
    "programs.staff": BASE,
    "programs.syncd": BASE,
    # docs/decisions/0003: the hub keeps ledgers with the box's own code, and nothing else of the box.
    "programs.hub": {
        *GROUND,
        *("config", "log", "notify", "throttle", "trust", "ledger", "school", "sync"),
        *(
            "store.database",
            "store.files",
            "store.migrate",
            "store.appending",
            "store.ledger",
            "store.mirror",
            "store.seal",
            "store.schema",
            "store.tree",
        ),
        *("web.headers", "web.serve", "web.console", "web.examination"),
        "services.key_rotation",  # docs/decisions/0012: of any database and its key, it knows nothing of a box
    },
}

# Foreign package -> the only places of ours that may import it.
WRAPPED_BY: dict[str, set[str]] = {
    "smartcard": {"card.pcsc"},
    "sqlcipher3": {"store.database"},
    "paho": {"sync.mqtt"},
    "zeroconf": {"sync.discovery"},
    "gunicorn": {"web.serve"},
    "fluent": {"web.catalogue"},
    "argon2": {"services.staff"},
    "zstandard": {"sync.wire", "store.dump"},
    "segno": {"programs.kiosk.views"},
    "zxingcpp": {"services.photo"},
    "PIL": {"services.photo"},
    "cbor2": {"ledger.encoding", "programs.cli.statement"},  # the command's statement is no entry of a ledger
    "flask": {"web", "programs"},
    "flask_wtf": {"web"},
    "werkzeug": {"web", "programs"},
    "markupsafe": {"web", "programs"},
    "cryptography": {"trust", "ledger", "store", "services", "programs.hub"},
}

MOST_LINES = 400
EMPTY_NAMES = re.compile(r"(^|[._])(utils?|helpers?|managers?|common|misc)($|[._])|^get_", re.IGNORECASE)

# Modules that have no test file of their own, and the one that tries them.
TESTED_ELSEWHERE: dict[str, str] = {
    # Data: dataclasses, tables and families whose users' tests would notice any change.
    PACKAGE: "programs/cli/test_main.py",
    "school.organisation": "school/test_roster.py",
    "school.oneroster": "school/test_roster.py",
    "school.oneroster.columns": "school/oneroster/test_rows.py",
    "programs.kiosk.events": "programs/kiosk/test_flow.py",
    "store.schema": "store/test_migrate.py",
    "sync.ports": "sync/test_outgoing.py",
    # An append is tried where it is used: with the ledger that it goes to.
    "store.appending": "store/test_ledger.py",
    "store.mirror": "store/test_ledger.py",
    # One health check a file, one table of cases for all of them and for what they look at.
    "services.condition": "services/test_checks.py",
    **{
        f"services.checks.{name}": "services/test_checks.py"
        for name in (
            *("archive", "backup", "card", "certificate", "clock", "clock_ahead", "disk", "enrolment", "generation"),
            *("hub", "keys", "line", "reader", "readers", "rotation", "storage"),
        )
    },
    "services.checks": "services/test_checks.py",
    # They drive a TPM and systemd's programs, and mean nothing without them.
    **dict.fromkeys(("services.tpm", "services.sealing"), "firmware/test_tpm.py"),
    "programs.cli.keys": "firmware/test_paper.py",
    # Both ends of a renewal are tried together.
    "programs.syncd.renewing": "programs/hub/test_renewal.py",
}


def unit(name: str) -> str:
    """The row of the table a module belongs to: ``store`` or ``programs.kiosk``."""
    parts = name.removeprefix(f"{PACKAGE}.").split(".")
    return ".".join(parts[:2]) if parts[0] == "programs" else parts[0]


def ours(name: str) -> str:
    return name.removeprefix(f"{PACKAGE}.")


def within(name: str, places: set[str]) -> bool:
    """Whether a dotted name is one of the places or lies below one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


def each_import() -> list[tuple[Module, str]]:
    return [(module, name) for module in modules() for name in sorted(module.imports)]


def test_every_package_has_its_row() -> None:
    found = {unit(module.name) for module in modules() if module.name not in (PACKAGE, f"{PACKAGE}.programs")}
    assert found == set(MAY_IMPORT)


def test_nobody_imports_what_is_above() -> None:
    wrong = []
    for module, name in each_import():
        if not within(name, {PACKAGE}) or name == PACKAGE:
            continue
        own = unit(module.name)
        if unit(name) != own and not within(ours(name), MAY_IMPORT[own]):
            wrong.append(f"{module.name} imports {name}")
    assert wrong == []


def test_no_program_knows_another() -> None:
    rows = [row for row in MAY_IMPORT if row.startswith("programs.")]
    assert all(not within("programs", MAY_IMPORT[row]) for row in rows)
    assert not any(within(other, MAY_IMPORT[row]) for row in rows for other in rows)


def test_a_foreign_package_stays_in_its_module() -> None:
    wrong = []
    for module, name in each_import():
        foreign = name.partition(".")[0]
        if foreign in sys.stdlib_module_names or foreign == PACKAGE:
            continue
        if not within(ours(module.name), WRAPPED_BY.get(foreign, set())):
            wrong.append(f"{module.name} imports {foreign}")
    assert wrong == []


def test_nothing_of_the_tests_ships() -> None:
    assert [f"{module.name}: {name}" for module, name in each_import() if within(name, {"tests"})] == []


def test_imports_are_absolute() -> None:
    assert [module.name for module, name in each_import() if name.startswith(".")] == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: str(module.name))
def test_a_module_fits_one_head(module: Module) -> None:
    assert module.lines <= MOST_LINES


def test_names_say_something() -> None:
    empty = [module.name for module in modules() if EMPTY_NAMES.search(module.name)]
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and EMPTY_NAMES.search(node.name.lstrip("_")):
                empty.append(f"{module.name}.{node.name}")
    assert empty == []


def test_only_programs_print() -> None:
    printing = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing
    assert [name for name in printing if not within(ours(name), {"programs"})] == []


def test_every_module_has_a_test() -> None:
    untested = []
    for module in modules():
        if module.is_package and not module.tree.body[1:]:
            continue  # nothing but a docstring
        *folders, name = ours(module.name).split(".")
        own = ROOT.joinpath("tests", *folders, f"test_{name.strip('_')}.py")
        other = TESTED_ELSEWHERE.get(ours(module.name))
        if not own.exists() and (other is None or not imports(other, module)):
            untested.append(module.name)
    assert untested == []


def test_the_list_of_those_tested_elsewhere_is_short_and_true() -> None:
    named = {ours(module.name): module for module in modules()}
    assert set(TESTED_ELSEWHERE) <= set(named)
    assert [name for name, test in TESTED_ELSEWHERE.items() if not imports(test, named[name])] == []
    assert len(TESTED_ELSEWHERE) < len(named) / 5


def imports(test: str, module: Module) -> bool:
    """Whether a test file under ``tests`` imports the module."""
    path = ROOT / "tests" / test
    return path.exists() and module.name in imported(ast.parse(path.read_text(encoding="utf-8")))


def test_every_error_code_belongs_to_one_class() -> None:
    by_code: dict[str, list[str]] = defaultdict(list)
    for module in modules():
        for one in classes(module.tree):
            for line in one.body:
                if (code := error_code(line)) is not None:
                    by_code[code].append(f"{module.name}.{one.name}")
    assert len(by_code) > 50
    assert {code: users for code, users in by_code.items() if len(users) > 1} == {}
    assert [code for code in by_code if not re.fullmatch(r"[a-z]+\.[a-z0-9_]+", code)] == []


def test_what_has_an_error_code_is_called_error() -> None:
    coded = [one.name for module in modules() for one in classes(module.tree) if any(map(error_code, one.body))]
    assert [name for name in coded if not name.endswith("Error")] == []


def error_code(line: ast.stmt) -> str | None:
    """The code that a line in the body of a class gives to an error, None for any other line."""
    match line:
        case ast.Assign(targets=[ast.Name("code")], value=ast.Constant(str(code))):
            return code
        case ast.AnnAssign(ast.Name("code"), ast.Subscript(ast.Name("ClassVar")), ast.Constant(str(code))):
            return code
    return None


def test_the_map_names_every_package() -> None:
    text = (ROOT / PACKAGE / "__init__.py").read_text(encoding="utf-8")
    missing = {row.partition(".")[0] for row in MAY_IMPORT if f"``{row.partition('.')[0]}``" not in text}
    assert missing == set()
