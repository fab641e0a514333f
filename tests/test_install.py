"""The package: what is in it, and that its requirements are one list."""

import re
import subprocess
import sys
import zipfile

import project
import pytest


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names in the wheel built from a copy of the project, without a network."""
    source = project.copy(tmp_path_factory.mktemp("source") / "course")
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(target), str(source)]
    subprocess.run(command, check=True, timeout=300)
    (built,) = target.glob("from_pca_to_stylegan-*.whl")
    with zipfile.ZipFile(built) as file:
        return set(file.namelist())


def test_the_wheel_holds_all_of_helpers_with_weights_and_nothing_else(wheel):
    folder = project.ROOT / "helpers"
    shipped = {
        path.relative_to(project.ROOT).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.suffix != ".part"
        and not path.name.startswith(".")
    }
    assert {name for name in wheel if ".dist-info/" not in name} == shipped
    assert {"helpers/claims.json", "helpers/course.mplstyle"} <= shipped
    assert {"helpers/weights/manifest.json", "helpers/weights/classifier.weights.h5"} <= shipped


def test_the_wheel_carries_the_license(wheel):
    assert any(re.search(r"\.dist-info/.*LICENSE$", name) for name in wheel)


def bounds(text):
    """Dict package -> version specifier, of every requirement in `text` that has one."""
    return dict(re.findall(r'^\s*"?([\w-]+)([><=~][^\s",;#]+)', text, re.MULTILINE))


def test_requirements_are_what_the_package_depends_on_and_a_laptops_tools():
    text = (project.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    package = bounds(re.search(r"^dependencies = \[(.*?)^\]", text, re.M | re.S)[1])
    required = bounds((project.ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert package.items() <= required.items()
    assert set(required) - set(package) == {"jupyterlab", "nbval"}


def test_the_lock_meets_every_requirement():
    locked = (project.ROOT / ".ci" / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in locked, "it names an index or a machine's folder"
    pinned = set(re.findall(r"^([\w.-]+)==", locked, re.MULTILINE))
    text = (project.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.search(r"^test = \[(.*?)^\]", text, re.M | re.S)[1]
    wanted = set(re.findall(r'"([\w-]+)', wanted))
    wanted |= set(bounds((project.ROOT / "requirements.txt").read_text(encoding="utf-8")))
    assert wanted <= pinned, "run `make lock`"
    assert "setuptools" in pinned, "make installs the course without build isolation"
