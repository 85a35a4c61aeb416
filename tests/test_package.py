"""The package as a whole: its surface, its layers, its lightness, its distribution, and its README."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

import symgrad as sg
from tests.conftest import ROOT, Outcome
from tests.pages import FENCE

README = ROOT / "README.md"

# --- layers ---------------------------------------------------------------------------------------------------------

#: The rooms by height; a room imports lower ones only, or its neighbours on the same floor where no cycle arises.
FLOORS: list[set[str]] = [
    {"errors"},
    {"dims", "notebook", "schema"},
    {"expr", "shapes"},
    {"ops"},
    {"notation"},
    {"code", "simplify", "calculus", "interop", "latex2sympy"},
    {"program"},
    {"verify", "derivation", "graph"},
    {"review", "catalog", "export"},
    {"grading", "practice"},
    {"api"},
    {""},  # symgrad/__init__.py, the public surface
    {"web", "symgrad_cli", "pytest_plugin"},
]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
#: The checker shares no code with what it checks, and nothing that computes knows an operation's neighbours by name.
FORBIDDEN = {("verify", "calculus"), ("verify", "simplify"), ("verify", "derivation")}
MODULES = sorted([*(ROOT / "symgrad").rglob("*.py"), *(ROOT / "cli").rglob("*.py")])


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts[0] = {"cli": "symgrad_cli"}.get(parts[0], parts[0])
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    top, _, rest = module.partition(".")
    return top if top == "symgrad_cli" else rest.partition(".")[0]


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports when it runs, also inside functions."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0].startswith("symgrad"))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(filter(None, [*package.split(".")[: len(package.split(".")) - node.level + 1], base]))
            if base in {"symgrad", "symgrad_cli"}:
                yield from (f"{base}.{alias.name}" if is_room(base, alias.name) else base for alias in node.names)
            elif base.partition(".")[0] in {"symgrad", "symgrad_cli"}:
                yield base
        waiting += [child for child in ast.iter_child_nodes(node) if not is_type_checking(child)]


def is_room(package: str, name: str) -> bool:
    folder = ROOT / {"symgrad_cli": "cli"}.get(package, package)
    return (folder / name).is_dir() or (folder / f"{name}.py").exists()


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_one_way(path: Path) -> None:
    here = room(module_name(path))
    assert here in FLOOR, f"say on which floor {here} stands"
    for module in imports(path):
        there = room(module)
        assert FLOOR[there] <= FLOOR[here], f"{here} imports {module}, which stands above it"
        assert (here, there) not in FORBIDDEN, f"{here} must not import {module}"


def test_neighbours_do_not_import_each_other() -> None:
    edges = {(room(module_name(path)), room(m)) for path in MODULES for m in imports(path)}
    assert not {(a, b) for a, b in edges if a < b and (b, a) in edges}


# --- the surface ----------------------------------------------------------------------------------------------------

PUBLIC = {
    "parse", "derive", "gradient", "jacobian", "hessian", "hvp", "jvp", "vjp", "check", "compile", "to_sympy",
    "from_sympy", "catalog", "SymgradError", "InputError", "UnsupportedError", "UsageError", "Expr", "Derivation",
    "Report",
}  # fmt: skip


def test_all_names_exist_and_are_all_there_is() -> None:
    assert sorted(sg.__all__) == sorted(set(sg.__all__))
    assert set(sg.__all__) >= PUBLIC
    for name in sg.__all__:
        assert getattr(sg, name) is not None


def test_folders_do_not_hide_the_functions_they_share_a_name_with(python: Callable[..., Outcome]) -> None:
    work = "import symgrad.catalog, symgrad.code; sg.compile(sg.gradient('x^2', 'x'), 'numpy')(x=3.0)"
    outcome = python("-c", f"import symgrad as sg; {work}; print(callable(sg.source_code), callable(sg.catalog))")
    assert outcome.out.split() == ["True", "True"], outcome.err


def test_the_surface_fits_on_one_screen() -> None:
    assert len((ROOT / "symgrad" / "__init__.py").read_text("utf-8").splitlines()) <= 80


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_every_module_says_its_contract(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{path} has no docstring"


# --- lightness ------------------------------------------------------------------------------------------------------

HEAVY = ("numpy", "sympy", "mpmath", "jax", "jaxlib", "scipy", "fastapi", "torch", "rich", "pydantic")
LIGHT_WORK = {
    "import": "import symgrad",
    "parse": "import symgrad as sg; sg.parse('||W x||^2').text",
    "derive": "import symgrad as sg; d = sg.derive('||W x||^2', wrt='W'); d.text; d.latex; d.to_dict()",
    "latex": r"import symgrad as sg; sg.derive(r'-\log\left(\frac{e^{s_y}}{\sum_j e^{s_j}}\right)', wrt='s').text",
    "catalog": "import symgrad as sg; [(e.title, e.source) for e in sg.catalog().values()]",
    "command": "from symgrad_cli.app import main; main(['derive', '||W x||^2', '--wrt', 'W', '--form', 'index'])",
}


@pytest.mark.parametrize("program", LIGHT_WORK.values(), ids=LIGHT_WORK)
def test_light_work_loads_nothing_heavy(python: Callable[..., Outcome], program: str) -> None:
    listing = f"{program}\nimport sys; print('LOADED', *[m for m in {HEAVY} if m in sys.modules])"
    outcome = python("-c", listing)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[-1] == "LOADED"


# --- the distribution -----------------------------------------------------------------------------------------------


def test_metadata() -> None:
    found = metadata.metadata("symgrad")
    assert metadata.version("symgrad") == sg.__version__
    assert found["Requires-Python"] == ">=3.11"
    core = {re.split(r"[^\w-]", need)[0] for need in metadata.requires("symgrad") or () if "extra ==" not in need}
    assert core == {"numpy", "sympy", "jax", "typer"}


def test_the_command_is_installed() -> None:
    (script,) = metadata.entry_points(group="console_scripts", name="symgrad")
    assert script.value == "symgrad_cli.app:main"


def test_types_are_shipped() -> None:
    assert (ROOT / "symgrad" / "py.typed").exists()


# --- the README -----------------------------------------------------------------------------------------------------


def test_the_first_block_is_the_two_set_up_commands() -> None:
    kind, text = FENCE.findall(README.read_text("utf-8"))[0]
    install, test = text.splitlines()
    assert kind == "sh"
    assert install.endswith('symgrad derive "||W x||^2" --wrt W')
    assert test.endswith("python -m pytest")


def test_folders_named_in_the_readme_exist() -> None:
    for name in re.findall(r"^(\w[\w/]*/) ", README.read_text("utf-8"), re.MULTILINE):
        assert (ROOT / name).is_dir(), name


# --- the examples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(python: Callable[..., Outcome], path: Path) -> None:
    outcome = python(str(path))
    assert outcome.code == 0, outcome.err
    assert outcome.out.strip()


def test_python_is_recent() -> None:
    assert sys.version_info >= (3, 11)
