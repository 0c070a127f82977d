"""The command line of the demo's box and hub: ``.demo/appliance``, for trying out what an operator would type."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODE = 0o755


def write_command(path: Path, box: Mapping[str, str], hub: Mapping[str, str]) -> Path:
    """Writes a script that runs ``appliance`` with the settings and credentials of the demo; those of the hub for
    ``appliance hub``. Both are mappings of environment variables."""
    text = f"""#!/bin/sh
# `appliance` for the box of this demo, and `appliance hub` for its hub; works while the demo runs.
case "$1" in
hub) set -- {_settings(hub)} {_program()} "$@" ;;
*) set -- {_settings(box)} {_program()} "$@" ;;
esac
exec env "$@"
"""
    path.write_text(text, encoding="utf-8")
    path.chmod(MODE)
    return path


def _settings(environment: Mapping[str, str]) -> str:
    # The sources lie where this process has them from, which need not be the directory it is called in.
    named = {"PYTHONPATH": str(ROOT), **environment}
    return " ".join(shlex.quote(f"{name}={value}") for name, value in named.items())


def _program() -> str:
    return f"{shlex.quote(sys.executable)} -m appliance.programs.cli"
