"""The setup cell: on Colab it installs the course from its address, elsewhere only imports.

A local git repository stands in for the public address, and a virtual environment that sees this
one's packages for Colab. There is no network: the cell must find all requirements met already.
"""

import json
import os
import subprocess
import sys
import sysconfig
from types import SimpleNamespace

import project
import pytest
from coursetools import badges, lint

from helpers import pretrained

COLAB = "import types\nsys.modules['google.colab'] = types.ModuleType('google.colab')"
RUN = """
import json, sys
{before}
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_cell(sys.argv[1]).raise_error()
import helpers.claims, helpers.pretrained, helpers.plotting
print(json.dumps([helpers.__file__, helpers.pretrained.read_manifest()]))
"""


def run_setup_cell(python, cell, folder, before=""):
    """Run `cell` in IPython; (what it printed, file of helpers, manifest of the weights)."""
    environment = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this as: build without isolation
        "PIP_ROOT_USER_ACTION": "ignore",
        "NOTEBOOK_PROFILE": "smoke",
        "IPYTHONDIR": str(folder / "ipython"),
    }
    environment.pop("PYTHONPATH", None)
    finished = subprocess.run(
        [python, "-c", RUN.format(before=before), cell],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    *printed, last = finished.stdout.strip().splitlines()
    return "\n".join(printed), *json.loads(last)


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """The setup cell run as on Colab, in a folder that holds nothing."""
    folder = tmp_path_factory.mktemp("colab")
    course = project.copy(folder / "course")
    repo, ref = badges.address()
    project.git(course, "init", "--quiet")
    project.git(course, "add", ".")
    project.git(course, "commit", "--quiet", "--message", "The course")
    project.git(course, "tag", ref)
    (course / "helpers" / "__init__.py").write_text("raise ImportError('later than the tag')")
    project.git(course, "commit", "--quiet", "--all", "--message", "A later, broken version")

    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)
    site = site.stdout.strip()
    with open(f"{site}/packages.pth", "w") as file:
        file.write(sysconfig.get_path("purelib"))

    public, local = f"git+https://github.com/{repo}@", f"git+file://{course}@"
    cell = lint.setup_source().replace(public, local)
    assert local in cell
    (folder / "empty").mkdir()
    printed, file, manifest = run_setup_cell(python, cell, folder / "empty", COLAB)
    return SimpleNamespace(printed=printed, helpers=file, manifest=manifest, site=site)


def test_on_colab_helpers_come_from_the_address_at_the_pinned_tag(colab):
    assert colab.helpers == f"{colab.site}/helpers/__init__.py"


def test_on_colab_the_weights_come_along_whole(colab):
    assert colab.manifest == pretrained.read_manifest()
    folder = project.Path(colab.helpers).parent / "weights"
    for entry in colab.manifest.values():
        assert pretrained._sha256(folder / entry["file"]) == entry["sha256"]


def test_on_colab_nothing_else_is_installed(colab):
    added = {path.name for path in project.Path(colab.site).iterdir()} - {"packages.pth"}
    assert {name for name in added if not name.startswith(("helpers", "from_pca"))} == set()


def test_on_colab_the_cell_describes_the_run_in_one_line(colab):
    assert colab.printed.splitlines()[-1].startswith("Python ")
    assert "profile smoke" in colab.printed


def test_elsewhere_the_cell_installs_nothing(tmp_path):
    repo = badges.address()[0]
    cell = lint.setup_source().replace(f"github.com/{repo}", "localhost:9/nothing")
    assert "localhost:9" in cell
    printed, file, _ = run_setup_cell(sys.executable, cell, tmp_path)
    assert len(printed.splitlines()) <= 2, "the run's line, and a banner if there are no data"
    assert file.endswith("helpers/__init__.py")


def test_the_cell_is_short():
    assert len(lint.setup_source().splitlines()) < 12
