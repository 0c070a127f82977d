"""What the kiosk and the staff site share: an application that denies by default.

Every view needs the site's ``authorise`` to pass unless it is marked ``@public``. Every change needs a CSRF token and
a request that this site's own page made. Errors become a page with a sentence, never a trace.
"""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from flask import Blueprint, Flask, current_app, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, SecurityError

from appliance.errors import MadoguchiError, UntrustedError
from appliance.log import EventLog, place
from appliance.web.catalogue import Catalogue, NoSentenceError, plain, with_ruby
from appliance.web.headers import add_headers

MAX_REQUEST_BYTES = 64 * 1024
PUBLIC = "madoguchi_public"
View = TypeVar("View", bound=Callable[..., Any])


class ForeignRequestError(UntrustedError):
    """A change that another site's page asked for."""

    code = "web.foreign_request"


class StaleFormError(UntrustedError):
    """A form from before the sign-in or the restart; nothing was changed."""

    code = "web.stale_form"


def public(view: View) -> View:
    """Marks a view that anybody who reaches the site may call."""
    setattr(view, PUBLIC, True)
    return view


WAYS_OUT = (("/", "web-back"),)


def make_site(
    package: str,
    blueprints: tuple[Blueprint, ...],
    *,
    secret_key: bytes,
    trusted_hosts: tuple[str, ...],
    https: bool,
    authorise: Callable[[], None],
    sentences: Catalogue,
    log: EventLog,
    audience: str = "",
    ways_out: tuple[tuple[str, str], ...] = WAYS_OUT,
    max_request_bytes: int = MAX_REQUEST_BYTES,
) -> Flask:
    """A Flask application with headers, CSRF protection, guard, error pages and the message catalogue.

    ``package`` is the import name of the program whose ``templates`` and ``static`` it uses; ``authorise`` raises if
    the person behind the current request may not be here. Where the catalogue has a sentence of its own for the
    ``audience`` (``staff-store-fault``), an error page says that one; ``ways_out`` are its links, as path
    and key of the catalogue.
    """
    root = Path(str(files(package)))
    site = Flask(package, root_path=str(root), template_folder="templates", static_folder="static")
    site.config.update(
        SECRET_KEY=secret_key,
        TRUSTED_HOSTS=list(trusted_hosts),
        MAX_CONTENT_LENGTH=max_request_bytes,
        SESSION_COOKIE_NAME="__Host-form" if https else "form",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_SSL_STRICT=https,
        WTF_CSRF_TIME_LIMIT=None,
    )
    site.extensions["catalogue"] = sentences
    shared = Blueprint(
        "shared",
        "appliance.web",
        static_folder="static",
        static_url_path="/shared",
        template_folder="templates",
        root_path=str(files("appliance.web")),
    )
    site.register_blueprint(shared)
    for blueprint in blueprints:
        site.register_blueprint(blueprint)
    add_headers(site, https)
    _add_filters(site)
    # The guard goes first: whose session has ended is told to sign in again, not that the form is old.
    _add_guard(site, authorise)
    CSRFProtect(site)
    _add_error_pages(site, log, audience, ways_out)
    return site


def catalogue() -> Catalogue:
    """The current site's sentences."""
    found: Catalogue = current_app.extensions["catalogue"]
    return found


def _add_filters(site: Flask) -> None:
    site.jinja_env.filters["ruby"] = with_ruby
    site.jinja_env.filters["plain"] = plain
    site.jinja_env.trim_blocks = site.jinja_env.lstrip_blocks = True


def _add_guard(site: Flask, authorise: Callable[[], None]) -> None:
    @site.before_request
    def guard() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS") and _is_foreign():
            raise ForeignRequestError()
        if request.endpoint is None or request.endpoint in ("static", "shared.static"):
            return
        if not getattr(site.view_functions[request.endpoint], PUBLIC, False):
            authorise()


def _is_foreign() -> bool:
    """Whether the browser says that another site's page made the request. Both headers are the browser's own."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return True
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")


def _add_error_pages(site: Flask, log: EventLog, audience: str, ways_out: tuple[tuple[str, str], ...]) -> None:
    def page(code: str, status: int, fields: dict[str, Any]) -> tuple[str, int]:
        sentences = catalogue()
        language = request.accept_languages.best_match(sentences.languages) or sentences.languages[0]

        def parts(code: str) -> list[str]:
            own = f"{audience}-{code}".replace(".", "-")
            key = own if own in sentences.keys(language) else code
            return [sentences.text(language, key, part, **fields) for part in ("", "means", "next")]

        try:
            said = parts(code)
        except NoSentenceError as error:
            log.error("web.no_sentence", code=code, detail=str(error))
            said = parts("box.error")
        links = [(path, sentences.text(language, key)) for path, key in ways_out]
        return render_template("error.html", code=code, language=language, sentences=said, links=links), status

    @site.errorhandler(MadoguchiError)
    def known(error: MadoguchiError) -> tuple[str, int]:
        log.warning("web.refused", code=error.code, endpoint=request.endpoint)
        return page(error.code, error.status, error.fields)

    @site.errorhandler(CSRFError)
    def stale(_: CSRFError) -> tuple[str, int]:
        return known(StaleFormError())

    @site.errorhandler(HTTPException)
    def http(error: HTTPException) -> tuple[str, int] | HTTPException:
        if error.code is None or error.code < 400:
            return error  # a redirect
        if error.code >= 500:
            return unknown(getattr(error, "original_exception", None) or error)
        if isinstance(error, SecurityError):
            return page("web.unknown_host", error.code, {})
        return page("web.not_found" if error.code == 404 else "web.bad_request", error.code, {})

    @site.errorhandler(Exception)
    def unknown(error: Exception) -> tuple[str, int]:
        # The type alone: the text of a foreign exception may quote what a person typed.
        log.error("web.fault", fault=type(error).__name__, place=place(error), endpoint=request.endpoint)
        return page("box.error", 500, {})
