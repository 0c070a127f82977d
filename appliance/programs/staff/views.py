"""The staff site's pages: parse, call a service, render."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import MadoguchiError, RefusedError
from appliance.programs.staff.line_picture import draw, mbit
from appliance.programs.staff.present import Presenter
from appliance.services.check_in import receipt_number
from appliance.services.line import SchoolLine
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import School
from appliance.services.staff import SignedIn, SignInNeededError, StaffAccounts
from appliance.services.visits import Visits
from appliance.store.cards import CardStore
from appliance.store.people import PeopleStore
from appliance.web.site import catalogue, public

COOKIE = "__Host-staff"
BY_ITSELF = "X-Refresh"
"""Sent by a page that refreshes itself, without anybody at it."""

FIRST_YEAR, LAST_YEAR = 2000, 2999


class NoPersonError(RefusedError):
    """Nobody of this id is in the roster."""

    code = "people.unknown"


@dataclass(frozen=True)
class Uses:
    """The services that the pages call."""

    school: School
    accounts: StaffAccounts
    visits: Visits
    people: PeopleStore
    cards: CardStore
    link_codes: LinkCodes
    present: Presenter
    line: SchoolLine


class Authorise:
    """The guard of every page that is not public: a session, or ``SignInNeededError``."""

    def __init__(self, accounts: StaffAccounts) -> None:
        self._accounts = accounts

    def __call__(self) -> None:
        by_itself = request.headers.get(BY_ITSELF) is not None
        g.staff = self._accounts.signed_in(request.cookies.get(COOKIE), active=not by_itself)


def make_blueprint(uses: Uses) -> Blueprint:
    """All pages of the staff site."""
    pages = Blueprint("staff", __name__)
    pages.context_processor(lambda: {"school": uses.school, "staff": g.get("staff"), "number": receipt_number})
    _add_sign_in(pages, uses)
    _add_today(pages, uses)
    _add_people(pages, uses)
    _add_line(pages, uses)
    return pages


def _add_sign_in(pages: Blueprint, uses: Uses) -> None:
    @pages.app_errorhandler(SignInNeededError)
    def to_sign_in(_: SignInNeededError) -> Response:
        # Whoever had a session is told that it has ended; a newcomer is not.
        return redirect(url_for("staff.sign_in", ended=1 if COOKIE in request.cookies else None))

    @pages.get("/sign-in")
    @public
    def sign_in() -> str:
        ended = _sentences(SignInNeededError()) if "ended" in request.args else None
        return render_template("sign_in.html", problem=ended, account="", ended=True)

    @pages.post("/sign-in")
    @public
    def do_sign_in() -> tuple[str, int] | Response:
        account = request.form.get("account", "").strip()
        try:
            token = uses.accounts.sign_in(account, request.form.get("password", ""))
        except RefusedError as error:
            return render_template("sign_in.html", problem=_sentences(error), account=account), error.status
        response = redirect(url_for("staff.today"), 303)
        response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="Strict", path="/")
        return response

    @pages.post("/sign-out")
    def sign_out() -> Response:
        uses.accounts.sign_out(request.cookies.get(COOKIE))
        response = redirect(url_for("staff.sign_in"), 303)
        response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
        return response


def _add_today(pages: Blueprint, uses: Uses) -> None:
    @pages.get("/")
    def today() -> str:
        day = _day(request.args.get("day"))
        state = uses.present.state()
        visits = uses.visits.on(day, state.sent_size)
        now = datetime.now().astimezone()
        return render_template(
            "now.html" if BY_ITSELF in request.headers else "today.html",
            day=day,
            is_today=day.date() == now.date(),
            before=(day - timedelta(days=1)).date(),
            after=(day + timedelta(days=1)).date(),
            visits=visits,
            state=state,
        )

    @pages.get("/box")
    def box() -> str:
        return render_template("box.html", state=uses.present.state())


def _add_people(pages: Blueprint, uses: Uses) -> None:
    @pages.get("/people")
    def people() -> str:
        chosen = request.args.get("class", "")
        found = uses.people.pupils_in(chosen) if chosen else []
        return render_template("people.html", q="", chosen=chosen, classes=uses.people.classes(), found=found)

    @pages.post("/people")
    def search() -> str:
        # A name is typed here: it travels in the request's body, so that no history or log keeps it.
        text = request.form.get("q", "").strip()
        found = uses.people.search(text)
        return render_template("people.html", q=text, chosen="", classes=uses.people.classes(), found=found)

    @pages.get("/people/<person_id>")
    def person(person_id: str) -> str:
        found, today = uses.people.person(person_id), datetime.now().astimezone().date()
        if found is None:
            raise NoPersonError()
        if found.kind == "pupil":
            family = uses.people.guardians_of(person_id, today)
        else:
            family = uses.people.pupils_of(person_id, today)
        linked = {one.id: uses.cards.is_linked(one.id) for one in [found, *family] if one.kind == "guardian"}
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        waiting = {one: uses.cards.open_code(one, now_ms) for one in linked}
        return render_template("person.html", person=found, family=family, linked=linked, waiting=waiting, when=_when)

    @pages.post("/people/<person_id>/code")
    def issue_code(person_id: str) -> str:
        staff: SignedIn = g.staff
        printed = uses.link_codes.issue(person_id, staff.id)
        pupils = uses.people.pupils_of(person_id, datetime.now().astimezone().date())
        return render_template("code.html", printed=printed, pupils=pupils, expires=_when(printed.expires_ms))


def _add_line(pages: Blueprint, uses: Uses) -> None:
    pages.add_app_template_filter(mbit, "mbit")
    pages.add_app_template_filter(_when, "moment")

    @pages.get("/line")
    def line() -> str:
        view = uses.line.view()
        return render_template(
            "line_now.html" if BY_ITSELF in request.headers else "line.html", view=view, picture=draw(view)
        )

    @pages.post("/line/measure")
    def measure_line() -> Response:
        uses.line.measure()
        return redirect(url_for("staff.line"), 303)


def _sentences(error: MadoguchiError) -> list[str]:
    return [catalogue().text("ja", error.code, part, **error.fields) for part in ("", "means", "next")]


def _when(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000).astimezone()


def _day(text: str | None) -> datetime:
    """Midnight of the asked day, today for none, for nonsense and for centuries without schools."""
    day = None
    with suppress(ValueError):
        day = datetime.fromisoformat(text or "")
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        day = datetime.now().astimezone()
    return day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None).astimezone()
