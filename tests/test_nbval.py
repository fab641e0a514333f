"""nbval as `make test` calls it: what fails, where; and what may differ."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from helpers import claims

ROOT = Path(__file__).parents[1]
CELL_TIMEOUT = 8
CHECKED = {"tags": ["nbval-check-output"]}
DEAF = """
import time
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass
"""
BEFORE = "x = 1"
AFTER = "assert x == 1"


def notebook(path, *cells):
    """Write a notebook; a cell is its source, or a pair of source and committed outputs."""
    made = []
    for count, cell in enumerate(cells, 1):
        source, outputs = (cell, None) if isinstance(cell, str) else cell
        metadata = CHECKED if outputs is not None else {}
        made.append(
            nbformat.v4.new_code_cell(
                source, outputs=outputs or [], metadata=metadata, execution_count=count
            )
        )
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def shown(data):
    return nbformat.v4.new_output("display_data", data=data)


def nbval(folder, *options):
    """Run nbval over `folder`.

    Returns:
        Exit code, and dict "notebook::Cell n" -> (outcome, message).
    """
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "nbval_guard"]
    command += ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"]
    command += [f"--nbval-sanitize-with={ROOT / '.ci' / 'nbval-sanitize.cfg'}"]
    command += ["-n", "2", "--dist", "loadscope", f"--junitxml={report}", f"--rootdir={folder}"]
    path = os.pathsep.join([str(ROOT / ".ci"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "NOTEBOOK_PROFILE": "smoke"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]  # this test may itself run under pytest-xdist
    finished = subprocess.run(
        [*command, *options, str(folder)],
        cwd=folder, env=environment, timeout=240, capture_output=True, text=True,
    )  # fmt: skip
    assert report.is_file(), finished.stdout + finished.stderr
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname').rpartition('.')[0]}::{case.get('name')}"
        kind = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        outcome = "passed" if kind is None else kind.tag
        results[name] = (outcome, "" if kind is None else kind.text)
    return finished.returncode, results


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken")
    notebook(folder / "dies.ipynb", BEFORE, "import os\nos._exit(3)", AFTER)
    notebook(folder / "hangs.ipynb", BEFORE, "while True:\n    pass", AFTER, "while True: pass")
    notebook(folder / "deaf.ipynb", BEFORE, DEAF, AFTER)
    code, results = nbval(folder)
    assert code == 1
    return results


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dies", "Cell 1: The kernel died in this cell, [2] in the notebook"),
        ("hangs", f"Cell 1: Timeout of {CELL_TIMEOUT} seconds"),
        ("deaf", f"Cell 1: Timeout of {CELL_TIMEOUT} seconds"),
    ],
)
def test_a_cell_that_ends_or_blocks_the_kernel_fails_by_its_number(broken, name, says):
    outcome, message = broken[f"{name}::Cell 1"]
    assert outcome == "failure"
    assert says in message
    assert broken[f"{name}::Cell 0"][0] == "passed"
    after = {key: value[0] for key, value in broken.items() if key.startswith(f"{name}::")}
    assert set(list(after.values())[2:]) == {"skipped"}


def claim_row(monkeypatch, status_profile, measured, id="C1"):
    """The output that a claim leaves at a profile, on real data."""
    rows = []
    monkeypatch.setenv("NOTEBOOK_PROFILE", status_profile)
    monkeypatch.setattr("helpers.claims.data.source", lambda: SimpleNamespace(is_real=True))
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: rows.append(bundle))
    claims.claim(id, measured, below=1.0)
    return shown(json.loads(json.dumps(rows[0])))


SAME_BUT_FOR = {
    "standard error": (
        "import sys\nprint('shape (3, 4)')\nprint('a warning', file=sys.stderr)",
        [stream("shape (3, 4)\n")],
    ),
    "ids of widgets": (
        "from IPython.display import display\n"
        f"display({{'text/html': 'IPY_MODEL_{'0a' * 16} at 0x7f00deadbeef'}}, raw=True)",
        [shown({"text/html": f"IPY_MODEL_{'1b' * 16} at 0x7f00cafebabe"})],
    ),
    "a widget's view": (
        "import ipywidgets\nprint('shape (3, 4)')\nipywidgets.Image(layout={'width': '10px'});",
        [stream("shape (3, 4)\n")],
    ),
    "durations": (
        "print('10 trees in 3.21 s, or 45ms/step')",
        [stream("10 trees in 12.9 s, or 7ms/step\n")],
    ),
    "progress bars": (
        "import time\n"
        "for epoch in (1, 2, 3):\n"
        "    print(f'Epoch {epoch}/3')\n"
        "    for step in (1, 2):\n"
        "        print(f'\\r{step}/2 ━━━━ 1s 20ms/step - loss: {epoch}', end='', flush=True)\n"
        "        time.sleep(0.05)\n"
        "    print()\n"
        "print('136,634 parameters')",
        [stream("Epoch 1/1\n99/99 ━━━━━━ 2s 3ms/step - loss: 0.3\n136,634 parameters\n")],
    ),
    "the setup line": (
        "print('Python 3.13.1 · TensorFlow 2.20.0 · Keras 3.13.2 · CPU, 2 cores · profile smoke')",
        [
            stream(
                "Python 3.12.1 · TensorFlow 2.21.0 · Keras 3.15.1 · CPU, 4 cores · profile lesson"
                " · Fashion-MNIST from Keras\n"
            )
        ],
    ),
}
WRONG = {
    "another shape": ("print((3, 4))", [stream("(3, 5)\n")]),
    "after a bar": (
        "print('Epoch 1/1\\n1/1 ━━━━ 1s\\n12 parameters')",
        [stream("Epoch 1/1\n1/1 ━━━━ 1s\n13 parameters\n")],
    ),
    "no output": ("pass", [stream("(3, 4)\n")]),
    "another claim": (
        "from helpers.claims import claim\nclaim('C2', 0.25, below=1.0)",
        "claim C1",
    ),
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as monkeypatch:
        row = claim_row(monkeypatch, "lesson", 0.5)
        published = claim_row(monkeypatch, "lesson", 0.5, "R1")
    claim = "from helpers.claims import claim\nclaim('C1', 0.25, below=1.0)"
    same = {
        **SAME_BUT_FOR,
        "ledger rows": (claim, [row]),
        "published runs": (claim.replace("C1", "R1"), [published]),
    }
    wrong = {
        name: (source, [row] if outputs == "claim C1" else outputs)
        for name, (source, outputs) in WRONG.items()
    }
    notebook(folder / "same.ipynb", *same.values())
    notebook(folder / "wrong.ipynb", *wrong.values(), "1 / 0", "print('not compared')")
    _, results = nbval(folder)
    return results


@pytest.mark.parametrize("cell, name", enumerate([*SAME_BUT_FOR, "ledger rows", "published runs"]))
def test_what_may_differ_in_a_checked_output(compared, cell, name):
    outcome, message = compared[f"same::Cell {cell}"]
    assert outcome == "passed", message


@pytest.mark.parametrize("cell, name", enumerate(WRONG))
def test_a_wrong_checked_output_fails(compared, cell, name):
    outcome, message = compared[f"wrong::Cell {cell}"]
    assert outcome == "failure"
    assert "outputs differ" in message


def test_an_error_fails_and_an_unchecked_output_passes(compared):
    cell = len(WRONG)
    outcome, message = compared[f"wrong::Cell {cell}"]
    assert outcome == "failure"
    assert "ZeroDivisionError" in message
    assert compared[f"wrong::Cell {cell + 1}"][0] == "passed"
