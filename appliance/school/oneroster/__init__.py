"""OneRoster 1.2 CSV as Japanese schools exchange it, from the ZIP inwards.

- ``archive``  the ZIP: names to bytes, within limits
- ``lines``    one CSV file: bytes to records, every value quoted
- ``columns``  which columns each file has, as data, for each variant
- ``rows``     records to rows whose cells are checked one by one
- ``records``  rows to the people of ``school`` and back
- ``rules``    what spans rows: kinds, families, numbers

``school.roster`` puts them together. Nothing here repairs: a file that breaks a rule is refused as a whole, with the
place and what was expected there, and nothing of it is taken over.
"""

from appliance.errors import RefusedError


class RosterError(RefusedError):
    """A roster file that cannot be taken over. Fields name the place; no cell is quoted, it could be a name."""

    code = "roster.refused"
