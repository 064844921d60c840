"""The house rules, held by walking the sources: arrows, docstrings, the README.

Each test gathers every offence against one rule, and shows them all.
"""

import ast
import configparser
import importlib
import pathlib
import re
import sys

import pytest

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "keras_balance"
README = ROOT / "README.md"


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


# Syntax trees by file name.
LIBRARY = {
    path.relative_to(PACKAGE).as_posix(): parse(path) for path in PACKAGE.rglob("*.py")
}
EXAMPLES = {
    path.relative_to(ROOT / "examples").as_posix(): parse(path)
    for path in (ROOT / "examples").rglob("*.py")
}

# A room may import the rooms of the lines above its own.
FLOORS = [
    {"utils", "version"},
    {"losses", "layers", "metrics", "datasets"},
    {"data"},
    {"models"},
    {"callbacks"},
    {"auto"},
    {"tuners"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

BACKENDS = {"tensorflow", "jax", "torch"}
# The only files that name a backend, each with the reason.
MAY_NAME_A_BACKEND = {
    "models/training/gradients/__init__.py": "chooses among the three",
    "models/training/gradients/tensorflow.py": "a gradient step on TensorFlow",
    "models/training/gradients/jax.py": "a gradient step on JAX",
    "models/training/gradients/torch.py": "a gradient step on torch",
    "data/iterators.py": "mends how iterators of TensorFlow end",
    "data/pipelines.py": "gives a pipeline of a backend when asked for one",
    "layers/warp.py": "takes TensorFlow's faster kernel where it gives the same",
}
# Import names whose distribution is called otherwise.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "imblearn": "imbalanced-learn",
    "keras_tuner": "keras-tuner",
    "sklearn": "scikit-learn",
}
# Distributions that a declared one brings by its own declaration.
BROUGHT_ALONG = {"pillow": "matplotlib"}


def walk(tree, *types):
    return [node for node in ast.walk(tree) if isinstance(node, types)]


def imports(tree):
    """Every module that some code imports, at its top or inside a function."""
    for node in walk(tree, ast.Import):
        yield from (alias.name for alias in node.names)
    for node in walk(tree, ast.ImportFrom):
        yield node.module if node.level == 0 else "." * node.level
        # `from package import module` imports the module, too.
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(tree):
    """The top-level packages that some code imports."""
    return {module.partition(".")[0] for module in imports(tree)}


def room_of(name):
    """The room of a module's name, None for the index."""
    return name.partition("/")[0] if "/" in name else None


def test_the_walk_sees_the_house():
    rooms = {room_of(name) for name in LIBRARY} - {None}
    assert {"utils", "layers", "metrics", "datasets", "data", "models"} <= rooms
    assert rooms <= set(FLOOR)


def test_arrows_run_downward():
    offences = []
    for name, tree in LIBRARY.items():
        room = room_of(name)
        for module in imports(tree):
            package, *inner = module.split(".")
            if package != "keras_balance" or room is None or inner[:1] == [room]:
                continue
            # What the index itself holds lies above every room.
            if not inner or FLOOR.get(inner[0], len(FLOORS)) >= FLOOR[room]:
                offences.append(f"{name} imports {module}")
    assert offences == []


def test_training_knows_no_generator():
    offences = [
        f"{name} imports {module}"
        for name, tree in LIBRARY.items()
        if name.startswith("models/training/")
        for module in imports(tree)
        if module.startswith("keras_balance.models.generators")
    ]
    assert offences == []


def test_ground_floor_knows_numpy_and_the_standard_library():
    allowed = sys.stdlib_module_names | {"numpy", "matplotlib", "keras_balance"}
    offences = [
        f"{name} imports {sorted(roots(tree) - allowed)}"
        for name, tree in LIBRARY.items()
        if room_of(name) == "utils" and roots(tree) - allowed
    ]
    assert offences == []


def test_only_the_gradients_name_a_backend():
    naming = set()
    for name, tree in LIBRARY.items():
        strings = {node.value for node in walk(tree, ast.Constant)}
        if BACKENDS & (roots(tree) | strings):
            naming.add(name)
    assert naming == set(MAY_NAME_A_BACKEND)


def test_only_tuners_import_keras_tuner():
    offences = [name for name, tree in LIBRARY.items() if "keras_tuner" in roots(tree)]
    assert [name for name in offences if room_of(name) != "tuners"] == []


def test_keras_public_api_only():
    offences = [
        f"{name} imports {module}"
        for name, tree in (LIBRARY | EXAMPLES).items()
        for module in imports(tree)
        if module.startswith(("keras.src", "keras_tuner.src"))
    ]
    assert offences == []


def distributions(requirements):
    return set(re.findall(r"^[\w-]+", requirements, re.MULTILINE))


def test_imports_are_declared_dependencies():
    """At the top of a file what is always there; inside a function extras, too."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    declared = distributions(setup["options"]["install_requires"])
    extras = distributions("\n".join(setup["options.extras_require"].values()))
    offences = []
    for name, tree in LIBRARY.items():
        statements = (ast.Import, ast.ImportFrom)
        top = ast.Module([n for n in tree.body if isinstance(n, statements)], [])
        for module in roots(tree) - sys.stdlib_module_names - {"keras_balance"}:
            distribution = DISTRIBUTIONS.get(module, module)
            distribution = BROUGHT_ALONG.get(distribution, distribution)
            optional = name in MAY_NAME_A_BACKEND or module not in roots(top)
            if distribution not in (declared | extras if optional else declared):
                offences.append(f"{name} imports {module}")
    assert offences == []


def test_every_init_is_an_index():
    offences = []
    for name, tree in LIBRARY.items():
        if not name.endswith("__init__.py") or name in MAY_NAME_A_BACKEND:
            continue
        for node in tree.body[1:]:
            names = node.names if isinstance(node, ast.ImportFrom) else []
            if not names or any(alias.asname != alias.name for alias in names):
                offences.append(f"{name}: {ast.unparse(node)}")
    assert offences == []


def test_every_module_has_a_docstring():
    modules = LIBRARY | EXAMPLES
    assert [name for name in modules if not ast.get_docstring(modules[name])] == []


LINES = 350  # of a file
CLASS_LINES = 300


def test_files_and_classes_are_short():
    offences = []
    for name, tree in (LIBRARY | EXAMPLES).items():
        length = max((node.end_lineno for node in tree.body), default=0)
        if length > LINES:
            offences.append(f"{name}: {length} lines")
        for node in walk(tree, ast.ClassDef):
            length = node.end_lineno - node.lineno + 1
            if length > CLASS_LINES:
                offences.append(f"{name}: {length} lines of {node.name}")
    assert offences == []


def test_no_bare_habits():
    """No `assert`, no `print`, nothing that catches every error."""
    offences = []
    for name, tree in LIBRARY.items():
        for node in walk(tree, ast.Assert, ast.Call, ast.ExceptHandler):
            if isinstance(node, ast.Call):
                bad = ast.unparse(node.func) == "print"
            elif isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                bad = caught in ("", "Exception", "BaseException")
            else:
                bad = True
            if bad:
                offences.append(f"{name}:{node.lineno}")
    assert offences == []


def test_registered_under_the_package_name():
    offences = [
        f"{name}:{node.lineno}"
        for name, tree in LIBRARY.items()
        for node in walk(tree, ast.Call)
        if ast.unparse(node.func).endswith("register_keras_serializable")
        and not ast.unparse(node).endswith("(package='keras_balance')")
    ]
    assert offences == []


def used_names(tree):
    """Names of the package in some code, such as `layers.ManualAugmentation`."""
    nodes = list(ast.walk(tree))
    alias = None
    for node in nodes:
        if isinstance(node, ast.Import):
            for imported in node.names:
                package, _, inner = imported.name.partition(".")
                if package == "keras_balance":
                    alias = imported.asname or package
                    yield from filter(None, [inner])
        elif isinstance(node, ast.ImportFrom):
            package, _, inner = (node.module or "").partition(".")
            if package == "keras_balance":
                for imported in node.names:
                    yield f"{inner}.{imported.name}".strip(".")
    for node in nodes:
        if isinstance(node, ast.Attribute) and alias is not None:
            package, *parts = ast.unparse(node).split(".")
            if package == alias and all(part.isidentifier() for part in parts):
                yield ".".join(parts)


def is_public(name):
    """Whether the index, or the index of a room in it, shows this name."""
    shown = importlib.import_module("keras_balance")
    index = "__init__.py"
    for part in name.split("."):
        nodes = walk(LIBRARY[index], ast.ImportFrom)
        if part not in {alias.name for node in nodes for alias in node.names}:
            return False
        shown = getattr(shown, part)
        index = f"{part}/__init__.py"
        if index not in LIBRARY:
            break  # a module, class or function: the rest is its own affair
    return True


def test_examples_use_public_names_only():
    offences = [
        f"{name}: {used}"
        for name, tree in EXAMPLES.items()
        for used in used_names(tree)
        if not is_public(used) and not (is_of_study(name) and is_utility(used))
    ]
    assert offences == []


def is_of_study(name):
    return name.startswith("study/")


def is_utility(name):
    """Whether a name is of the ground floor, which the study stands on, too."""
    return name.partition(".")[0] == "utils"


@pytest.mark.parametrize(
    "code",
    [
        "import keras_balance as kb; kb.utils.plots",
        "from keras_balance import utils",
        "from keras_balance.utils import plots",
        "from keras_balance.data.strategies import target_counts",
        "import keras_balance.utils.files",
        "import keras_balance as kb; kb.layers.NoSuchLayer()",
        "import keras_balance as kb; kb._private",
    ],
)
def test_a_name_that_is_not_public_is_noticed(code):
    assert not all(is_public(name) for name in used_names(ast.parse(code)))


def test_public_names_are_seen_as_such():
    code = (
        "import keras_balance as kb\n"
        "from keras_balance.layers import ManualAugmentation\n"
        "kb.datasets.digits.load_data()\n"
        "kb.BalancedDataset.__getitem__, kb.__version__\n"
    )
    names = list(used_names(ast.parse(code)))
    assert "datasets.digits.load_data" in names
    assert [name for name in names if not is_public(name)] == []


def readme():
    return README.read_text(encoding="utf-8")


# Pages for readers by name, as text.
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
}


MAIN_COMMAND = "pip install . && python examples/reproduce_table.py"
TEST_COMMAND = 'pip install ".[test]" && pytest'


def test_readme_begins_with_the_two_commands():
    assert 0 < readme().find(MAIN_COMMAND) < readme().find(TEST_COMMAND)


def test_ci_runs_the_test_command_of_the_readme():
    path = ROOT / ".ci" / "run"
    assert TEST_COMMAND in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o100


@pytest.mark.parametrize("page", PAGES)
def test_code_of_a_page_is_python_and_uses_public_names(page):
    blocks = re.findall(r"```(?:python|py)\n(.*?)```", PAGES[page], re.DOTALL)
    names = [name for block in blocks for name in used_names(ast.parse(block))]
    # Blocks that follow the first one go on with its imports, and so does the text.
    names += re.findall(r"\bkb\.(\w+(?:\.\w+)*)", PAGES[page])
    assert [name for name in names if not is_public(name)] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_files_that_are_there(page):
    names = re.findall(r"\b(?:examples|tests|keras_balance)/[\w/]*\.\w+", PAGES[page])
    assert [name for name in names if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_gives_the_scripts_options_they_have(page):
    offences = []
    for script, arguments in re.findall(r"examples/(\w+\.py)([^\n`|]*)", PAGES[page]):
        if script not in EXAMPLES:
            continue  # noticed by the test above
        source = (ROOT / "examples" / script).read_text(encoding="utf-8")
        options = re.findall(r"--[a-z][\w-]*", arguments)
        offences += [f"{script} {o}" for o in options if f'"{o}"' not in source]
    assert offences == []
