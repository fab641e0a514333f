"""The course's public address, in one line of pyproject.toml and from there everywhere."""

import re
import subprocess

from coursetools import notebooks
from coursetools.notebooks import ROOT, CourseError

PROJECT = ROOT / "pyproject.toml"
README = ROOT / "README.md"
LINE = re.compile(r'^Repository = "https://github\.com/([\w.-]+/[\w.-]+)"$', re.MULTILINE)
VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
# owner/name, and the ref behind it, wherever the address is written down
CODE = re.compile(r"git\+https://github\.com/[\w.-]+/[\w.-]+@[\w./-]+")
BADGE = re.compile(
    r"https://colab\.research\.google\.com/github/[\w.-]+/[\w.-]+/blob/[\w.-]+/notebooks/"
)
CLONE = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+\.git\ncd [\w.-]+")


def address():
    """(owner/name, ref) as pyproject.toml has them; the ref is the version's tag."""
    text = PROJECT.read_text(encoding="utf-8")
    return LINE.search(text)[1], "v" + VERSION.search(text)[1]


def rewrite(text, repo, ref):
    """`text` with every mention of the public address brought up to date."""
    text = CODE.sub(f"git+https://github.com/{repo}@{ref}", text)
    text = CLONE.sub(f"https://github.com/{repo}.git\ncd {repo.split('/')[1]}", text)
    return BADGE.sub(f"https://colab.research.google.com/github/{repo}/blob/{ref}/notebooks/", text)


def write(repo=None):
    """Write the address `repo` into pyproject.toml, the notebooks and the README.

    Args:
        repo: owner/name; default: the git remote called origin, or what pyproject.toml says.

    Raises:
        CourseError: `repo` has another form.
    """
    repo = repo or _from_remote() or address()[0]
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise CourseError(f"REPO must look like owner/name, not {repo!r}.")
    text = PROJECT.read_text(encoding="utf-8")
    PROJECT.write_text(
        LINE.sub(f'Repository = "https://github.com/{repo}"', text), encoding="utf-8"
    )
    ref = address()[1]
    for path in [README, *notebooks.select("all")]:
        text = path.read_text(encoding="utf-8")
        if (updated := rewrite(text, repo, ref)) != text:
            path.write_text(updated, encoding="utf-8")
    print(f"The course's address is https://github.com/{repo}, notebooks install {ref}.")
    print(f"They find it once that is committed, and the tag is there: git tag {ref} && "
          f"git push origin {ref}")  # fmt: skip


def _from_remote():
    """owner/name from the remote called origin if it is on GitHub, else None."""
    command = ["git", "-C", str(ROOT), "remote", "get-url", "origin"]
    try:
        url = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", url)
    return found[1] if found else None
