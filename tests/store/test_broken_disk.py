"""A disk that fails and is well again: a database that is open meanwhile goes on, in whatever it was met.

What fails is ``tests/sim/broken_disk``, in a process of its own because a layer is there from the start or not at all.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.broken_disk.layer import BrokenDisk, Fault

CHILD = """
import json, sys, threading
from pathlib import Path
from appliance.errors import MadoguchiError
from appliance.store.database import Database
from tests.sim.box import DATABASE_KEY

path, switch, fault, deeds = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
count = 0


def write():
    with database.transaction() as transaction:
        transaction.run("INSERT INTO note (text) VALUES (zeroblob(3000))")


def read():
    return database.rows("SELECT count(text), sum(length(text)) FROM note")


def follow():
    return len(list(database.each("SELECT text FROM note")))


def see():
    with database.snapshot():
        return read()


def elsewhere():
    said = []
    thread = threading.Thread(target=lambda: said.append(attempt("write")))
    thread.start()
    thread.join()
    return said[0]


def attempt(deed):
    global count
    try:
        done = {"write": write, "read": read, "follow": follow, "see": see, "elsewhere": elsewhere}[deed]()
        count += deed == "write"
        return done if deed == "elsewhere" else "well"
    except MadoguchiError as error:
        return error.code


with Database.create(path, DATABASE_KEY) as database:
    database.script("CREATE TABLE note (text BLOB)")
    for _ in range(30):
        attempt("write")
    switch.write_text(fault)
    broken = [attempt(deed) for deed in deeds]
    switch.unlink()
    well = [attempt(deed) for deed in ("elsewhere", "write", "read", "follow", "see", "elsewhere", "write")]
    print(json.dumps({"broken": broken, "well": well, "written": count, "there": read()[0], "check": database.check()}))
"""


def played(tmp_path: Path, fault: Fault, *deeds: str) -> dict[str, object]:
    for name in ("workshop", "disk"):
        (tmp_path / name).mkdir()
    disk = BrokenDisk(tmp_path / "workshop", tmp_path / "disk")
    arguments = [str(tmp_path / "disk" / "x.db"), str(tmp_path / "workshop" / "fault"), fault.value, *deeds]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **disk.environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(
    "deeds",
    [
        ("write",),
        ("read", "write"),
        ("write", "read"),
        ("write", "read", "write"),
        ("write", "see"),
        ("write", "follow"),
        ("elsewhere", "read"),
        ("follow",),
        ("see", "write"),
    ],
    ids="-".join,
)
def test_a_database_goes_on_after_a_fault_of_the_disk(tmp_path: Path, fault: Fault, deeds: tuple[str, ...]) -> None:
    seen = played(tmp_path, fault, *deeds)
    refused = [said for deed, said in zip(deeds, seen["broken"], strict=True) if deed in ("write", "elsewhere")]  # type: ignore[call-overload]
    assert set(refused) <= {"store.fault", "store.read_only"}
    assert "wrong_key" not in str(seen["broken"])
    assert seen["well"] == ["well"] * 7
    # Nothing of what was refused is there, and everything that was not.
    assert seen["there"] == [seen["written"], 3000 * int(str(seen["written"]))]
    assert seen["check"] == []
