"""What every response tells the browser not to do."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from appliance.web.headers import HEADERS, POLICY
from tests.web.small_site import SmallSite

ADDRESSES = ("/open", "/shut", "/nowhere", "/moved", "/fails/foreign", "/shared/base.css", "/open?q=<script>")


@pytest.fixture
def small() -> SmallSite:
    return SmallSite()


def answers(small: SmallSite) -> Iterator[tuple[str, TestResponse]]:
    client = small.client()
    for address in ADDRESSES:
        yield address, client.get(address, base_url=small.origin, buffered=True)
    yield "unknown host", client.get("/open", base_url="http://elsewhere.example")
    yield "wrong method", client.delete("/token", base_url=small.origin)


def directives() -> dict[str, list[str]]:
    return {name: sources for name, *sources in (one.split() for one in POLICY.split(";"))}


def test_nothing_unsafe_and_nothing_from_outside() -> None:
    found = directives()
    assert {source for sources in found.values() for source in sources} == {"'none'", "'self'"}
    assert found["default-src"] == ["'none'"]
    assert {"base-uri", "form-action", "frame-ancestors"} <= set(found)  # default-src does not cover these
    assert found["frame-ancestors"] == ["'none'"]


def test_every_answer_carries_them_the_failures_too(small: SmallSite) -> None:
    for address, answer in answers(small):
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, address


def test_pages_are_never_kept(small: SmallSite) -> None:
    kept = {address: answer.headers["Cache-Control"] for address, answer in answers(small)}
    assert kept.pop("/shared/base.css") == "private, max-age=3600"
    assert set(kept.values()) == {"no-store"}


def test_no_answer_names_the_software_behind_it(small: SmallSite) -> None:
    for address, answer in answers(small):
        assert "X-Powered-By" not in answer.headers, address
        assert "Werkzeug" not in answer.headers.get("Server", ""), address


def test_only_an_encrypted_site_asks_to_stay_encrypted() -> None:
    plain, encrypted = SmallSite(), SmallSite(https=True)
    assert "Strict-Transport-Security" not in plain.client().get("/open", base_url=plain.origin).headers
    asked = encrypted.client().get("/open", base_url=encrypted.origin).headers["Strict-Transport-Security"]
    assert int(asked.removeprefix("max-age=")) >= 31_536_000
