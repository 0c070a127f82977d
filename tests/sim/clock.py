"""A clock that a test sets by hand."""


class ManualClock:
    """``ms`` is the wall clock since 1970; ``advance`` moves both clocks, ``ms`` alone may be set back."""

    def __init__(self, ms: int = 1_800_000_000_000, boot_id: bytes = b"\x01" * 16) -> None:
        self.ms = ms
        self.uptime_ms = 1_000
        self.boot_id = boot_id

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.uptime_ms

    def advance(self, ms: int) -> None:
        self.ms += ms
        self.uptime_ms += ms

    def reboot(self, boot_id: bytes) -> None:
        self.boot_id, self.uptime_ms = boot_id, 0
