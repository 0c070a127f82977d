"""``appliance erase due`` erases what the rules keep no longer; ``appliance erase records`` what a person ordered."""

import argparse
from collections import Counter

from appliance.errors import RefusedError
from appliance.programs.cli.opened import opened_box, settings
from appliance.programs.cli.output import FINE, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_group, entry_place
from appliance.school.retention import Retention, Rule
from appliance.services.check_in import receipt_number
from appliance.services.erasure import Erased, Erasure
from appliance.services.opening import OpenBox
from appliance.store.evidence import EvidenceStore

MOST_REASON = 200


class UnconfirmedError(RefusedError):
    """An erasure cannot be undone, and nobody confirmed that it is meant."""

    code = "erase.unconfirmed"


class ReasonError(RefusedError):
    """An order without a reason, or with one of more than ``MOST_REASON`` characters."""

    code = "erase.reason"


def add(commands: Commands) -> None:
    """Adds ``erase due`` and ``erase records``."""
    parts = add_group(commands, "erase", "content that is kept no longer, or goes by order")
    rules = add_command(parts, "due", "erase the content that the retention rules keep no longer", erase_due)
    rules.add_argument("--dry-run", action="store_true", help="only say what would be erased")
    text = "erase the content of single records by order; this cannot be undone"
    order = add_command(parts, "records", text, erase_records)
    text = "index of a record, or a number such as M-000123, or M-000123/1 in an earlier ledger"
    order.add_argument("numbers", nargs="+", metavar="NUMBER", help=text)
    order.add_argument("--reason", required=True, help="the legal reason, without any name; it stays in the ledger")
    order.add_argument("--yes", action="store_true", help="yes, erase it for good")


def erase_due(arguments: argparse.Namespace) -> int:
    """Erases by rule, or says what would go."""
    with opened_box() as box:
        erasure = _erasure(box)
        due: Counter[str] = Counter()
        for one in erasure.due():
            due[one.rule.label] += len(one.indices)
        if arguments.dry_run:
            words = "\n".join(say("erase-due", count=count, rule=rule) for rule, count in due.items())
            show({"due": due}, arguments.json, words or say("erase-none"))
            return FINE
        erased = erasure.run()
    show({"erased": due, "cleaned": erased.cleaned}, arguments.json, _words(erased))
    return FINE


def erase_records(arguments: argparse.Namespace) -> int:
    """Erases the content of the named records."""
    places = [entry_place(number) for number in arguments.numbers]
    if not 0 < len(arguments.reason.strip()) <= MOST_REASON:
        raise ReasonError(most=MOST_REASON)
    if not arguments.yes:
        raise UnconfirmedError(numbers=", ".join(receipt_number(*place) for place in places))
    records: dict[int | None, list[int]] = {}
    for index, generation in places:
        records.setdefault(generation, []).append(index)
    with opened_box() as box:
        erased = _erasure(box).order(records, arguments.reason.strip())
    show({"erased": erased.count, "cleaned": erased.cleaned}, arguments.json, _words(erased))
    return FINE


def _erasure(box: OpenBox) -> Erasure:
    return Erasure(
        box, EvidenceStore(box.database), Retention({Rule.ACCESS_LOG: settings().retention.access_log_years})
    )


def _words(erased: Erased) -> str:
    if not erased.count:
        return say("erase-none")
    return say("erase-done", count=erased.count) + ("" if erased.cleaned else "\n" + say("erase-uncleaned"))
