"""A release opens two files for one request, and the key of backups goes nowhere."""

import dataclasses
import io
import json

import pytest

from appliance.ledger.recipient import Recipient, seal_for
from appliance.ledger.release import Release, ReleaseDocumentError, ReleaseError, RestoreRequest, _info
from appliance.ledger.sealed_file import Header, OtherRecipientError, open_content
from tests.ledger.test_sealed_file import ABOUT, HOLDER, sealed

BOX = Recipient.make()
REQUEST = RestoreRequest(BOX.public_bytes())


def read(content: bytes, kind: str) -> tuple[Header, io.BytesIO]:
    file = io.BytesIO(sealed(content, dataclasses.replace(ABOUT, kind=kind)))
    return Header.read(file.read), file


def test_the_box_that_asked_opens_both_files() -> None:
    (backup, backup_file), (keys, keys_file) = read(b"entries", "backup"), read(b"seeds", "keys")
    request = RestoreRequest.from_json(REQUEST.to_json())
    release = Release.from_json(Release.make(request, HOLDER, backup, keys).to_json())
    for key, header, file, content in zip(
        release.open(BOX, backup, keys), (backup, keys), (backup_file, keys_file), (b"entries", b"seeds"), strict=True
    ):
        assert b"".join(open_content(header, key, file.read)) == content
    assert request.number == REQUEST.number
    assert len(request.number) == 19


def test_it_opens_nothing_else_and_for_nobody_else() -> None:
    (backup, _), (keys, _), (other, _) = read(b"entries", "backup"), read(b"seeds", "keys"), read(b"x", "keys")
    release = Release.make(REQUEST, HOLDER, backup, keys)
    for one_time, headers, reason in (
        (BOX, (backup, other), "files"),
        (BOX, (keys, backup), "files"),
        (Recipient.make(), (backup, keys), "request"),
    ):
        with pytest.raises(ReleaseError) as refused:
            release.open(one_time, *headers)
        assert refused.value.fields == {"reason": reason}
    with pytest.raises(ReleaseError):  # the ids are in the seal, not only beside it
        dataclasses.replace(release, keys_id=other.file_id).open(BOX, backup, other)
    short = seal_for(BOX.public_bytes(), b"short", _info(backup.file_id, keys.file_id))
    with pytest.raises(ReleaseError):
        dataclasses.replace(release, sealed=short).open(BOX, backup, keys)
    with pytest.raises(OtherRecipientError):
        Release.make(REQUEST, SOMEBODY, backup, keys)


SOMEBODY = Recipient.make()


def test_what_is_no_such_document_is_refused() -> None:
    release = json.loads(Release(b"b" * 32, b"k" * 32, b"sealed").to_json())
    wrong: list[bytes] = [b"", b"[]", b"{}", b"[" * 30_000, REQUEST.to_json(), b" " * 70_000]
    wrong += [
        json.dumps({**release, name: value}).encode() for name in ("backup", "sealed") for value in (1, "!", None)
    ]
    for data in wrong:
        with pytest.raises(ReleaseDocumentError):
            Release.from_json(data)
    for data in [*wrong[:4], json.dumps({**json.loads(REQUEST.to_json()), "key": "AAAA"}).encode()]:
        with pytest.raises(ReleaseDocumentError):
            RestoreRequest.from_json(data)
