"""The order of the packages: each imports only from those before it, and what has one place stays there."""

import ast
import graphlib
from pathlib import Path

import pytest

from tests.meta import tree

LAYERS = (
    "outcome",
    "model",
    "errors",
    "tasks",
    "between",
    "durable",
    "unixsocket",
    "fair",
    "memory",
    "libcurl",
    "wire",
    "config",
    "fastpath",
    "cache",
    "rules",
    "speed",
    "upstream",
    "pipeline",
    "listener",
    "app",
    "control",
)
STARTS_TASKS = {
    "src/smartdoh/tasks.py": "names them, keeps them and hears of their failures",
    "src/smartdoh/pipeline/flights.py": "keeps each fetch under its question; on every miss's path",
}
ENTRY = "__main__"
DNSPYTHON_USERS = {"control"}  # a parse and a render cost 120 µs a message: not on the query's path


def layer_of(module: str) -> str:
    """The layer a module belongs to: the name after `smartdoh.`; empty for the package itself."""
    return ".".join(module.split(".")[1:2])


def our_imports(path: Path) -> list[tuple[int, str]]:
    """What a file imports from smartdoh itself."""
    return [(line, name) for line, name in tree.imports_of(path) if name.split(".")[0] == "smartdoh"]


def test_every_module_has_its_layer() -> None:
    """A package that nobody placed could be imported from anywhere."""
    strangers = {layer_of(name) for name in tree.modules()} - {*LAYERS, ENTRY, ""}
    assert not strangers, f"not in the order of layers: {sorted(strangers)}"


@pytest.mark.parametrize("module", sorted(tree.modules()))
def test_imports_come_from_layers_above(module: str) -> None:
    """Each file imports from its own layer and the ones before it; the root package imports from none."""
    layer = layer_of(module)
    if layer == ENTRY:
        return
    allowed = {"", *LAYERS[: LAYERS.index(layer) + 1]} if layer else {""}
    path = tree.modules()[module]
    wrong = [
        f"{tree.shown(path)}:{line} imports {name}"
        for line, name in our_imports(path)
        if layer_of(name) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_no_import_cycles() -> None:
    """Modules can be put in an order in which each imports only earlier ones."""
    graph = {
        name: {target for _, target in our_imports(path)} - {name} for name, path in tree.modules().items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_dnspython_stays_off_the_path_of_a_query() -> None:
    """Only tools that a person calls may use the DNS object model."""
    wrong = [
        f"{tree.shown(path)}:{line}"
        for module, path in tree.modules().items()
        if layer_of(module) not in DNSPYTHON_USERS
        for line, name in tree.imports_of(path)
        if name.split(".")[0] == "dns"
    ]
    assert not wrong, f"dnspython is imported by {wrong}"


def starts_a_loose_task(node: ast.AST) -> bool:
    """Whether this is a call that starts a task which no task group keeps."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="create_task" | "ensure_future")):
            return ast.unparse(owner).rstrip("()").endswith(("asyncio", "loop"))
    return False


def test_tasks_are_started_where_they_are_kept() -> None:
    """The event loop keeps only weak references to tasks: whoever starts one outside of a task group keeps it."""
    places = {
        tree.shown(path)
        for path in tree.modules().values()
        if any(starts_a_loose_task(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    }
    assert places == set(STARTS_TASKS)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("from . import question", "smartdoh.wire"),
        ("from ..errors import WireError", "smartdoh.errors"),
        ("from smartdoh.errors import WireError", "smartdoh.errors"),
    ],
)
def test_relative_imports_are_resolved(statement: str, expected: str) -> None:
    """The reading of imports that the tests above stand on."""
    (node,) = ast.parse(statement).body
    assert isinstance(node, ast.ImportFrom)
    assert tree.absolute(node, "smartdoh.wire") == expected
