"""One health check a file: a function from ``Condition`` to ``Problem | None``. A new one is added to ``CHECKS``."""

from appliance.services.checks.archive import check_archive
from appliance.services.checks.backup import check_backup
from appliance.services.checks.card import check_card
from appliance.services.checks.certificate import check_certificate
from appliance.services.checks.clock import check_clock
from appliance.services.checks.clock_ahead import check_clock_ahead
from appliance.services.checks.disk import check_disk
from appliance.services.checks.enrolment import check_enrolment
from appliance.services.checks.generation import check_generation
from appliance.services.checks.hub import check_hub
from appliance.services.checks.keys import check_keys
from appliance.services.checks.line import check_line
from appliance.services.checks.reader import check_reader
from appliance.services.checks.readers import check_readers
from appliance.services.checks.rotation import check_rotation
from appliance.services.checks.storage import check_storage
from appliance.services.condition import FAULT, NOTE, WARNING, Condition, Problem

CHECKS = (
    check_storage,
    check_disk,
    check_clock,
    check_clock_ahead,
    check_reader,
    check_readers,
    check_card,
    check_enrolment,
    check_line,
    check_hub,
    check_certificate,
    check_generation,
    check_backup,
    check_archive,
    check_keys,
    check_rotation,
)
ORDER = (FAULT, WARNING, NOTE)


def problems(condition: Condition) -> list[Problem]:
    """Everything that is not as it should be, the faults first, what is only to be known last."""
    found = [problem for check in CHECKS if (problem := check(condition)) is not None]
    return sorted(found, key=lambda problem: ORDER.index(problem.severity))
