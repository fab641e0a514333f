"""The structure that every lesson keeps, as rules with a message each (design of the series)."""

import ast
import base64
import re
import statistics

from coursetools import badges, notebooks
from coursetools.run import PATHS, WIDGET

MOST_LINES, MEDIAN_LINES, LED_IN = 25, 8, 0.85
MOST_BYTES, MOST_IMAGE_BYTES = 1_500_000, 300_000
LEFTOVER = re.compile(r"<matplotlib\.|\bText\(")


def check(path):
    """All complaints about the notebook at `path`, as texts; empty if there are none."""
    notebook = notebooks.read(path)
    cells = notebooks.code_cells(notebook)
    rules = (_anatomy, _budgets, _code_rules, _output_rules)
    complaints = [text for rule in rules for text in rule(notebook, cells, path)]
    return [f"{path.name}: {text}" for text in complaints]


def setup_source():
    """The setup cell that every notebook starts with, for the current public address."""
    repo, ref = badges.address()
    return SETUP.replace("@ADDRESS@", f"git+https://github.com/{repo}@{ref}")


SETUP = """# Setup: the same cell in every lesson. On Colab it first installs the course.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet "@ADDRESS@"

from helpers import data, plotting, session

about = session.start(seed=42)
plotting.use_style()
print(about, data.source().label, sep=" · ")"""


def _anatomy(notebook, cells, path):
    first = notebook.cells[0]
    repo, ref = badges.address()
    link = f"github/{repo}/blob/{ref}/notebooks/{path.name}"
    if first.cell_type != "markdown" or not re.match(r"# \d\d · ", first.source):
        yield "the first cell must be Markdown and start with '# 01 · Title'"
    if link not in first.source:
        yield f"the first cell lacks the Colab badge with {link}"
    if cells[0].source != setup_source():
        yield "the first code cell is not the setup cell: run `make badges`"
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    for heading in ("## Your turn", "## In short"):
        if heading not in text:
            yield f"the section '{heading}' is missing"
    if not any("claim(" in cell.source or "check_exercise(" in cell.source for cell in cells):
        yield "no claim is measured, and no exercise checked"
    if "TODO" in text or any("TODO" in cell.source for cell in cells):
        yield "a TODO is left"
    for name in re.findall(r"\]\(([\w.-]+\.ipynb)\)", text):
        if not (path.parent / name).is_file():
            yield f"links to {name}, which is not there"


def _budgets(notebook, cells, path):
    lengths = [len(cell.source.splitlines()) for cell in cells]
    if statistics.median(lengths) > MEDIAN_LINES:
        yield f"the median code cell has {statistics.median(lengths)} lines, at most {MEDIAN_LINES}"
    for number, length in enumerate(lengths, 1):
        if length > MOST_LINES:
            yield f"code cell {number} has {length} lines, at most {MOST_LINES}"
    pairs = list(zip(notebook.cells, notebook.cells[1:], strict=False))
    led = sum(a.cell_type == "markdown" for a, b in pairs if b.cell_type == "code")
    if led < LED_IN * len(cells):
        yield f"{led} of {len(cells)} code cells follow a sentence; {LED_IN:.0%} must"
    headings = sum(
        bool(re.search(r"^##+ ", cell.source, re.MULTILINE))
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    )
    if headings * 5 < len(cells):
        yield f"{headings} headings for {len(cells)} code cells: one for every five at least"


def _code_rules(notebook, cells, path):
    tree = ast.Module(body=[], type_ignores=[])
    for number, cell in enumerate(cells, 1):
        part = ast.parse(notebooks.plain_python(cell.source))
        tree.body += part.body
        for node in ast.walk(part):
            if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
                yield f"code cell {number} imports with a star"
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if name in ("plt.show", "sys.path", "tf.keras"):
                yield f"code cell {number} uses {name}"
        if PATHS.search(cell.source):
            yield f"code cell {number} holds a path of one machine"
    data_names = _top_level_data(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for name in sorted(_free_names(node) & data_names):
                yield f"{node.name} reads the notebook's variable {name}: pass it as an argument"


def _top_level_data(tree):
    """Names assigned in the notebook's cells, functions, classes and imports aside."""
    return {
        name.id
        for statement in tree.body
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.With))
        for name in ast.walk(statement)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }


def _free_names(function):
    """Names that a function or class reads without binding them itself."""
    nodes = list(ast.walk(function))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return read - bound


def _output_rules(notebook, cells, path):
    if path.stat().st_size > MOST_BYTES:
        yield f"the file has {path.stat().st_size / 1e6:.1f} MB, at most {MOST_BYTES / 1e6} MB"
    if "widgets" in notebook.metadata:
        yield "metadata.widgets is left: render it"
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        yield "the cells were not run once each, in order: render it"
    stamp = notebook.metadata.get("from_pca", {})
    if stamp.get("code_hash") != notebooks.code_hash(notebook):
        yield "the code has changed since the outputs were made: render it"
    now, then = notebooks.shipped(notebook), stamp.get("shipped", {})
    if changed := sorted(name for name in now | then if now.get(name) != then.get(name)):
        yield f"the outputs were made with another {' and '.join(changed)}: render it"
    for number, cell in enumerate(cells, 1):
        for output in cell.outputs:
            yield from (f"code cell {number} {text}" for text in _output_complaints(output))


def _output_complaints(output):
    if output.output_type == "error":
        yield "ended in an error"
    if output.get("name") == "stderr":
        yield "wrote to stderr"
    bundle = output.get("data", {})
    if WIDGET in bundle:
        yield "keeps a widget without its state: render it"
    if len(base64.b64decode(bundle.get("image/png", ""))) > MOST_IMAGE_BYTES:
        yield f"has an image of more than {MOST_IMAGE_BYTES // 1000} kB"
    if output.output_type == "execute_result" and LEFTOVER.search(bundle.get("text/plain", "")):
        yield "shows what a plotting function returned: end it with a semicolon"
    if PATHS.search(bundle.get("text/plain", "") + output.get("text", "")):
        yield "shows a path of one machine"
