"""The five families of errors. A class stands beside the code that raises it; only the families are here."""

from typing import ClassVar

Field = str | int | bool | None


class MadoguchiError(Exception):
    """An error that a screen can explain.

    ``code`` is the dotted name by which the message catalogue and the staff know it. ``fields`` fill the
    sentence and never hold a secret, a person's name or a card's serial number.
    """

    code: ClassVar[str] = "box.error"
    status: ClassVar[int] = 500

    def __init__(self, /, **fields: Field) -> None:  # a field may have any name
        super().__init__()
        self.fields = fields

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.fields.items())])


class RefusedError(MadoguchiError):
    """The person in front of the box can mend it: a wrong PIN, an expired code, a bad file."""

    code = "box.refused"
    status = 422


class BusyError(MadoguchiError):
    """Somebody else is using the thing; the same call can succeed later."""

    code = "box.busy"
    status = 409


class UnavailableError(MadoguchiError):
    """A part is missing or away: the reader, the card, the broker, the disk."""

    code = "box.unavailable"
    status = 503


class UntrustedError(MadoguchiError):
    """Something did not verify: a certificate, a signature, a tree, a session."""

    code = "box.untrusted"
    status = 403


class ConfigError(MadoguchiError):
    """The settings or credentials are wrong; a program that meets it does not start."""

    code = "config.invalid"
    status = 500
