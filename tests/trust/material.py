"""Certificates for the tests of trust, made by the look-alike hierarchy."""

from datetime import UTC, datetime, timedelta

from appliance.trust.anchors import Anchor, parse_anchors
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued, Use, Wish

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def anchors_of(hierarchy: Hierarchy, use: Use = Use.AUTHENTICATION) -> tuple[Anchor, ...]:
    return parse_anchors(hierarchy.anchors_pem(use))


def issued(hierarchy: Hierarchy, wish: Wish | None = None, use: Use = Use.AUTHENTICATION) -> Issued:
    return hierarchy.issue(use, wish=wish)
