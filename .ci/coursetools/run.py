"""Executing notebooks: ``run`` writes an HTML page, ``render`` keeps the outputs."""

import os
import re
import subprocess
import tempfile
import time
from importlib import metadata

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters import strip_ansi

from coursetools import notebooks
from coursetools.notebooks import ClaimsFailed, CourseError

WIDGET = "application/vnd.jupyter.widget-view+json"
PATHS = re.compile(r"(?<![\w.:/])/(?:root|home|work|tmp|Users|mnt)/[\w.-]+")
PACKAGES = ("tensorflow", "keras", "ipywidgets")
BUILD = notebooks.ROOT / "build"


def run(path, cell_seconds, go_on=False):
    """Execute a notebook at the current profile and write ``build/<name>.html``.

    Args:
        go_on: a claim that fails stops only its own cell; it is told when the page is written.

    Raises:
        CourseError: a cell failed.
        ClaimsFailed: with `go_on`, some claims did, and nothing else.
    """
    notebook, minutes, memory = execute(path, cell_seconds, go_on=go_on)
    clean(notebook)
    failed = [
        output.evalue
        for cell in notebooks.code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "error"
    ]
    BUILD.mkdir(exist_ok=True)
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook)
    target = BUILD / f"{path.stem}.html"
    target.write_text(page, encoding="utf-8")
    print(f"{minutes:.1f} minutes, {memory:.1f} GB at most -> {target.relative_to(notebooks.ROOT)}")
    if failed:
        raise ClaimsFailed("\n".join(["Claims failed:", *failed]))


def render(path, cell_seconds):
    """Execute a notebook at the profile lesson and write its outputs into it."""
    notebook, minutes, memory = execute(path, cell_seconds, profile="lesson")
    clean(notebook)
    refuse_unclean(notebook, path)
    notebook.metadata["from_pca"] = {
        "code_hash": notebooks.code_hash(notebook),
        "shipped": notebooks.shipped(notebook),
        "profile": "lesson",
        "minutes": round(minutes, 1),
        "cores": _num_cores(),
        "versions": {name: metadata.version(name) for name in PACKAGES},
    }
    notebooks.write(notebook, path)
    size = path.stat().st_size / 1000
    print(f"{minutes:.1f} minutes, {memory:.1f} GB at most, {size:.0f} kB -> {path.name}")


def _num_cores():
    """The cores that this process may use, where the system tells; else all there are."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count()


def execute(path, cell_seconds, profile=None, go_on=False):
    """Execute the notebook in a fresh kernel and an empty folder, with a line for each cell.

    Args:
        profile: in the place of the current one.
        go_on: whether the cells after one whose claim fails are executed, too.

    Returns:
        The executed notebook, minutes, and the kernel's peak memory in GB.

    Raises:
        CourseError: a cell failed, hung, or its kernel died; the message names the cell.
    """
    notebook = notebooks.read(path)
    environment = {**os.environ, **({"NOTEBOOK_PROFILE": profile} if profile else {})}
    print(f"{path.stem}, profile {environment.get('NOTEBOOK_PROFILE') or 'lesson'}")
    client = NotebookClient(
        notebook,
        timeout=cell_seconds,
        kernel_name="python3",
        allow_error_names=["ClaimFailed"] if go_on else [],
    )
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        client.resources = {"metadata": {"path": folder}}
        # What cells write is in their outputs; this is about the kernel's and C++'s own greetings.
        with client.setup_kernel(env=environment, stderr=subprocess.DEVNULL):
            client.set_widgets_metadata = lambda: None
            count = 0
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code" and cell.source.strip():
                    count += 1
                    _execute_cell(client, cell, index, count)
            minutes = (time.perf_counter() - start) / 60
            memory = _peak_memory(client)
    return notebook, minutes, memory


def _execute_cell(client, cell, index, count):
    start = time.perf_counter()
    try:
        client.execute_cell(cell, index, execution_count=count)
    except CellExecutionError:
        trace = "\n".join(t for output in cell.outputs for t in output.get("traceback", []))
        raise CourseError(f"Cell [{count}] failed:\n{_last_lines(trace)}") from None
    except CellTimeoutError:
        raise CourseError(
            f"Cell [{count}] took more than {client.timeout} s (CELL_SECONDS sets the limit):\n"
            f"{cell.source}"
        ) from None
    except DeadKernelError:
        raise CourseError(
            f"Cell [{count}]: the kernel died. Was it out of memory?\n{cell.source}"
        ) from None
    first = cell.source.strip().splitlines()[0]
    print(f"  [{count:2d}] {time.perf_counter() - start:6.1f} s  {first[:70]}", flush=True)


def _last_lines(text, most=40):
    """The end of a traceback as plain text, without colors."""
    lines = strip_ansi(text).splitlines()
    return "\n".join([*["…"][: len(lines) > most], *lines[-most:]])


def _peak_memory(client):
    """Peak resident memory of the kernel's process in GB, 0 where the system doesn't tell."""
    try:
        with open(f"/proc/{client.km.provisioner.pid}/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1e6
    except (OSError, AttributeError, TypeError):
        return 0.0


def clean(notebook):
    """Make outputs fit to keep: only stills of widgets, joined streams, no run-time metadata."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for cell in notebooks.code_cells(notebook):
        cell.metadata.pop("execution", None)
        kept = []
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = _last_states(output.text)
                if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                    kept[-1].text += output.text
                    continue
            elif WIDGET in output.get("data", {}):
                if "image/png" not in output.data:
                    continue
                output.data = {key: output.data[key] for key in ("image/png", "text/plain")}
                output.metadata = {}
            kept.append(output)
        cell.outputs = kept


def _last_states(text):
    """What a terminal would show: of a line rewritten by carriage returns, its last state."""
    text = re.sub(r"[^\n]*\x08", "", text)
    return "\n".join(line.rstrip("\r").split("\r")[-1] for line in text.split("\n"))


def refuse_unclean(notebook, path):
    """Raise CourseError if there is something that must not be committed."""
    for count, cell in enumerate(notebooks.code_cells(notebook), 1):
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                raise CourseError(f"{path.name} [{count}] wrote to stderr:\n{output.text}")
            found = PATHS.search(str({k: v for k, v in output.items() if k != "data"})) or (
                PATHS.search(str(output.get("data", {}).get("text/plain", "")))
            )
            if found:
                raise CourseError(f"{path.name} [{count}] shows this machine's path {found[0]}")
    setup = str(notebooks.code_cells(notebook)[0].outputs)
    if "stand-in" in setup:
        raise CourseError(
            f"{path.name} ran on stand-in data: set FASHION_MNIST_DIR, or run with a network."
        )
