"""What a process takes of the machine, as the kernel counts it (proc(5))."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Upkeep:
    """``files`` is None where only root may count them: cardd's memory and files are its own affair."""

    resident_kb: int
    threads: int
    files: int | None


def upkeep(pid: int) -> Upkeep:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files: int | None
    try:
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError:
        files = None
    return Upkeep(int(fields["VmRSS"].split()[0]), int(fields["Threads"]), files)
