"""The workbench: choosing, running and rendering notebooks, the ledger's tables, the Makefile."""

import hashlib
import re
import shutil
import subprocess

import course
import nbformat
import numpy as np
import project
import pytest
from coursetools import badges, ledger, notebooks, overview, run
from coursetools.notebooks import CourseError
from PIL import Image

CLAIM = {
    "id": "C2", "says": "It holds.", "measured": 0.123456, "unit": "nats", "criterion": "≤ 1",
    "status": "holds", "note": "",
}  # fmt: skip
WIDGET_VIEW = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of notebooks and a README that the tools work on, and an empty build folder."""
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    monkeypatch.setattr(notebooks, "SHIPPED", tmp_path / "weights")
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    monkeypatch.setattr(ledger, "README", tmp_path / "README.md")
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    return tmp_path


def lesson(folder, name, *sources, outputs=()):
    """Write a notebook of code cells under a title; the last cell gets `outputs`."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[-1].outputs = list(outputs)
    title = nbformat.v4.new_markdown_cell(f"# {name[:2]} · Title of {name[:2]}\n\nA question.")
    path = folder / f"{name}.ipynb"
    notebooks.write(nbformat.v4.new_notebook(cells=[title, *cells]), path)
    return path


def shown(**data):
    return nbformat.v4.new_output("display_data", data=data)


# choosing


def test_notebooks_are_chosen_by_number_name_or_all(folder):
    first, second = lesson(folder, "01_one", "1"), lesson(folder, "12_two", "2")
    (folder / "notes.ipynb").write_text("not a lesson")
    assert notebooks.select("all") == [first, second]
    assert notebooks.select("12") == [second]
    assert notebooks.select("12, 01_one.ipynb") == [second, first]
    assert notebooks.select("notebooks/12_two.ipynb") == [second]


def test_an_unknown_notebook_is_one_line_that_lists_the_known(folder, capsys):
    lesson(folder, "01_one", "1")
    assert course.main(["run", "02"]) == 1
    assert capsys.readouterr().err == "There is no notebook '02'. There are: 01.\n"


