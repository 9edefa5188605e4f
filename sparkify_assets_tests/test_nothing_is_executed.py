"""Nothing in the package makes objects or programs of what it reads, as its source shows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sparkify_assets

PACKAGE = Path(sparkify_assets.__file__).parent
# Modules that make objects of bytes, or that resolve entities of XML.
MODULES = {
    "pickle", "_pickle", "cPickle", "cloudpickle", "dill", "jsonpickle", "marshal", "shelve",
    "joblib", "imp", "code", "codeop", "runpy", "xml.etree", "xml.dom", "xml.sax", "xml.parsers",
    "lxml", "xmlrpc", "commands", "popen2",
}  # fmt: skip
FUNCTIONS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.execve",
    "os.execvp", "os.spawnv", "tempfile.mktemp", "mktemp", "read_pickle", "to_pickle", "yaml.load",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "unsafe_load", "full_load",
    "importlib.import_module", "import_module", "PyExtensionType", "register_extension_type",
    "subprocess.getoutput", "subprocess.getstatusoutput",
}  # fmt: skip
ARGUMENTS = {"shell": True, "allow_pickle": True}
# What is there all the same, with the reason.
ALLOWED = {
    ("metadata/plots.py", "import xml.sax.saxutils"): "`escape` for SVG; it parses nothing",
    ("cluster/worker.py", "__import__()"): "packages by a list of its own, to tell which lack",
}


def dangers(source: str) -> list[str]:
    """What in a module could execute what it reads."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [f"import {one.name}" for one in node.names if _listed(one.name)]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [f"{module}.{one.name}" for one in node.names]
            if _listed(module):
                found.append(f"import {module}")
                continue
            found += [f"import {name}" for name in names if _listed(name) or name in FUNCTIONS]
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in FUNCTIONS or name.rpartition(".")[2] in FUNCTIONS - {"compile", "eval"}:
                found.append(f"{name}()")
            for argument in node.keywords:
                if argument.arg in ARGUMENTS and not _is_false(argument.value):
                    found.append(f"{name}({argument.arg}=…)")
    return found


def _listed(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in MODULES)


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def test_nothing_in_the_package_executes_what_it_reads() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    assert len(modules) > 100
    found = {
        (str(path.relative_to(PACKAGE)), danger)
        for path in modules
        for danger in dangers(path.read_text())
    }
    assert sorted(found - set(ALLOWED)) == []
    assert set(ALLOWED) - found == set(), "no longer there: take it from the list"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import marshal as m",
        "from xml.etree import ElementTree",
        "from xml import etree",
        "import xml.dom.minidom",
        "eval('1')",
        "exec(text)",
        "builtins.exec(text)",
        "yaml.load(text)",
        "from yaml import unsafe_load",
        "pd.read_pickle(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "subprocess.run(text, shell=True)",
        "tempfile.mktemp()",
        "from tempfile import mktemp",
        "os.system(text)",
        "importlib.import_module(name)",
        "pa.PyExtensionType(x)",
    ],
)
def test_the_search_finds(source: str) -> None:
    assert len(dangers(source)) == 1


@pytest.mark.parametrize(
    "source",
    ["import json", "re.compile('a')", "subprocess.run(['a'], shell=False)", "yaml.safe_load(text)",
     "# eval()", "'exec()'", "connection.execute(sql)"],
)  # fmt: skip
def test_the_search_does_not_find(source: str) -> None:
    assert dangers(source) == []
