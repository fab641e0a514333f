"""Imports run one way: helpers stand on floors, and nothing reaches up, out or sideways."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

HELPERS = Path(__file__).parents[1] / "helpers"
# A module imports only from floors below its own.
FLOORS = (
    {
        "alarm",
        "chessboard",
        "session",
        "layers",
        "losses",
        "plotting",
        "pretrained",
        "replay",
        "ring",
    },
    {"charts", "data", "exercises"},
    {"training"},
    {"claims", "classifier", "datasets", "metrics", "models", "playground", "results"},
    {
        "checks_adversarial",
        "checks_basics",
        "checks_codings",
        "checks_denoising",
        "checks_gan",
        "checks_pretraining",
        "checks_vae",
        "checks_variants",
    },
    {"class_picker", "gan", "memory_game", "widgets"},
    {"conditional_gan", "gan_variants", "progressive", "style_widgets"},
    {"growth", "stylegan"},
    {"growth_lab"},
    {"checks_growing"},
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
NETWORKS = {"helpers.models", "helpers.gan", "helpers.classifier", "helpers.progressive"}
NEVER = {  # by module, "*" for all
    "*": {"tests", "notebooks", "coursetools"},
    "plotting": {"keras", "tensorflow", "helpers"},
    "memory_game": NETWORKS | {"keras"},
    "class_picker": NETWORKS | {"keras"},
    "playground": NETWORKS | {"keras"},
    "style_widgets": NETWORKS | {"keras"},
    "widgets": NETWORKS | {"keras"},
}


def imported(source):
    """Dotted names of all that a module's source imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = "helpers" if node.level else node.module
            module = ".".join(part for part in (start, node.level and node.module) if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def complaints(module, source):
    """What a module of helpers imports against the rules."""
    if module not in FLOOR:
        return [f"{module} has no floor yet: add it to FLOORS"]
    found = []
    for name in sorted(imported(source)):
        parts = name.split(".")
        if parts[0] == "helpers" and FLOOR.get(parts[1], len(FLOORS)) >= FLOOR[module]:
            found.append(f"{module} imports {name}, which is not below it")
        for banned in NEVER["*"] | NEVER.get(module, set()):
            if f"{name}.".startswith(f"{banned}."):
                found.append(f"{module} imports {name}")
    return found


MODULES = sorted(path.stem for path in HELPERS.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_floors_below(module):
    assert complaints(module, (HELPERS / f"{module}.py").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("layers", "from helpers import gan"),
        ("layers", "from helpers.losses import gaussian_kl"),
        ("data", "def f():\n    import helpers.models"),
        ("gan", "from .stylegan import mapping"),
        ("session", "from . import data"),
        ("plotting", "from helpers.session import profile"),
        ("plotting", "def f():\n    from keras import ops"),
        ("widgets", "from helpers.models import vae_decoder"),
        ("widgets", "import keras"),
        ("metrics", "from tests.conftest import offline"),
        ("stylegan", "from coursetools import lint"),
        ("unheard_of", ""),
    ],
)
def test_an_import_against_the_rules_is_noticed(module, source):
    assert complaints(module, source)


def test_an_import_from_below_is_allowed():
    assert complaints("gan", "import keras\nfrom helpers.losses import generator_loss") == []
    assert complaints("gan", "from . import models") == []


def test_the_package_itself_exports_nothing():
    tree = ast.parse((HELPERS / "__init__.py").read_text(encoding="utf-8"))
    assert [type(node) for node in tree.body] == [ast.Expr], "only a docstring belongs there"


@pytest.mark.parametrize("module", ["plotting", "session", "data", "claims", "pretrained"])
def test_light_modules_do_not_load_tensorflow(module, tmp_path):
    code = f"import sys, helpers.{module}; print(*{{'tensorflow', 'keras'}} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(HELPERS.parent)}
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert loaded.stdout.strip() == ""
