"""A pytest plugin beside nbval: dead and hung kernels fail at their cell, and at once.

Left alone, nbval waits out the whole cell timeout when a kernel has died, and then goes on to the
cells after it. With ``-p nbval_guard`` (this folder on PYTHONPATH) a death is noticed within a
second, and the notebook's other cells are skipped. What a cell writes to stderr, and the JSON of
the ledger's rows, are never compared; `nbval-sanitize.cfg` lists what is made alike in the rest.
"""

import time
from queue import Empty

import pytest
from nbval import plugin as nbval
from nbval.kernel import RunningKernel

NOT_COMPARED = ("stderr", "application/vnd.from-pca-to-stylegan.claim+json")
LOOK_EVERY = 1.0  # seconds


class KernelDied(Exception):
    """The kernel's process ended while its answer was awaited."""


class WatchedKernel(RunningKernel):
    """A kernel that is looked after while one waits for its messages."""

    def execute_cell_input(self, cell_input, allow_stdin=None):
        """Send a cell and return the message's id.

        It enters the history as in Jupyter: else IPython doesn't see that it ends with ``;``.
        """
        return self.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)

    def get_message(self, stream, timeout=None):
        """The next message on `stream`.

        Raises:
            Empty: there was none for `timeout` seconds.
            KernelDied: and there won't be any.
        """
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                return super().get_message(stream, timeout=max(0, min(LOOK_EVERY, left)))
            except Empty:
                if not self.is_alive():
                    raise KernelDied from None
                if left <= LOOK_EVERY:
                    raise


def pytest_configure():
    nbval.RunningKernel = WatchedKernel  # nbval offers no other way to choose the class


def pytest_collectstart(collector):
    if isinstance(collector, nbval.IPyNbFile):
        collector.skip_compare += NOT_COMPARED


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if isinstance(item, nbval.IPyNbCell) and item.parent.timed_out:
        pytest.skip("an earlier cell of this notebook hung or ended the kernel")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except KernelDied:
        item.parent.timed_out = True
        item.raise_cell_error(
            f"The kernel died in this cell, [{item.cell_num + 1}] in the notebook. "
            "Was it out of memory?"
        )
