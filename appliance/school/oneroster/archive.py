"""The ZIP around the CSV files: read within limits, written with the same bytes each time."""

import io
import zipfile
import zlib
from collections.abc import Mapping

from appliance.school.oneroster import RosterError

MAX_ZIP_BYTES = 8 * 1024 * 1024
MAX_FILES = 40
MAX_UNPACKED_BYTES = 32 * 1024 * 1024
"""A school of 380 pupils has 0.6 MB; the largest in the country is not ten times as large."""
EARLIEST = (1980, 1, 1, 0, 0, 0)
READ_ONLY_BY_OWNER = 0o100600 << 16
ENCRYPTED = 0x1


class ArchiveError(RosterError):
    """Not a whole ZIP; ``reason`` is damaged, encrypted or method (a compression that is not deflate)."""

    code = "roster.archive"


class ArchiveSizeError(RosterError):
    """Larger than any school can be: ``limit`` counts bytes or files, ``what`` says of which."""

    code = "roster.size"


class MemberError(RosterError):
    """A member that does not belong there; ``reason`` is folder, twice or unknown."""

    code = "roster.member"


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of a ZIP by name. Raises ``ArchiveError``, ``ArchiveSizeError`` or ``MemberError``.

    The limits count the bytes that really come out: the sizes that a ZIP states of itself can be lies.
    """
    if len(data) > MAX_ZIP_BYTES:
        raise ArchiveSizeError(what="zip", limit=MAX_ZIP_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unpack(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        raise ArchiveError(reason="damaged") from error
    except NotImplementedError as error:
        raise ArchiveError(reason="method") from error


def pack(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of these files in this order: fixed dates, deflate, so the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, EARLIEST)
            info.create_system = 3  # else the bytes would depend on the machine that wrote them
            info.external_attr = READ_ONLY_BY_OWNER
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def _unpack(archive: zipfile.ZipFile) -> dict[str, bytes]:
    members = archive.infolist()
    if len(members) > MAX_FILES:
        raise ArchiveSizeError(what="files", limit=MAX_FILES)
    files: dict[str, bytes] = {}
    left = MAX_UNPACKED_BYTES
    for member in members:
        if "/" in member.filename or "\\" in member.filename:
            raise MemberError(file=member.filename[:80], reason="folder")
        if member.filename in files:
            raise MemberError(file=member.filename[:80], reason="twice")
        if member.flag_bits & ENCRYPTED:
            raise ArchiveError(reason="encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(reason="method")
        with archive.open(member) as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ArchiveSizeError(what="unpacked", limit=MAX_UNPACKED_BYTES)
        files[member.filename] = content
    return files
