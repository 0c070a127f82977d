"""What can go wrong with the database and the disk below it, in the words of the families of errors."""

from appliance.errors import BusyError, ConfigError, MadoguchiError, UnavailableError


class WrongKeyError(ConfigError):
    """The key does not open the file, or the file is no database."""

    code = "store.wrong_key"


class DatabaseMissingError(ConfigError):
    """There is no database yet; ``appliance init`` makes it."""

    code = "store.missing"


class StoreBusyError(BusyError):
    """Another program held the database for longer than the busy timeout."""

    code = "store.busy"


class DiskFullError(UnavailableError):
    """The disk has no room: nothing of the transaction was written."""

    code = "store.disk_full"


class ReadOnlyError(UnavailableError):
    """The file system or the file cannot be written."""

    code = "store.read_only"


class StoreError(UnavailableError):
    """Any other fault of the database or the disk below it."""

    code = "store.fault"


class ConstraintError(MadoguchiError):
    """A rule of the schema was broken: a row twice, or a change to what may only grow."""

    code = "store.constraint"


def fault_of(text: str) -> MadoguchiError:
    """What SQLite's words for a failed statement mean for who asked for it."""
    if "not a database" in text or "file is encrypted" in text:
        return WrongKeyError(reason="the key does not open the database")
    if "locked" in text or "busy" in text:
        return StoreBusyError()
    if "full" in text:
        return DiskFullError()
    if "readonly" in text or "unable to open" in text:
        return ReadOnlyError()
    return StoreError(reason=text)
