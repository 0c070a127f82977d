"""The hub's page: which schools there are, how far their ledgers are confirmed, and what went wrong last.

Loopback only, read only, nothing personal: codes, names of schools, sizes and times.
"""

import os
import signal
import sys
import threading
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Flask, Response, jsonify, render_template

from appliance.clock import Clock, SystemClock
from appliance.config import CredentialSource
from appliance.errors import MadoguchiError
from appliance.log import EventLog
from appliance.programs.hub.registry import Registry, SchoolState, Succession
from appliance.programs.hub.settings import DATABASE_KEY, DATABASE_NAME, FAMILIES, HubSettings
from appliance.store.database import Database
from appliance.store.migrate import check_schema
from appliance.web.headers import add_headers
from appliance.web.serve import Server

LOOPBACK = "127.0.0.1"
REASONS = {
    "sync.replayed": "すでに受け取った記録が、もう一度 届きました",
    "sync.gap": "途中の記録が 抜けていました",
    "sync.other_school": "ほかの学校の記録が 届きました",
    "sync.malformed": "読めないデータが 届きました",
    "ledger.root": "記録の内容と署名が 合いませんでした",
    "ledger.signature": "署名が 正しくありませんでした",
    "ledger.key_ended": "使われなくなった鍵の 署名でした",
    "ledger.key_history": "鍵の引き継ぎと記録が 合いませんでした",
    "ledger.succession": "鍵の引き継ぎの署名が 正しくありませんでした",
    "ledger.checkpoint": "署名の対象が 合いませんでした",
    "ledger.commitment": "記録の内容が 書きかえられていました",
    "ledger.encoding": "記録の形が 正しくありませんでした",
    "ledger.entry_form": "記録の形が 正しくありませんでした",
    "ledger.order": "記録の順番が 正しくありませんでした",
    "ledger.entry_version": "このハブより新しい版の記録です。ハブを 新しくしてください",
    "ledger.erasure": "前の台帳の中身を消す記録が 正しくありませんでした",
    "store.disk_full": "ハブのディスクが いっぱいでした",
}
"""Refusals in the words of the page; another code is shown as it is."""
BRANCHES = {
    "pending": "引きつがれる記録が 届くのを 待っています",
    "complete": "引きつがれた記録は すべて そろっています",
    "incomplete": "引きつがれた記録が そろっていません。学校の担当者と いっしょに 調べてください",
}


def make_page(settings: HubSettings, clock: Clock) -> Flask:
    """Called in the worker: a database connection must not cross the fork."""
    database = Database.open(settings.hub.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY))
    check_schema(database, FAMILIES)
    return make_site(Registry(database), settings.hub.name, clock)


def make_site(registry: Registry, name: str, clock: Clock) -> Flask:
    """The overview for people and programs, and ``/alive`` for whoever watches it; loopback only, nothing personal."""
    root = Path(str(files("appliance.programs.hub")))
    site = Flask("appliance.programs.hub", root_path=str(root))
    site.config["TRUSTED_HOSTS"] = [LOOPBACK, "localhost"]
    site.jinja_env.trim_blocks = site.jinja_env.lstrip_blocks = True
    site.jinja_env.filters["moment"] = _moment
    site.jinja_env.filters["branch"] = BRANCHES.__getitem__
    site.jinja_env.filters["reason"] = lambda code: REASONS.get(code, code)
    shared = Path(str(files("appliance.web"))) / "static"
    site.register_blueprint(Blueprint("shared", __name__, static_folder=str(shared), static_url_path="/shared"))
    add_headers(site, https=False)

    @site.get("/")
    def overview() -> str:
        schools = registry.overview()
        return render_template("schools.html", name=name, schools=schools, totals=_totals(schools), now=clock.now_ms())

    @site.get("/schools.json")
    def listing() -> Response:
        return jsonify([as_json(one) for one in registry.overview()])

    @site.get("/alive")
    def alive() -> str:
        registry.codes()
        return "ok\n"

    @site.errorhandler(MadoguchiError)
    def fault(error: MadoguchiError) -> tuple[str, int]:
        return render_template("fault.html", name=name, code=error.code), error.status

    return site


def as_json(school: SchoolState) -> dict[str, object]:
    """One school for programs; times as ISO 8601 in UTC."""
    return {
        "school": school.code,
        "name": school.name,
        "online": school.online,
        "recorded": school.size,
        "mirrored": school.mirrored,
        "root": school.root.hex(),
        "pending": school.pending,
        "seen": _iso(school.seen_ms),
        "refused": school.refused_code,
        "refused_at": _iso(school.refused_ms),
        "certificate_until": _iso(school.certificate_until_ms),
        "earlier": [{"origin": origin, "mirrored": mirrored} for origin, mirrored in school.earlier],
        "forks": [_fork(one) for one in school.forks],
    }


def _fork(one: Succession) -> dict[str, object]:
    return {
        "origin": one.origin,
        "reason": one.reason,
        "at": _iso(one.at_ms),
        "before": one.before,
        "mirrored": one.mirrored,
        "closed": one.closed,
        "closed_size": one.closed_size,
        "carried": one.carried,
        "branch": one.branch,
    }


def serve_page(settings: HubSettings) -> None:
    """Serves until the parent's end of standard input is closed or SIGTERM comes."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    address = f"{LOOPBACK}:{settings.page.port}"
    Server(lambda: make_page(settings, SystemClock()), EventLog("hub-page"), bind=address, threads=4).run()


def _end_with_parent() -> None:
    # A hub that was killed must not leave its page behind: it would hold the port and show what is no longer so.
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _totals(schools: list[SchoolState]) -> dict[str, int]:
    return {
        "schools": len(schools),
        "online": sum(one.online for one in schools),
        "mirrored": sum(one.mirrored for one in schools),
        "pending": sum(one.pending or 0 for one in schools),
    }


def _moment(ms: int | None) -> str:
    if ms is None:
        return "—"
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _iso(ms: int | None) -> str | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
