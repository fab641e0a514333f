"""Owner cells: what a lesson shows in the open is what helpers hold."""

import nbformat
import pytest
from coursetools import notebooks, owners
from coursetools.notebooks import CourseError

SAMPLING = "helpers.layers.Sampling"
ALL = notebooks.select("all")


def lesson(path, source, owner=SAMPLING):
    """Write a notebook with one owner cell."""
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["kept", f"owner:{owner}"]})
    notebooks.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_owner_cells_are_the_same_as_helpers(path):
    assert owners.differing(path) == [], "run `make sync`, then render the notebook"


def test_there_are_owner_cells_and_each_thing_has_one_owner():
    tagged = [
        owner
        for path in ALL
        for cell in notebooks.code_cells(notebooks.read(path))
        if (owner := owners.owner_of(cell))
    ]
    assert SAMPLING in tagged
    assert len(tagged) == len(set(tagged))


def test_every_word_of_code_counts(tmp_path):
    source = owners.shown_source(SAMPLING)
    assert owners.differing(lesson(tmp_path / "1.ipynb", source)) == []
    changed = source.replace("call(", "call_(")
    assert changed != source
    assert owners.differing(lesson(tmp_path / "1.ipynb", changed)) == [SAMPLING]
    assert owners.differing(lesson(tmp_path / "1.ipynb", f"{source}\nx = 1")) == [SAMPLING]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("def f(x):\n    return x", "def f(x):\n    return x  # remark", True),
        ("def f(x):\n    return x", 'def f(x: int) -> int:\n    """It."""\n    return x', True),
        ("class A:\n    b = 1", 'class A:\n    """It."""\n    b = 1', True),
        ("def f(x):\n    pass", "@register\ndef f(x):\n    pass", True),
        ("def f(x):\n    return x", "import keras\n\ndef f(x):\n    return x", True),
        ("def f(x):\n    return x", "def f(x):\n    return -x", False),
        ("def f(x):\n    return x", "def f(x=0):\n    return x", False),
        ("def f(x):\n    return x", "def g(x):\n    return x", False),
        ("class A(B):\n    pass", "class A(C):\n    pass", False),
    ],
)
def test_docstrings_annotations_decorators_and_imports_do_not_count(left, right, same):
    assert owners.same_code(left, right) == same


def test_a_cell_shows_neither_docstrings_nor_decorators():
    shown = owners.shown_source(SAMPLING)
    assert shown.startswith("class Sampling(")
    assert '"""' not in shown


@pytest.mark.parametrize("owner", ["helpers.layers.Smapling", "helpers.layer.Sampling", "Sampling"])
def test_an_owner_tag_that_names_nothing_is_an_error(tmp_path, owner):
    with pytest.raises(CourseError, match=owner):
        owners.differing(lesson(tmp_path / "1.ipynb", "x = 1", owner))


def test_sync_refreshes_a_cell_and_keeps_its_imports_and_tags(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    imports = "import keras\nfrom keras import ops\n\n"
    stale = lesson(tmp_path / "01_stale.ipynb", imports + "class Sampling:\n    pass")
    fresh = lesson(tmp_path / "02_fresh.ipynb", owners.shown_source(SAMPLING))
    untouched = fresh.read_bytes()
    owners.sync()
    (cell,) = notebooks.read(stale).cells
    assert cell.source == imports + owners.shown_source(SAMPLING)
    assert "kept" in notebooks.tags(cell)
    assert owners.differing(stale) == []
    assert fresh.read_bytes() == untouched
    assert f"01_stale: {SAMPLING}" in capsys.readouterr().out
