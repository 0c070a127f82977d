"""The options by which hardware is chosen, and what a run with a real card does differently: loaded for every run.

Without ``--reader`` the tests marked ``hardware`` are deselected; with it, all others are. A traceback then shows no
values, and the first ``RefusalError`` ends the run.
"""

from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.errors import MadoguchiError
from tests.hardware.refusal import RefusalError
from tests.hardware.report import Report

REPORT = pytest.StashKey[Report]()
# A person looks for the card, reads, and types.
MOST_S = 900


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hardware", "a real reader and a real card; read docs/first-card.md before")
    group.addoption("--reader", metavar="NAME", help="beginning of the reader's name; only these tests are run then")
    group.addoption("--test-card", type=Path, metavar="FILE", help="the holder's declaration of the card")
    group.addoption("--anchors", type=Path, metavar="FILE", help="root certificates; default: the CA on the card")
    group.addoption("--pin-fd", type=int, metavar="N", help="file descriptor that gives the PIN; default: ask")
    group.addoption("--take-away", action="store_true", help="also ask to take the card away in the middle")
    group.addoption("--report", type=Path, metavar="FILE", help="write what was found out, without personal data")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hardware: talks to the reader named with --reader")
    if config.getoption("reader") is None:
        return
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--reader: there is one card, so -n cannot be used")
    config.stash[REPORT] = Report()
    config.option.tbstyle, config.option.showlocals = "short", False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    hardware = config.getoption("reader") is not None
    left_out = [item for item in items if (item.get_closest_marker("hardware") is not None) != hardware]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    if hardware:
        for item in items:
            item.add_marker(pytest.mark.timeout(MOST_S))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if REPORT in item.config.stash:
        item.config.stash[REPORT].begin(check_of(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    said = yield
    if REPORT not in item.config.stash:
        return said
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, RefusalError):
        said.longrepr = f"refused: {error}"
        item.session.shouldstop = str(error)
    if call.when == "call" or said.outcome != "passed":
        item.config.stash[REPORT].conclude(check_of(item), outcome_of(said, error))
    return said


def pytest_sessionfinish(session: pytest.Session) -> None:
    path, report = session.config.getoption("report"), session.config.stash.get(REPORT, None)
    if path is not None and report is not None:
        report.write(path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report, path = config.stash.get(REPORT, None), config.getoption("report")
    if report is None:
        return
    terminalreporter.section("what was found out")
    for name, value in report.facts.items():
        terminalreporter.write_line(f"{name}: {'not known' if value is None else value}")
    if path is not None:
        terminalreporter.write_line(f"The report is in {path}. It holds nothing personal; read it before you send it.")


def check_of(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name))


def outcome_of(said: pytest.TestReport, error: BaseException | None) -> str:
    """For the report: the outcome, and of what failed the code or the class of the error."""
    if isinstance(error, RefusalError):
        return "refused"
    if said.outcome != "failed" or error is None:
        return said.outcome
    return f"failed {error.code if isinstance(error, MadoguchiError) else type(error).__name__}"
