"""What a caller must know is written down where it is defined.

Every module begins with a docstring, and every public class and function has one, unless it is one of these, of which
a docstring could only repeat the name:

- a property, a dunder method, or anything nested in a function;
- a class of fields, members or shapes only: each line of its body is a field, a member, or a property;
- an error that has nothing but its code, beside a family that says what may be done about it;
- a method by which a class keeps the promise of a Protocol, of a base class or of a library, documented there;
- a function of at most five statements, counted with all that they hold: it is as short as a sentence about it.
"""

import ast

import pytest

from tests.source import PACKAGE, ROOT, Module, modules

SHORT = 5
# Methods that a library calls, documented by the library.
OF_LIBRARIES = {"format", "load", "load_config"}


def described(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> bool:
    return bool(ast.get_docstring(node))


def is_public(name: str) -> bool:
    return not name.startswith("_")


def is_property(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list
    )


def statements(node: ast.FunctionDef) -> int:
    return sum(isinstance(one, ast.stmt) for one in ast.walk(node)) - 1


def only_fields(node: ast.ClassDef) -> bool:
    return all(isinstance(line, ast.Assign | ast.AnnAssign | ast.Pass) or is_property(line) for line in node.body)


def promised() -> set[str]:
    """Names of methods that a Protocol of the tree describes."""
    return {
        line.name
        for module in modules()
        for one in ast.walk(module.tree)
        if isinstance(one, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in one.bases)
        for line in one.body
        if isinstance(line, ast.FunctionDef) and described(line)
    }


PROMISED = promised()


def undescribed(tree: ast.Module) -> list[str]:
    """The classes and functions of a module that should have a docstring and have none."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            if not described(node) and not only_fields(node):
                found.append(node.name)
            found += [
                f"{node.name}.{line.name}"
                for line in node.body
                if isinstance(line, ast.FunctionDef) and lacks(line) and line.name not in PROMISED | OF_LIBRARIES
            ]
        elif isinstance(node, ast.FunctionDef) and lacks(node):
            found.append(node.name)
    return found


def lacks(node: ast.FunctionDef) -> bool:
    return is_public(node.name) and not described(node) and not is_property(node) and statements(node) > SHORT


@pytest.mark.parametrize("module", modules(), ids=lambda module: str(module.name))
def test_everything_public_is_described(module: Module) -> None:
    assert described(module.tree) or module.tree.body == []
    assert undescribed(module.tree) == []


def test_the_rule_finds_what_it_should() -> None:
    steps = "\n".join(f"        step({number})" for number in range(SHORT))
    long, short = f"if x:\n{steps}", "return x"
    tree = ast.parse(
        f"class Bare:\n    def work(self, x):\n        {long.replace('        ', '            ')}\n"
        "class Fields:\n    one: int\n    two = 2\n"
        f"def long(x):\n    {long}\ndef _private(x):\n    {long}\ndef short(x):\n    {short}\n"
    )
    assert undescribed(tree) == ["Bare", "Bare.work", "long"]


def test_the_map_has_a_sentence_for_every_package() -> None:
    text = (ROOT / PACKAGE / "__init__.py").read_text(encoding="utf-8")
    packages = [path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py")]
    assert len(packages) == 9
    missing = [name for name in packages if not any(line.startswith(f"- ``{name}``") for line in text.splitlines())]
    assert missing == []
