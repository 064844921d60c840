"""Pages of the reference, written from the package when the docs are built."""

import ast
import pathlib

from mkdocs.structure.files import File

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_balance"


def on_config(config):
    """Put a page a room into the navigation."""
    config.nav.append({"Reference": [f"api/{room}.md" for room in rooms()]})


def on_files(files, config):
    """Write a page a room: every name that its index shows, from its docstring."""
    for room in rooms():
        names = "\n\n".join(f"::: {name}" for name in public_names(room))
        about = ast.get_docstring(index(room))
        text = f"# kb.{room}\n\n{about}\n\n{names}\n"
        files.append(File.generated(config, f"api/{room}.md", content=text))


def rooms():
    """Names of the rooms that the package's index shows."""
    return [name for module, name in imported(index()) if module == "keras_balance"]


def public_names(room):
    """Full names of what a room shows; of a module in it, its functions."""
    for module, name in imported(index(room)):
        path = PACKAGE.parent.joinpath(*module.split("."), f"{name}.py")
        if not path.is_file():
            yield f"keras_balance.{room}.{name}"
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{module}.{name}.{node.name}"


def index(room=""):
    """Syntax tree of the index of the package, or of a room."""
    path = PACKAGE / room / "__init__.py"
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """Pairs of a module and a name that an index takes from it."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.asname) for alias in node.names)
