"""All sentences, read once for all tests of a run: reading them takes longer than most tests."""

from appliance.web.catalogue import MESSAGES, Catalogue

SENTENCES = Catalogue(MESSAGES)
