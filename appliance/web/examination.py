"""The examination of evidence in words, for the verifier and for an auditor alike."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from appliance.errors import MadoguchiError
from appliance.web.console import sentence


def describe_examination(summary: Mapping[str, Any], fault: MadoguchiError | None) -> str:
    """``summary`` is what programs are given as JSON (``ledger.examination``), ``fault`` what the first check that
    does not hold found. The verdict comes first, then the numbered list, then what the person read.

    What failed is said in words for who looks at evidence: the fault's own sentence is for who holds a card.
    """
    lines = [_say("good") if fault is None else _refusal(summary["checks"], fault)]
    if summary["test_card"]:
        lines.append(_say("test_card"))
    for number, check in enumerate(summary["checks"], 1):
        lines.append(f"  {number}. {_say('result-' + check['result'])}  {_say('check-' + check['check'])}")
    lines += [_say("revocation"), _say("record", number=f"M-{summary['entry']:06d}", origin=summary["origin"])]
    said = summary["statement"]
    if said is None:
        return "\n".join(lines)
    at = datetime.fromtimestamp(said["time_ms"] / 1000, UTC).astimezone()
    lines += [
        _say("school", name=said["school_name"], code=said["school"]),
        _say("time", at=f"{at:%Y-%m-%d %H:%M:%S %z}"),
        _say("read" if fault is None else "unproven", purpose=said["purpose"], language=said["language"]),
    ]
    return "\n".join([*lines, *(f"  {_printable(line)}" for line in said["lines"])])


def _refusal(checks: Sequence[Mapping[str, str]], fault: MadoguchiError) -> str:
    results = [one["result"] for one in checks]
    at = results.index("failed")
    reason = _say(f"failed-{checks[at]['check']}")
    return f"{_say('refused', number=at + 1, reason=reason)} [{_printable(str(fault))}]"


def _say(key: str, **fields: object) -> str:
    safe = {name: _printable(value) if isinstance(value, str) else value for name, value in fields.items()}
    return sentence(f"proof-{key}", safe)


def _printable(text: str) -> str:
    """Without what could move a terminal's cursor: the text may be anybody's."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
