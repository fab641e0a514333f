"""The public address: one line of pyproject.toml, and the same everywhere else."""

import re

import project
import pytest
from coursetools import badges, lint, notebooks
from coursetools.notebooks import CourseError

OTHER = "jane-doe/gan.course"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the project that the tools work on, in no git repository."""
    folder = project.copy(tmp_path / "course")
    monkeypatch.setattr(badges, "ROOT", folder)
    monkeypatch.setattr(badges, "PROJECT", folder / "pyproject.toml")
    monkeypatch.setattr(badges, "README", folder / "README.md")
    monkeypatch.setattr(notebooks, "FOLDER", folder / "notebooks")
    return folder


def mentions(folder):
    """All (owner/name, ref or None) of the course's address in a project's texts."""
    found = set()
    name = re.escape(badges.address()[0].split("/")[1])
    pattern = re.compile(rf"github(?:\.com)?/([\w.-]+/{name})\b(?:@|/blob/)?(v[\d.]+)?")
    for path in texts(folder):
        found |= set(pattern.findall(path.read_text(encoding="utf-8")))
    return {(repo, ref or None) for repo, ref in found}


def texts(folder):
    return [folder / "README.md", folder / "pyproject.toml", *folder.glob("notebooks/*.ipynb")]


def contents(folder):
    return {path.name: path.read_bytes() for path in texts(folder)}


def test_pyproject_notebooks_and_readme_agree():
    repo, ref = badges.address()
    assert mentions(project.ROOT) == {(repo, None), (repo, ref)}
    for path in notebooks.select("all"):
        first, setup = notebooks.read(path).cells[0], lint.setup_source()
        assert f"github/{repo}/blob/{ref}/notebooks/{path.name}" in first.source, path.name
        assert notebooks.code_cells(notebooks.read(path))[0].source == setup, path.name


def test_a_new_address_is_written_everywhere_and_back_again(course, capsys):
    before, (repo, ref) = contents(course), badges.address()
    badges.write(OTHER)
    assert badges.address() == (OTHER, ref)
    assert mentions(course) == {(OTHER, None), (OTHER, ref)}
    setup = notebooks.code_cells(notebooks.read(notebooks.select("all")[0]))[0].source
    assert f'"git+https://github.com/{OTHER}@{ref}"' in setup
    assert f"https://github.com/{OTHER}" in capsys.readouterr().out
    start = f"git clone https://github.com/{OTHER}.git\ncd {OTHER.split('/')[1]}\n"
    assert start in (course / "README.md").read_text(encoding="utf-8")
    badges.write(repo)
    assert contents(course) == before


def test_a_new_version_moves_the_notebooks_to_its_tag(course):
    path = course / "pyproject.toml"
    text = re.sub(r'(?m)^version = ".*"', 'version = "7.8.9"', path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    badges.write(OTHER)
    assert mentions(course) == {(OTHER, None), (OTHER, "v7.8.9")}


def test_outputs_stay_valid_under_a_new_address(course):
    before = [notebooks.code_hash(notebooks.read(path)) for path in notebooks.select("all")]
    badges.write(OTHER)
    assert before == [notebooks.code_hash(notebooks.read(path)) for path in notebooks.select("all")]


@pytest.mark.parametrize(
    "remote",
    [
        f"git@github.com:{OTHER}.git",
        f"https://github.com/{OTHER}.git",
        f"https://github.com/{OTHER}",
        f"ssh://git@github.com/{OTHER}/",
    ],
)
def test_the_address_comes_from_the_git_remote_by_default(course, remote):
    project.git(course, "init", "--quiet")
    project.git(course, "remote", "add", "origin", remote)
    badges.write()
    assert badges.address()[0] == OTHER


def test_without_a_remote_on_github_the_address_stays(course):
    before = contents(course)
    project.git(course, "init", "--quiet")
    badges.write()
    project.git(course, "remote", "add", "origin", "/srv/course")
    badges.write()
    assert contents(course) == before


@pytest.mark.parametrize("repo", ["course", "a/b/c", "jane doe/course", f"https://x.org/{OTHER}"])
def test_another_form_of_address_is_refused_and_nothing_changes(course, repo):
    before = contents(course)
    with pytest.raises(CourseError, match="owner/name"):
        badges.write(repo)
    assert contents(course) == before
