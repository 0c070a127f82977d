"""``docs/protocol.md`` names every lane, kind and limit as the program has it, and nothing else."""

import re
from pathlib import Path

from appliance.sync import fields, renewal, replica, wire
from appliance.sync.wire import Lane

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    """The rows of the table under this mark, without its head."""
    _, _, rest = PAGE.partition(f"<!-- {name} -->\n")
    rows = rest.partition("\n\n")[0].splitlines()
    assert len(rows) > 2
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_every_lane_is_described() -> None:
    assert [row[0] for row in table("lanes")] == [lane.value for lane in Lane]


def test_every_kind_of_message_is_described() -> None:
    assert [int(row[0]) for row in table("kinds")] == sorted(wire._READERS)
    named = {row[2] for row in table("kinds")}
    assert {one for lanes in named for one in lanes.split(", ")} <= {lane.value for lane in Lane}


def test_every_limit_is_the_programs() -> None:
    assert [int(row[1]) for row in table("limits")] == [
        wire.MAX_MESSAGE_BYTES,
        wire.MAX_PLAIN_BYTES,
        fields.MAX_NUMBER,
        fields.MAX_ITEMS,
        replica.MAX_ENTRIES,
        renewal.MAX_PEM_BYTES,
        replica.FIRST_TIMEOUT_MS,
        replica.LONGEST_TIMEOUT_MS,
    ]


def test_the_version_and_the_topics_are_the_programs() -> None:
    assert f"| 1 | the version: {wire.VERSION} |" in PAGE
    assert f"`{wire.ROOT}/SCHOOL/LANE`" in PAGE


def test_every_refusal_on_the_page_is_one_that_the_program_knows() -> None:
    named = set(re.findall(r"`((?:sync|hub)\.[a-z_]+)`", PAGE))
    assert len(named) >= 4
    source = "".join(one.read_text() for one in (Path(__file__).parents[2] / "appliance").rglob("*.py"))
    assert {one for one in named if f'"{one}"' not in source} == set()
