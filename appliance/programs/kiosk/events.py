"""What the kiosk's conversation is made of: events that happen to it, commands that come out of it."""

from dataclasses import dataclass, field

from appliance.errors import Field


@dataclass(frozen=True)
class Notice:
    """What went wrong, by the code of its error; ``fields`` fill the sentence."""

    code: str
    fields: dict[str, Field] = field(default_factory=dict)


# Events


@dataclass(frozen=True)
class CardPut:
    pass


@dataclass(frozen=True)
class CardTaken:
    pass


@dataclass(frozen=True)
class ReaderLost:
    code: str


@dataclass(frozen=True)
class ReaderBack:
    pass


@dataclass(frozen=True)
class OutOfOrder:
    """Nothing could be recorded now: nobody is to begin. Who is being served learns it from the record itself."""

    code: str


@dataclass(frozen=True)
class InOrder:
    pass


@dataclass(frozen=True)
class Progress:
    visit: int
    done: int
    total: int


@dataclass(frozen=True)
class Recognised:
    """The card was read and is genuine; ``linked`` when it already stands for a guardian of this school."""

    visit: int
    linked: bool


@dataclass(frozen=True)
class PinFirst:
    """The card is a telephone: who it belongs to is behind its PIN."""

    visit: int


@dataclass(frozen=True)
class CodeAccepted:
    visit: int


@dataclass(frozen=True)
class TriesKnown:
    """``tries`` is None for a card without a limit."""

    visit: int
    tries: int | None


@dataclass(frozen=True)
class Recorded:
    """The visit is in the ledger; ``entry`` is its index."""

    visit: int
    entry: int


@dataclass(frozen=True)
class Confirmed:
    """The hub has cosigned the visit's entry."""

    visit: int


@dataclass(frozen=True)
class Failed:
    """A command did not succeed."""

    visit: int
    notice: Notice


@dataclass(frozen=True)
class CodeTyped:
    text: str


@dataclass(frozen=True)
class Agreed:
    pass


@dataclass(frozen=True)
class PinTyped:
    """Four digits were typed; they never enter this module."""


@dataclass(frozen=True)
class LastTryAccepted:
    pass


@dataclass(frozen=True)
class Cancelled:
    pass


@dataclass(frozen=True)
class NoCard:
    """Somebody without a card asks what to do."""


@dataclass(frozen=True)
class StillHere:
    pass


@dataclass(frozen=True)
class LanguageChosen:
    language: str


@dataclass(frozen=True)
class Tick:
    """Milliseconds of a clock that never steps back."""

    now_ms: int


Event = (
    CardPut
    | CardTaken
    | ReaderLost
    | ReaderBack
    | OutOfOrder
    | InOrder
    | Progress
    | Recognised
    | PinFirst
    | CodeAccepted
    | TriesKnown
    | Recorded
    | Confirmed
    | Failed
    | CodeTyped
    | Agreed
    | PinTyped
    | LastTryAccepted
    | Cancelled
    | NoCard
    | StillHere
    | LanguageChosen
    | Tick
)

# Commands


@dataclass(frozen=True)
class ReadCard:
    visit: int


@dataclass(frozen=True)
class CheckCode:
    visit: int
    text: str


@dataclass(frozen=True)
class AskTries:
    visit: int


@dataclass(frozen=True)
class OpenCard:
    """Give the card the PIN, and read the certificate behind it."""

    visit: int
    last_try: bool


@dataclass(frozen=True)
class SignAndRecord:
    """``opened`` when the card has the PIN already."""

    visit: int
    last_try: bool
    opened: bool = False


@dataclass(frozen=True)
class Leave:
    """Give the card back: it forgets the PIN and loses power. Everything kept of the visit is wiped."""


Command = ReadCard | CheckCode | AskTries | OpenCard | SignAndRecord | Leave
