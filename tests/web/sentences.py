"""The files of sentences and the errors of the product as data, for the tests that compare them."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl

import appliance
from appliance.errors import MadoguchiError
from appliance.web.catalogue import MESSAGES
from tests.source import modules


@dataclass(frozen=True)
class Sentence:
    """One text of a message. ``part`` is ``""``, ``means`` or ``next``; ``fields`` are the names it fills in."""

    language: str
    file: str
    key: str
    part: str
    texts: tuple[str, ...]
    fields: frozenset[str]
    variants: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.key}.{self.part}" if self.part else self.key


@dataclass(frozen=True)
class Made:
    """A place that makes an error: the class, ``file:line``, the names of its fields."""

    kind: type[MadoguchiError]
    place: str
    fields: frozenset[str]


def sentences() -> list[Sentence]:
    """Every text of every file, as the parser sees it."""
    found = []
    for folder in sorted((one for one in MESSAGES.iterdir() if one.is_dir()), key=lambda one: one.name):
        for file in sorted(folder.iterdir(), key=lambda one: one.name):
            for entry in FluentParser().parse(file.read_text(encoding="utf-8")).body:
                if not isinstance(entry, ftl.Message):
                    continue
                parts: list[tuple[str, Any]] = [("", entry.value)]
                parts += [(one.id.name, one.value) for one in entry.attributes]
                found += [
                    Sentence(folder.name, file.name, entry.id.name, part, *_seen(pattern)) for part, pattern in parts
                ]
    return found


def _seen(pattern: Any) -> tuple[tuple[str, ...], frozenset[str], frozenset[str]]:
    nodes = list(_walk(pattern))
    return (
        tuple(node.value for node in nodes if isinstance(node, ftl.TextElement)),
        frozenset(node.id.name for node in nodes if isinstance(node, ftl.VariableReference)),
        frozenset(str(getattr(node.key, "name", "")) for node in nodes if isinstance(node, ftl.Variant)) - {""},
    )


def _walk(node: Any) -> Iterator[Any]:
    if isinstance(node, list):
        for one in node:
            yield from _walk(one)
    elif isinstance(node, ftl.BaseNode):
        yield node
        for value in vars(node).values():
            yield from _walk(value)


def error_kinds() -> list[type[MadoguchiError]]:
    """Every class of error of the product, the families included."""
    for found in pkgutil.walk_packages(appliance.__path__, "appliance."):
        importlib.import_module(found.name)
    kinds: dict[type[MadoguchiError], None] = {}
    todo: list[type[MadoguchiError]] = [MadoguchiError]
    while todo:
        kind = todo.pop()
        kinds[kind] = None
        todo += kind.__subclasses__()
    return sorted((one for one in kinds if one.__module__.startswith("appliance.")), key=lambda one: one.code)


def errors_made() -> list[Made]:
    """Every call of an error class by its own name, anywhere in the product, and every ``raise Class``."""
    found = []
    for module in modules():
        live = importlib.import_module(module.name)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and (kind := _kind(live, node.func)):
                found.append(Made(kind, f"{module.path.name}:{node.lineno}", _fields(module.tree, node)))
            elif isinstance(node, ast.Raise) and node.exc is not None and (kind := _kind(live, node.exc)):
                found.append(Made(kind, f"{module.path.name}:{node.lineno}", frozenset()))
    return found


def _kind(live: ModuleType, node: ast.expr) -> type[MadoguchiError] | None:
    """The class that a name in a module stands for, if it is one of ours."""
    match node:
        case ast.Name(name):
            found = getattr(live, name, None)
        case ast.Attribute(ast.Name(base), name):
            module = getattr(live, base, None)
            found = getattr(module, name, None) if isinstance(module, ModuleType) else None
        case _:
            return None
    return found if isinstance(found, type) and issubclass(found, MadoguchiError) else None


def _fields(tree: ast.Module, call: ast.Call) -> frozenset[str]:
    """Names of the keywords, but those given as None, which no sentence can fill in.

    ``**name(...)`` is looked through where ``name`` only returns a dict of known keys.
    """
    given = [one for one in call.keywords if not (isinstance(one.value, ast.Constant) and one.value.value is None)]
    names = {one.arg for one in given if one.arg is not None}
    for one in call.keywords:
        if one.arg is None:
            names |= _returned_keys(tree, one.value)
    return frozenset(names)


def _returned_keys(tree: ast.Module, value: ast.expr) -> set[str]:
    match value:
        case ast.Call(ast.Name(wanted)):
            for node in tree.body:
                match node:
                    case ast.FunctionDef(name, body=[*_, ast.Return(ast.Dict(keys))]) if name == wanted:
                        return {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    raise AssertionError(f"cannot tell which fields {ast.unparse(value)} passes")


def calls_of(module_name: str, function: str) -> list[ast.Call]:
    """All calls of a function or class by its plain name in one module."""
    tree = next(one.tree for one in modules() if one.name == module_name)
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
    ]


def constants() -> set[str]:
    """Every string that stands in the product's code."""
    return {
        node.value
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
