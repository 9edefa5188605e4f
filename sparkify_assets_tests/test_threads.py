"""No generator holds threads in a way that can stop the process for good."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import sparkify_assets

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function itself, not in those within it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, FUNCTIONS):
            yield from own_nodes(child)


def generators_with_pools(source: str) -> list[str]:
    """The generators that make a pool of threads of their own."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        nodes = list(own_nodes(function))
        yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)
        called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        if yields and "ThreadPoolExecutor" in called:
            found.append(function.name)
    return found


def test_generators_leave_their_threads_alone() -> None:
    found = {
        path.name: names
        for path in Path(sparkify_assets.__file__).parent.rglob("*.py")
        if (names := generators_with_pools(path.read_text()))
    }
    assert found == {}, "see sparkify_assets/storage/threads.py"


def test_such_a_generator_is_found() -> None:
    source = "def read():\n  with ThreadPoolExecutor(4) as pool:\n    yield pool.submit(int)\n"
    assert generators_with_pools(source) == ["read"]
    assert generators_with_pools(source.replace("yield", "return")) == []
