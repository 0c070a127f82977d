"""The source tree as data for the tests of its architecture and its documentation."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "appliance"


@dataclass(frozen=True)
class Module:
    """One file under ``appliance``. ``name`` is dotted; a package goes by the name of its folder."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def lines(self) -> int:
        return len(self.path.read_text(encoding="utf-8").splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), self.path.name)

    @cached_property
    def imports(self) -> frozenset[str]:
        """Dotted names of all modules it imports, wherever in the file the statement stands."""
        return imported(self.tree)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product, in a fixed order; each is parsed once a run."""
    return tuple(
        Module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path)
        for path in sorted((ROOT / PACKAGE).rglob("*.py"))
    )


def imported(tree: ast.Module) -> frozenset[str]:
    """What a parsed file imports; ``from package import module`` counts as the module where there is one."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {_module_of(base, alias.name) for alias in node.names}
    return frozenset(found)


def classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """The classes of a file, those inside others included."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _module_of(base: str, name: str) -> str:
    path = ROOT.joinpath(*base.split("."), name)
    return f"{base}.{name}" if path.with_suffix(".py").exists() or (path / "__init__.py").exists() else base
