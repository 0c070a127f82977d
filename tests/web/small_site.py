"""A site of four pages, as ``make_site`` builds the kiosk and the staff site, without anything behind them."""

from dataclasses import dataclass, field

from flask import Blueprint, Flask, redirect, request
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from appliance.errors import Field, MadoguchiError, RefusedError, UntrustedError
from appliance.log import EventLog
from appliance.services.staff import WrongPasswordError
from appliance.web.site import make_site, public
from tests.web.messages import SENTENCES

HOST = "box.example"
SECRET = "hanako-1234-5678"
"""What must not show up on a page or in a log."""


class NobodyError(UntrustedError):
    """What the guard of the small site says to everybody; it has no sentence."""

    code = "test.nobody"


class UnheardError(RefusedError):
    """An error that the catalogue has no sentence for."""

    code = "test.unheard"


@dataclass
class SmallSite:
    """``asked`` lists the endpoints for which the guard was called, ``changes`` what reached a view that changes."""

    https: bool = False
    allowed: bool = False
    asked: list[str | None] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app: Flask = make_site(
            "appliance.web",
            (self._pages(),),
            secret_key=b"s" * 32,
            trusted_hosts=(HOST,),
            https=self.https,
            authorise=self._authorise,
            sentences=SENTENCES,
            log=EventLog("small"),
            max_request_bytes=4096,
        )

    @property
    def origin(self) -> str:
        return f"{'https' if self.https else 'http'}://{HOST}"

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def token(self, client: FlaskClient) -> str:
        """A token for forms, and with it the cookie that belongs to it."""
        return client.get("/token", base_url=self.origin).get_data(as_text=True)

    def _authorise(self) -> None:
        self.asked.append(request.endpoint)
        if not self.allowed:
            raise NobodyError()

    def _pages(self) -> Blueprint:
        pages = Blueprint("small", __name__)

        @pages.get("/token")
        @public
        def token() -> str:
            return str(generate_csrf())

        @pages.route("/open", methods=["GET", "POST", "PUT", "DELETE"])
        @public
        def open_page() -> str:
            if request.method != "GET":
                self.changes.append(request.method)
            return "open"

        @pages.route("/shut", methods=["GET", "POST"])
        def shut_page() -> str:
            self.changes.append(request.method)
            return "shut"

        @pages.get("/moved")
        @public
        def moved() -> Response:
            return redirect("/open", 303)

        @pages.get("/fails/<kind>")
        @public
        def fails(kind: str) -> str:
            raise failures()[kind]

        return pages


def failures() -> dict[str, Exception]:
    secret: dict[str, Field] = {"typed": SECRET}
    return {
        "known": WrongPasswordError(),
        "unheard": UnheardError(**secret),
        "family": MadoguchiError(**secret),
        "foreign": ValueError(SECRET),
    }
