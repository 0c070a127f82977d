"""How a run with a real card ends early."""


class RefusalError(Exception):
    """The card is not to be talked to, or no more: the run ends with this sentence."""
