"""Owner cells: code that a notebook shows in the open and helpers also holds.

A cell tagged ``owner:helpers.layers.Sampling`` must be the same as that object, docstrings and
annotations aside. Helpers are the truth: ``sync`` refreshes the cells.
"""

import ast
import importlib
import inspect

from coursetools import notebooks
from coursetools.notebooks import CourseError


def owner_of(cell):
    """The dotted name after ``owner:`` among the cell's tags, or None."""
    names = [tag.split(":", 1)[1] for tag in notebooks.tags(cell) if tag.startswith("owner:")]
    return names[0] if names else None


def shown_source(dotted):
    """The source of an object in helpers as a cell shows it: without docstrings, decorators."""
    module, _, name = dotted.rpartition(".")
    try:
        source = inspect.getsource(getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError, ValueError) as error:
        raise CourseError(f"The owner tag {dotted!r} names nothing: {error}") from None
    tree = ast.parse(source)
    lines = source.splitlines()
    dropped = set(range(0, tree.body[0].lineno - 1))  # decorators
    for node in ast.walk(tree):
        if _docstring(node) is not None:
            first = node.body[0]
            dropped |= set(range(first.lineno - 1, first.end_lineno))
            if len(lines) > first.end_lineno and not lines[first.end_lineno].strip():
                dropped.add(first.end_lineno)
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped)


def same_code(left, right):
    """Whether two sources are the same but for docstrings, annotations and decorators."""
    return _bare(left) == _bare(right)


def _docstring(node):
    kinds = (ast.FunctionDef, ast.ClassDef)
    return ast.get_docstring(node) if isinstance(node, kinds) else None


def _bare(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if _docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            node.decorator_list = []
        for attribute in ("returns", "annotation"):
            if hasattr(node, attribute):
                setattr(node, attribute, None)
    body = [n for n in tree.body if not isinstance(n, (ast.Import, ast.ImportFrom))]
    return ast.dump(ast.Module(body=body, type_ignores=[]))


def differing(path):
    """The owner tags in a notebook whose cell is not the same as helpers'."""
    return [
        owner_of(cell)
        for cell in notebooks.code_cells(notebooks.read(path))
        if owner_of(cell)
        and not same_code(notebooks.plain_python(cell.source), shown_source(owner_of(cell)))
    ]


def sync():
    """Copy the code of owner cells from helpers, keeping the cell's own import lines."""
    for path in notebooks.select("all"):
        notebook, changed = notebooks.read(path), []
        for cell in notebooks.code_cells(notebook):
            owner = owner_of(cell)
            if owner and not same_code(notebooks.plain_python(cell.source), shown_source(owner)):
                cell.source = _leading_imports(cell.source) + shown_source(owner)
                changed.append(owner)
        if changed:
            notebooks.write(notebook, path)
        print(f"{path.stem}: {', '.join(changed) or 'in sync'}")


def _leading_imports(source):
    """The import lines that a cell starts with, and the blank line after them."""
    lines = []
    for line in source.splitlines():
        if not line.startswith(("import ", "from ")):
            break
        lines.append(line)
    return "\n".join(lines) + "\n\n" if lines else ""