def test_writing_leaves_the_old_file_when_it_fails(folder, monkeypatch):
    path = lesson(folder, "01_one", "1")
    before = path.read_bytes()

    def fail(notebook, target):
        target.write_text("half a notebo")
        raise OSError("disk full")

    monkeypatch.setattr(nbformat, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        notebooks.write(nbformat.v4.new_notebook(), path)
    assert path.read_bytes() == before
    assert [file.name for file in folder.iterdir()] == [path.name]


def test_the_code_hash_is_of_code_only(folder):
    made = notebooks.read(lesson(folder, "01_one", "x = 1", "y = 2"))
    before = notebooks.code_hash(made)
    made.cells[0].source = "# 01 · Another title"
    made.cells[2].outputs = [shown(**{"text/plain": "2"})]
    assert notebooks.code_hash(made) == before
    made.cells[1].source = "x = 2"
    assert notebooks.code_hash(made) != before


# running


def test_run_writes_a_page_with_a_line_for_each_cell_and_leaves_the_notebook(folder, capsys):
    path = lesson(
        folder, "01_one", "import os", "print('profile', os.environ['NOTEBOOK_PROFILE'])",
        "open('left', 'w').close()\nos.listdir()",
    )  # fmt: skip
    before = path.read_bytes()
    assert course.main(["run", "01"]) == 0
    page = (folder / "build" / "01_one.html").read_text(encoding="utf-8")
    assert "profile smoke" in page
    assert "<pre>['left']</pre>" in page, "a notebook starts in an empty folder of its own"
    assert not list(folder.rglob("left"))
    assert path.read_bytes() == before
    out = capsys.readouterr().out
    assert re.findall(r"^  \[ (\d)\] +[\d.]+ s  (\S+)", out, re.MULTILINE) == [
        ("1", "import"), ("2", "print('profile',"), ("3", "open('left',"),
    ]  # fmt: skip


def test_a_failing_cell_is_told_by_its_number_with_one_plain_traceback(folder, capsys):
    lesson(folder, "01_one", "def f(x):\n    return 1 / x", "print('fine')\nf(0)", "'not run'")
    assert course.main(["run", "01"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Cell [2] failed:\n")
    assert error.count("ZeroDivisionError: division by zero") == 1
    assert "return 1 / x" in error
    assert "\x1b" not in error
    assert not (folder / "build").exists()


FAILING = "class ClaimFailed(AssertionError): pass\nprint('early')\nraise ClaimFailed('C1 is 7')"


def test_going_on_a_failing_claim_stops_its_cell_and_a_failing_notebook_itself(folder, capsys):
    lesson(folder, "01_one", FAILING, "print('late')")
    lesson(folder, "02_two", "1 / 0", "print('never')")
    lesson(folder, "03_three", "print('last')")
    assert course.main(["run", "--go-on"]) == 1
    pages = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("build/*.html")}
    assert sorted(pages) == ["01_one", "03_three"]
    assert all(text in pages["01_one"] for text in ("<pre>early", "<pre>late"))
    error = capsys.readouterr().err
    assert error.startswith("01_one\nClaims failed:\nC1 is 7\n\n02_two\nCell [1] failed:\n")
    assert course.main(["run", "--go-on", "01,03"]) == 2, "claims only"
    assert capsys.readouterr().err == "01_one\nClaims failed:\nC1 is 7\n"
    assert course.main(["run", "--go-on", "03"]) == 0
    assert capsys.readouterr().err == ""


def test_otherwise_a_failing_claim_stops_all(folder, capsys):
    lesson(folder, "01_one", FAILING, "print('late')")
    lesson(folder, "02_two", "print('never')")
    assert course.main(["run"]) == 1
    assert "C1 is 7" in capsys.readouterr().err
    assert not (folder / "build").exists()


def test_a_long_traceback_keeps_its_end(folder, capsys):
    lesson(folder, "01_one", "raise ValueError('\\n'.join(map(str, range(1000))))")
    course.main(["run", "01"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["Cell [1] failed:", "…"]
    assert lines[-1] == "999"
    assert len(lines) < 50


def test_a_kernel_that_dies_is_told_by_its_cell(folder, capsys):
    lesson(folder, "01_one", "x = 1", "import os\nos._exit(3)")
    assert course.main(["run", "01"]) == 1
    error = capsys.readouterr().err
    assert "Cell [2]: the kernel died" in error
    assert "os._exit(3)" in error


def test_a_cell_that_hangs_is_told_by_its_number(folder, capsys):
    lesson(folder, "01_one", "x = 1", "while True:\n    pass")
    assert course.main(["run", "01", "--cell-seconds", "2"]) == 1
    assert "Cell [2] took more than 2 s" in capsys.readouterr().err


def test_kernels_write_nothing_beside_the_notebook(folder, capfd):
    lesson(folder, "01_one", "import os\nos.system('echo greetings >&2');")
    course.main(["run", "01"])
    assert capfd.readouterr().err == ""


def test_interrupting_is_no_traceback(folder, monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    lesson(folder, "01_one", "1")
    monkeypatch.setattr(run, "run", interrupted)
    assert course.main(["run", "01"]) == 130
    assert "the notebook at hand is as it was" in capsys.readouterr().err


def test_files_count_whose_names_the_code_has_in_quotes(folder):
    (folder / "weights").mkdir()
    for name in ("gan.weights.h5", "gan_long.results.json", "classifier.weights.h5", "list.json"):
        (folder / "weights" / name).write_text(name)

    def used(source):
        return list(notebooks.shipped(notebooks.read(lesson(folder, "01_one", source))))

    assert used("gan = [1]  # gan_long") == []
    assert used('load("gan")') == ["gan.weights.h5"]
    assert used('over_seeds(\n    "gan_long",\n)') == ["gan_long.results.json"]
    assert used("Judge()") == ["classifier.weights.h5"]
    assert used('judged = "classifier"') == ["classifier.weights.h5"]


# rendering


def test_render_keeps_outputs_at_lesson_and_stamps_the_code(folder):
    (folder / "weights").mkdir()
    (folder / "weights" / "os.weights.h5").write_bytes(b"numbers")
    path = lesson(folder, "01_one", "import os", "", '"os"\nos.environ["NOTEBOOK_PROFILE"]')
    assert course.main(["render", "01"]) == 0
    made = notebooks.read(path)
    cells = notebooks.code_cells(made)
    assert [cell.execution_count for cell in cells] == [1, 2]
    assert cells[1].outputs[0].data["text/plain"] == "'lesson'"
    stamp = made.metadata["from_pca"]
    assert stamp["code_hash"] == notebooks.code_hash(made)
    assert stamp["profile"] == "lesson"
    assert stamp["shipped"] == {"os.weights.h5": hashlib.sha256(b"numbers").hexdigest()[:12]}
    assert set(stamp) == {"code_hash", "shipped", "profile", "minutes", "cores", "versions"}
    assert "execution" not in cells[0].metadata


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 / 0", "Cell [2] failed"),
        ("import sys\nprint('careful', file=sys.stderr)", "[2] wrote to stderr:\ncareful"),
        ("'/home/' + 'ada/x'", "[2] shows this machine's path /home/ada"),
        ("print('in /ho' + 'me/ada')", "[2] shows this machine's path /home/ada"),
    ],
)
def test_render_refuses_what_must_not_be_committed(folder, capsys, source, says):
    path = lesson(folder, "01_one", "x = 1", source)
    before = path.read_bytes()
    assert course.main(["render", "01"]) == 1
    assert says in capsys.readouterr().err
    assert path.read_bytes() == before


def test_render_refuses_stand_in_data(folder, capsys):
    path = lesson(folder, "01_one", "print('scikit-learn digits as a stand-in')", "x = 1")
    before = path.read_bytes()
    assert course.main(["render", "01"]) == 1
    assert "stand-in data: set FASHION_MNIST_DIR" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_the_stand_in_is_called_so_where_data_come_from(offline):
    from helpers import data

    assert "stand-in" in data.source().label


def test_of_a_widget_only_the_still_is_kept(folder):
    view = {run.WIDGET: WIDGET_VIEW, "text/plain": "Sliders()"}
    outputs = [shown(**view, **{"image/png": "aGk="}), shown(**view), shown(**{"text/plain": "2"})]
    made = notebooks.read(lesson(folder, "01_one", "1", outputs=outputs))
    made.metadata["widgets"] = {"state": {}}
    run.clean(made)
    assert "widgets" not in made.metadata
    assert [dict(output.data) for output in made.cells[1].outputs] == [
        {"image/png": "aGk=", "text/plain": "Sliders()"},
        {"text/plain": "2"},
    ]


def test_streams_are_joined_and_a_progress_bar_keeps_its_last_state(folder):
    texts = ("Epoch 1/1\n", "1/2 ━━\x08\x08\r", "2/2 ━━ loss: 3\n", "end\n")
    outputs = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in texts]
    made = notebooks.read(lesson(folder, "01_one", "1", outputs=outputs))
    run.clean(made)
    (output,) = made.cells[1].outputs
    assert output.text == "Epoch 1/1\n2/2 ━━ loss: 3\nend\n"


# the README's tables


def test_the_tables_are_written_between_their_markers_only(folder):
    claim = shown(**{ledger.MIME: CLAIM})
    later = shown(**{ledger.MIME: {**CLAIM, "id": "C10", "measured": True, "note": "A remark."}})
    path = lesson(folder, "01_one", "1", outputs=[later, claim])
    made = notebooks.read(path)
    made.metadata["from_pca"] = {"minutes": 2.5, "cores": 2}
    notebooks.write(made, path)
    empty = "".join(
        f"<!-- {name}:start -->\n<!-- {name}:end -->\n" for name in ("notebooks", "ledger")
    )
    (folder / "README.md").write_text(f"before\n{empty}after\n", encoding="utf-8")
    ledger.write()
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n")
    repo, ref = badges.address()
    row = next(line for line in text.splitlines() if line.startswith("| [01"))
    assert "[01 · Title of 01](notebooks/01_one.ipynb)" in row
    assert f"github/{repo}/blob/{ref}/notebooks/01_one.ipynb" in row
    assert row.endswith("| 2.5 | 2 |")
    rows = [line for line in text.splitlines() if line.startswith("| C")]
    where = "[01](notebooks/01_one.ipynb)"
    assert rows == [
        f"| C2 | It holds. | 0.1235 nats | ≤ 1 | ✓ holds | {where} |",
        f"| C10 | It holds.<br><sub>A remark.</sub> | yes nats | ≤ 1 | ✓ holds | {where} |",
    ]
    ledger.write()
    assert (folder / "README.md").read_text(encoding="utf-8") == text


def test_a_readme_without_markers_is_an_error_and_stays(folder):
    (folder / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(CourseError, match="lacks the markers"):
        ledger.write()
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"


def test_the_readme_is_up_to_date():
    text = (project.ROOT / "README.md").read_text(encoding="utf-8")
    assert text == ledger.updated_readme(), "run `make ledger`"


# the Makefile


def test_the_picture_in_the_readme_is_what_the_shipped_stylegan_draws():
    committed = np.asarray(Image.open(overview.PATH).convert("L"))[::3, ::3]
    drawn = overview.draw()
    assert drawn.shape == committed.shape
    assert np.abs(drawn.astype(float) - committed).mean() < 2  # of 255: other machines round


TARGETS = (
    "help lab test run render bench badges ledger overview sync lint weights lock clean".split()
)


def make(*arguments, folder=project.ROOT):
    if shutil.which("make") is None:
        pytest.skip("needs make")
    finished = subprocess.run(
        ["make", "-C", folder, "--no-print-directory", *arguments],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return finished.returncode, finished.stdout, finished.stderr


def test_make_lists_its_targets():
    code, out, _ = make()
    assert code == 0
    assert re.findall(r"^  make (\w+)\s+\S", out, re.MULTILINE) == TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_would_do_something(target):
    code, out, error = make("--dry-run", target, "NB=10", "REPO=a/b")
    assert (code, error) == (0, "")
    assert out.strip()


def test_without_a_suitable_python_make_says_what_is_needed(tmp_path):
    shutil.copy(project.ROOT / "Makefile", tmp_path)
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "requirements.lock").touch()
    (tmp_path / "pyproject.toml").touch()
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "rm", "touch", "id", "find", "sed", "expand"):
        (tools / name).symlink_to(shutil.which(name))
    code, _, error = make("lint", f"PATH={tools}", folder=tmp_path)
    assert code == 2
    assert "The course needs Python 3.10, 3.11, 3.12 or 3.13" in error
    assert not (tmp_path / ".venv" / ".ready").exists()


def test_an_installation_that_fails_leaves_no_stamp(tmp_path):
    shutil.copy(project.ROOT / "Makefile", tmp_path)
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "requirements.lock").write_text("./nowhere\n")
    (tmp_path / "pyproject.toml").touch()
    code, _, error = make("lint", folder=tmp_path)
    assert code == 2
    assert "The installation did not finish" in error
    assert (tmp_path / ".venv").is_dir()
    assert not (tmp_path / ".venv" / ".ready").exists()
