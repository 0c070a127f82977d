"""The staff site on a real box, and a member of staff without a browser."""

import html
import re
from collections.abc import Mapping

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.log import EventLog
from appliance.programs.staff.present import Presenter
from appliance.programs.staff.views import Authorise, Uses, make_blueprint
from appliance.services import staff as staff_module
from appliance.services.condition import observe
from appliance.services.enrolment import EnrolmentStore
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.services.staff import StaffAccounts
from appliance.services.visits import Visits
from appliance.store.cards import CardStore
from appliance.store.people import PeopleStore
from appliance.store.signal import SignalStore
from appliance.store.staff import StaffStore
from appliance.store.visits import VisitStore
from appliance.web.catalogue import Catalogue
from appliance.web.site import MESSAGES, make_site

HOST = "https://madoguchi.local"
PASSWORD = "correct horse battery"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def accounts(box: OpenBox, monkeypatch: pytest.MonkeyPatch) -> StaffAccounts:
    # The same argon2id with little memory, so that many tries fit a test.
    monkeypatch.setattr(staff_module, "PasswordHasher", lambda: PasswordHasher(1, 8, 1))
    accounts = StaffAccounts(box, StaffStore(box.database))
    accounts.add("admin", "見本 管理者", "it", PASSWORD)
    return accounts


@pytest.fixture
def site(box: OpenBox, accounts: StaffAccounts) -> Flask:
    """The site as its program builds it; the box has no people yet."""
    people, cards = PeopleStore(box.database), CardStore(box.database)
    signals, enrolment = SignalStore(box.database), EnrolmentStore(box.database)
    uses = Uses(
        school=box.school,
        accounts=accounts,
        visits=Visits(box, VisitStore(box.database), people),
        people=people,
        cards=cards,
        link_codes=LinkCodes(box, cards, people),
        present=Presenter(lambda: observe(box, signals, enrolment.find() is not None), Catalogue(MESSAGES)),
    )
    return make_site(
        "appliance.programs.staff",
        (make_blueprint(uses),),
        secret_key=b"f" * 32,
        trusted_hosts=("madoguchi.local",),
        https=True,
        authorise=Authorise(accounts),
        log=EventLog("staff"),
    )


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
