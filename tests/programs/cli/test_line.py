"""``appliance sync line``: measured, recommended, and in words."""

import json

from appliance.clock import SystemClock
from appliance.services.founding import DATABASE_KEY
from appliance.services.opening import DATABASE_NAME
from appliance.store.database import Database
from appliance.store.line import LineSample, LineStore
from tests.programs.cli.conftest import CommandLine

DAY_MS = 86_400_000


def measure(command: CommandLine, *samples: LineSample, pupils: int = 0) -> None:
    key = (command.keys / DATABASE_KEY).read_bytes()
    with Database.open(command.state / DATABASE_NAME, key) as database:
        for one in samples:
            LineStore(database).add(one)
        with database.transaction() as transaction:
            transaction.run_many(
                "INSERT INTO person VALUES (?, 'pupil', '見本', 'ミホン', '1年1組', 1, 0, 1)",
                [(f"pupil-{number}",) for number in range(pupils)],
            )


def test_a_box_that_never_measured_says_so(command: CommandLine) -> None:
    answer = command.run("sync", "line", "--json")
    assert answer.code == 0
    assert answer.last == {"pupils": 0, "recommended_bit_s": None, "share": None, "samples": []}
    assert "not been measured" in command.run("sync", "line").out
    command.speak("ja_JP.UTF-8")
    assert "まだ測っていません" in command.run("sync", "line").out


def test_the_latest_measurement_comes_first_and_stands_against_the_table(command: CommandLine) -> None:
    latest = LineSample(SystemClock().now_ms(), 54_000_000, 8, 1)
    measure(command, LineSample(latest.at_ms - DAY_MS, 9_400_000, 21, 1), latest, pupils=120)
    answer = command.run("sync", "line", "--json")
    assert (answer.last["recommended_bit_s"], answer.last["share"]) == (216_000_000, 0.25)
    samples = json.loads(answer.out)["samples"]
    assert [one["bit_s"] for one in samples] == [9_400_000, 54_000_000]
    lines = command.run("sync", "line").out.splitlines()
    assert "216 Mbit/s" in lines[0]
    assert "25%" in lines[1]
    assert ("54.0 Mbit/s" in lines[2], "9.4 Mbit/s" in lines[3]) == (True, True)
