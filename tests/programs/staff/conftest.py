"""The staff site on a real box, and a member of staff without a browser."""

import html
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.programs.staff.__main__ import site_of
from appliance.services import staff as staff_module
from appliance.services.opening import OpenBox
from appliance.services.staff import StaffAccounts
from appliance.store.staff import StaffStore
from tests.web.messages import SENTENCES

HOST = "https://madoguchi.local"
PASSWORD = "correct horse battery"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def site(box: OpenBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The site as its program builds it, with one account; the box has no people yet."""
    # The same argon2id with little memory, so that many tries fit a test.
    monkeypatch.setattr(staff_module, "PasswordHasher", lambda: PasswordHasher(1, 8, 1))
    StaffAccounts(box, StaffStore(box.database)).add("admin", "見本 管理者", "it", PASSWORD)
    return site_of(box, ("madoguchi.local",), "", SENTENCES, tmp_path / "sealing.json")


class Member:
    """Asks for pages and sends their forms, with the token of the last page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse:
        return self._seen(self.client.get(path, base_url=HOST, headers=headers))

    def post(
        self, path: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        own = {"Origin": HOST, "Referer": f"{HOST}/", "Sec-Fetch-Site": "same-origin", **(headers or {})}
        data = {"csrf_token": self.token, **(form or {})}
        return self._seen(self.client.post(path, base_url=HOST, headers=own, data=data))

    def sign_in(self, account: str = "admin", password: str = PASSWORD) -> TestResponse:
        self.get("/sign-in")
        return self.post("/sign-in", {"account": account, "password": password})

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name, "madoguchi.local")
        return None if found is None else found.value

    def _seen(self, answer: TestResponse) -> TestResponse:
        if token := CSRF.search(answer.get_data(as_text=True)):
            self.token = html.unescape(token.group(1))
        return answer


@pytest.fixture
def visitor(site: Flask) -> Member:
    """Somebody on the LAN who has not signed in."""
    return Member(site.test_client())


@pytest.fixture
def member(visitor: Member) -> Member:
    """Signed in as the administrator."""
    assert visitor.sign_in().status_code == 303
    visitor.get("/")
    return visitor
