"""The structure of every lesson, and that each rule about it can fail."""

import base64
import copy

import nbformat
import pytest
from coursetools import badges, lint, notebooks

NAME = "12_example.ipynb"
CLAIM = 'claim("C1", 0.5, below=1.0)'


@pytest.mark.parametrize("path", notebooks.select("all"), ids=lambda path: path.stem)
def test_a_lesson_keeps_to_the_rules(path):
    assert lint.check(path) == []


def text(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source):
    return nbformat.v4.new_code_cell(source)


def led(source, times):
    """Code cells, each after a sentence."""
    return [make() for _ in range(times) for make in (lambda: text("So:"), lambda: code(source))]


@pytest.fixture
def good():
    """A small notebook that keeps to all rules, as if just rendered."""
    repo, ref = badges.address()
    link = f"https://colab.research.google.com/github/{repo}/blob/{ref}/notebooks/{NAME}"
    cells = [
        text(f"# 12 · Example\n\n[![Open in Colab](badge)]({link})"),
        code(lint.setup_source()),
        text("## A claim"),
        code(f"from helpers.claims import claim\n\nx = 1\n{CLAIM}"),
        text("## Your turn"),
        text("## In short"),
        code("x + 1"),
    ]
    return nbformat.v4.new_notebook(cells=cells)


def complaints(notebook, folder, *, rendered=True):
    """What lint says of `notebook`, given the stamp of a fresh rendering if `rendered`."""
    notebook = copy.deepcopy(notebook)
    if rendered:
        for count, cell in enumerate(notebooks.code_cells(notebook), 1):
            cell.execution_count = count
        notebook.metadata["from_pca"] = {"code_hash": notebooks.code_hash(notebook)}
    notebooks.write(notebook, folder / NAME)
    return lint.check(folder / NAME)


def test_the_good_example_is_good(good, tmp_path):
    assert complaints(good, tmp_path) == []


def replace(index, old, new):
    def change(notebook):
        cell = notebook.cells[index]
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def append(*cells):
    return lambda notebook: notebook.cells.extend(cells)


BAD_SOURCES = {
    "no title": (replace(0, "# 12 · ", "# "), "must be Markdown and start with"),
    "another notebook's badge": (replace(0, NAME, "11_gan.ipynb"), "lacks the Colab badge"),
    "another setup cell": (replace(1, "seed=42", "seed=43"), "is not the setup cell"),
    "no exercises": (replace(4, "Your turn", "Yours"), "section '## Your turn' is missing"),
    "no summary": (replace(5, "In short", "The end"), "section '## In short' is missing"),
    "no claim": (replace(3, CLAIM, ""), "no claim is measured, and no exercise"),
    "a TODO in a text": (replace(5, "short", "short\nTODO"), "a TODO is left"),
    "a TODO in code": (replace(3, "x = 1", "x = 1  # TODO"), "a TODO is left"),
    "a dead link": (
        replace(5, "short", f"short\n[this]({NAME}), [next](13_none.ipynb)"),
        "links to 13_none.ipynb, which is not there",
    ),
    "a long cell": (append(text("So:"), code("x = 1\n" * 26)), "code cell 4 has 26 lines"),
    "long cells": (
        append(*led("x = 1\n" * 9, 4)),
        "the median code cell has 9 lines",
    ),
    "code upon code": (append(code("x = 1")), "3 of 4 code cells follow a sentence"),
    "no headings": (append(*led("x = 1", 14)), "3 headings for 17 code cells"),
    "a star": (replace(3, "import claim", "import *"), "code cell 2 imports with a star"),
    "plt.show": (replace(3, "x = 1", "plt.show()"), "code cell 2 uses plt.show"),
    "sys.path": (replace(3, "x = 1", "sys.path.append('..')"), "code cell 2 uses sys.path"),
    "tf.keras": (replace(3, "x = 1", "tf.keras.Model()"), "code cell 2 uses tf.keras"),
    "a machine's path": (replace(3, "x = 1", "x = '/home/ada/x'"), "cell 2 holds a path of one"),
    "a hidden input": (
        replace(3, "x = 1", "x = 1\ndef f(y):\n    return x + y"),
        "f reads the notebook's variable x",
    ),
    "a hidden input of a method": (
        replace(3, "x = 1", "for x in [1]: pass\nclass A:\n    def f(self):\n        return x"),
        "A reads the notebook's variable x",
    ),
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_a_breach_in_the_sources_is_named(name, good, tmp_path):
    change, message = BAD_SOURCES[name]
    change(good)
    found = complaints(good, tmp_path)
    assert len(found) == 1, found
    assert found[0].startswith(f"{NAME}: ")
    assert message in found[0]


def test_a_function_may_use_its_arguments_and_other_functions(good, tmp_path):
    source = "x = 1\ndef f(x):\n    y = x\n    return y\ndef g(x): return f(x)"
    replace(3, "x = 1", source)(good)
    assert complaints(good, tmp_path) == []


def test_a_notebook_of_exercises_needs_no_claim(good, tmp_path):
    replace(3, CLAIM, 'check_exercise("9a", x)')(good)
    assert complaints(good, tmp_path) == []


def output(**data):
    return nbformat.v4.new_output("display_data", data=data)


def png(size):
    return base64.b64encode(bytes(size)).decode()


WIDGET = {"model_id": "a", "version_major": 2, "version_minor": 0}
BAD_OUTPUTS = {
    "an error": (
        nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[]),
        "ended in an error",
    ),
    "a warning": (nbformat.v4.new_output("stream", name="stderr", text="!"), "wrote to stderr"),
    "a widget without state": (
        output(**{"application/vnd.jupyter.widget-view+json": WIDGET}),
        "keeps a widget without its state",
    ),
    "a large image": (output(**{"image/png": png(300_001)}), "image of more than 300 kB"),
    "a plot's return value": (
        nbformat.v4.new_output(
            "execute_result", {"text/plain": "[Text(0.5, 0, 'epoch')]"}, execution_count=4
        ),
        "shows what a plotting function returned",
    ),
    "a path as a value": (output(**{"text/plain": "'/root/x'"}), "shows a path of one machine"),
    "a path printed": (
        nbformat.v4.new_output("stream", name="stdout", text="to /tmp/x"),
        "shows a path of one machine",
    ),
}


