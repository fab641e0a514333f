"""A copy of the project for tests that build, publish or rewrite it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("LICENSE", "README.md", "pyproject.toml", "requirements.txt")


def copy(folder):
    """Copy what is published, tests and tools aside, into `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    for name in ("helpers", "notebooks"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.part")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def git(folder, *arguments):
    """Run git in `folder`, whatever the user's own settings are; skips where there is no git."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    settings = ("user.name=Test", "user.email=test@localhost", "commit.gpgsign=false")
    options = [part for setting in settings for part in ("-c", setting)]
    subprocess.run(["git", "-C", folder, *options, *arguments], check=True, capture_output=True)
