"""Data goes one way through the layers, and what costs time to import is imported late."""

import ast
import re
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from openg2g.catalog.schema.metadata import Row

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "openg2g"
COMMANDS = PACKAGE / "cli" / "commands"
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}

ALLOWED_LAYERS = {
    "models": {"models"},
    "formats": {"models", "formats"},
    "expressions": {"models", "expressions"},
    "catalog": {"models", "formats", "expressions", "catalog"},
    "cli": {"models", "formats", "expressions", "catalog", "cli"},
}
FLOORS = ("schema", "engine", "history", "search", "reports", "", "documents", "archive", "upkeep")
"""The rooms of the catalog from the ground up; without a name, what stands in no room: the catalog itself."""

ROOMS_WITH_FORMATS = {"documents", "archive", "upkeep"}
MAX_LINES = 450
MAX_MODULES = 20
STANDARD_LIBRARY_ONLY = {"models", "expressions"}


def imports_of(path: Path) -> set[str]:
    """Return every module that a file imports, late imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & NAMES.keys()) or {node.module}
    return found


def room_of(module: str) -> str:
    """Return the room of the catalog that a module stands in."""
    parts = module.split(".")
    return parts[2] if len(parts) > 3 or f"{module}.__init__" in NAMES else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_point_one_way(path: Path) -> None:
    layer = path.relative_to(PACKAGE).parts[0]
    room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for module in imports_of(path):
        top, _, rest = module.partition(".")
        if top == "openg2g":
            target = rest.partition(".")[0]
            assert target in ALLOWED_LAYERS[layer], f"{layer} must not import {target}"
            if layer == "catalog" and target == "formats":
                assert room in ROOMS_WITH_FORMATS, f"{room} must not see formats"
            if layer == target == "catalog":
                assert FLOORS.index(room_of(module)) <= FLOORS.index(room), f"{room} must not import {module}"
        elif layer in STANDARD_LIBRARY_ONLY:
            assert top in sys.stdlib_module_names
        elif layer == "formats":
            assert top not in ("sqlalchemy", "alembic", "click")


def test_no_module_needs_itself_in_the_end() -> None:
    graph = {
        name: {found for found in imports_of(path) if found in NAMES and found != name} for name, path in NAMES.items()
    }
    TopologicalSorter(graph).prepare()  # Raises an error that names the circle.


def test_no_module_and_no_room_grows_too_large() -> None:
    large = {name: lines for name, path in NAMES.items() if (lines := len(path.read_text().splitlines())) > MAX_LINES}
    assert large == {}
    full = Counter(path.parent for path in MODULES if path.name != "__init__.py" and path.parent != COMMANDS)
    assert {str(folder): count for folder, count in full.items() if count > MAX_MODULES} == {}


def test_only_one_module_sees_both_dataclasses_and_rows() -> None:
    # The two modules that store and read content hand the dataclasses on; neither looks into a field.
    makers = {
        path.name
        for path in PACKAGE.joinpath("catalog").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("LLMInferenceModelSpec", "LLMInferenceWorkload")
    }
    assert makers == {"convert.py"}


ENGINES = ("catalog/engine/sqlite/", "catalog/engine/postgresql/", "catalog/schema/types.py")


def test_nobody_asks_which_engine_it_is() -> None:
    asking = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if re.search(r"dialect\.name|is_sqlite", path.read_text(encoding="utf-8"))
    }
    assert {place for place in asking if not place.startswith(ENGINES)} == set()


def test_only_one_module_makes_rows() -> None:
    row_classes = {mapper.class_.__name__ for mapper in Row.registry.mappers}
    assert "RevisionRow" in row_classes
    found = {}
    for path in PACKAGE.joinpath("catalog").rglob("*.py"):
        place = str(path.relative_to(PACKAGE))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        rows = [argument for call in calls_of(tree, {"insert_rows"}) for argument in call.args[2:]]
        given = {node.id for argument in rows for node in ast.walk(argument) if isinstance(node, ast.Name)}
        for node in ast.walk(tree):  # What is assigned to a name that is handed over, or added to it.
            match node:
                case ast.Assign(targets=[ast.Name(name)], value=value) if name in given:
                    rows.append(value)
                case ast.AugAssign(target=ast.Name(name), value=value) if name in given:
                    rows.append(value)
                case ast.Call(func=ast.Attribute(value=ast.Name(name), attr="append" | "extend")) if name in given:
                    rows += node.args
        made = [ast.unparse(row) for row in rows if is_written_out(row)]
        made += [ast.unparse(call) for call in calls_of(tree, row_classes)]
        if made and place != "catalog/schema/convert.py":
            found[place] = made
    assert found == {}


def calls_of(tree: ast.AST, names: set[str]) -> list[ast.Call]:
    """Return the calls of functions with one of some names."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def is_written_out(rows: ast.expr) -> bool:
    """Whether an expression for rows, or for one, writes a row as a tuple of its values."""
    match rows:
        case ast.Tuple():
            return True
        case ast.List(elts=elements):
            return any(isinstance(element, ast.Tuple) for element in elements)
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
            return isinstance(element, ast.Tuple)
    return False


def test_there_is_no_init_file_that_would_overwrite_the_simulators() -> None:
    assert not (PACKAGE / "__init__.py").exists()


def test_migrations_import_nothing_of_the_package() -> None:
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        assert not any(module.startswith("openg2g") for module in imports_of(path))


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["schema", "--help"], ["schema"], ["completion", "bash"]],
    ids=" ".join,
)
def test_what_needs_no_catalog_loads_neither_sqlalchemy_nor_a_driver(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from openg2g.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        "loaded = {'sqlalchemy', 'alembic', 'psycopg', 'pyarrow', 'yaml'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_listing_workloads_does_not_load_the_migrations(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from openg2g.catalog import Catalog\n"
        "from openg2g.cli.main import run\n"
        "Catalog.create(sys.argv[1]).close()\n"
        "for name in [name for name in sys.modules if name.startswith('alembic')]:\n"
        "    del sys.modules[name]\n"
        "assert run(['list', '--database', sys.argv[1]]) == 0\n"
        "assert 'alembic' not in sys.modules\n"
    )
    database = str(tmp_path / "catalog.db")
    subprocess.run([sys.executable, "-c", program, database], check=True, stdout=subprocess.DEVNULL)


def test_the_names_of_the_python_api_are_told_to_type_checkers_and_to_completion_alike() -> None:
    import openg2g.catalog

    source = (PACKAGE / "catalog" / "__init__.py").read_text(encoding="utf-8")
    told = {
        alias.asname
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert told <= set(dir(openg2g.catalog))
    assert all(getattr(openg2g.catalog, name) for name in told)
    assert not hasattr(openg2g.catalog, "Sequence")