@pytest.mark.parametrize("name", BAD_OUTPUTS)
def test_a_bad_output_is_named(name, good, tmp_path):
    bad, message = BAD_OUTPUTS[name]
    good.cells[3].outputs = [bad]
    (found,) = complaints(good, tmp_path)
    assert "code cell 2" in found
    assert message in found


def test_many_images_make_a_file_too_large(good, tmp_path):
    good.cells[3].outputs = [output(**{"image/png": png(290_000)})] * 4
    assert any("the file has 1.5 MB" in found for found in complaints(good, tmp_path))


def test_the_state_of_widgets_must_not_be_kept(good, tmp_path):
    good.metadata["widgets"] = {}
    (found,) = complaints(good, tmp_path)
    assert "metadata.widgets is left" in found


def test_outputs_older_than_the_code_are_noticed(good, tmp_path):
    good.metadata["from_pca"] = {"code_hash": notebooks.code_hash(good)}
    for count, cell in enumerate(notebooks.code_cells(good), 1):
        cell.execution_count = count
    assert complaints(good, tmp_path, rendered=False) == []
    good.cells[3].source += "\n2"
    (found,) = complaints(good, tmp_path, rendered=False)
    assert "the code has changed since the outputs were made" in found


def test_outputs_older_than_the_weights_they_used_are_noticed(good, tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "SHIPPED", tmp_path)
    weights, numbers = tmp_path / "gan.weights.h5", tmp_path / "gan_long.results.json"
    weights.write_bytes(b"old")
    good.cells[3].source += '\nload("gan")'
    for count, cell in enumerate(notebooks.code_cells(good), 1):
        cell.execution_count = count
    good.metadata["from_pca"] = {
        "code_hash": notebooks.code_hash(good),
        "shipped": notebooks.shipped(good),
    }
    numbers.write_bytes(b"of another lesson")
    assert complaints(good, tmp_path, rendered=False) == []
    weights.write_bytes(b"new")
    (found,) = complaints(good, tmp_path, rendered=False)
    assert "the outputs were made with another gan.weights.h5: render it" in found
    weights.unlink()
    assert complaints(good, tmp_path, rendered=False) == [found]


def test_cells_run_out_of_order_are_noticed(good, tmp_path):
    good.metadata["from_pca"] = {"code_hash": notebooks.code_hash(good)}
    good.cells[1].execution_count, good.cells[3].execution_count = 2, 1
    (found,) = complaints(good, tmp_path, rendered=False)
    assert "not run once each, in order" in found
