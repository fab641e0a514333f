"""One lesson in a real JupyterLab, driven by keyboard in a real browser."""

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "10_variational_autoencoder.ipynb"
WIDGET = "LatentSliders("  # the cell whose slider is moved
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REMEDY = (
    "needs a browser: `sudo apt-get install chromium`, or `playwright install chromium` in the "
    "environment that runs the tests"
)
QUIET = {  # no news, no update check, and every cell on the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
LOOPBACK_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"

# The toolbar says Idle before the session is ready, and a Run All clicked then is lost.
KERNEL_READY = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    const context = panel.context.sessionContext;
    await context.ready;
    const connected = () => context.session?.kernel?.connectionStatus === 'connected';
    for (let i = 0; i < 600 && !connected(); i++) await new Promise(r => setTimeout(r, 100));
    await context.session.kernel.info;
}"""
ALL_RUN_OR_ERROR = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
    const error = document.querySelector('[data-mime-type="application/vnd.jupyter.error"]');
    return error || prompts.every(prompt => /^\\[\\d+\\]:$/.test(prompt.textContent.trim()));
}"""
OVER_THE_EDGE = """() => [...document.querySelectorAll('.widget-slider')].filter(slider => {
    const right = element => element.getBoundingClientRect().right;
    return right(slider) > right(slider.closest('.jp-OutputArea-output')) + 1;
}).map(slider => slider.textContent)"""
BYTES = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
}"""


@pytest.fixture(scope="module")
def browser():
    """Chromium, from the system or Playwright's own; skips where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason=REMEDY)
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", LOOPBACK_ONLY]
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=arguments)
        except sync_api.Error as error:
            if path:
                raise
            pytest.skip(f"{REMEDY} ({str(error).splitlines()[0]})")
        yield browser
        browser.close()


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab of its own, with the notebook at the profile "smoke": the notebook's address."""
    pytest.importorskip("jupyterlab")
    root = tmp_path / "root"
    root.mkdir()
    notebook = json.loads(NOTEBOOK.read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":  # what is seen must come from this run
            cell.update(outputs=[], execution_count=None)
    (root / NOTEBOOK.name).write_text(json.dumps(notebook))
    for plugin, values in QUIET.items():
        path = tmp_path / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = os.environ | {name: str(tmp_path / folder) for name, folder in folders.items()}
    environment["NOTEBOOK_PROFILE"] = "smoke"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1",
               f"--port={port}", "--ServerApp.port_retries=0", "--allow-root",
               "--IdentityProvider.token=", "--ServerApp.password=",
               f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    log = tmp_path / "server.log"
    with open(log, "w") as output:
        server = subprocess.Popen(
            command, cwd=root, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(server, f"{address}/api/status", log)
        yield f"{address}/lab/tree/{NOTEBOOK.name}?reset"
    finally:
        stop(server)


def wait_until_up(server, url, log, seconds=90):
    """Return when the server answers; fail with the end of its log if it doesn't."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            return direct.open(url, timeout=5).close()
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def stop(server):
    """End the server, which ends its kernels, and make sure of it."""
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait(20)


def picture(image):
    """The bytes of the picture that an <img> shows now."""
    return base64.b64decode(image.evaluate(BYTES))


@pytest.mark.browser
@pytest.mark.timeout(290)
def test_slider_by_keyboard_changes_the_picture(browser, lab):
    """All cells run without an error; then an arrow key on a slider brings another picture."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    crashes = []
    page.on("pageerror", lambda error: crashes.append(str(error)))
    page.goto(lab, wait_until="domcontentloaded")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.evaluate(KERNEL_READY)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    page.wait_for_function(ALL_RUN_OR_ERROR, timeout=180_000, polling=500)
    errors = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert errors.all_inner_texts() == []

    assert page.locator(".widget-slider").count() > 3
    for width in (800, 1280):  # narrow, as with an open sidebar on a small laptop, and wide
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)
        assert page.evaluate(OVER_THE_EDGE) == [], f"cut off in a window of {width} pixels"

    cell = page.locator(".jp-CodeCell").filter(has_text=WIDGET).first
    image = cell.locator("img.widget-image")
    image.scroll_into_view_if_needed()
    before = picture(image)
    assert before.startswith(b"\x89PNG")
    slider, readout = (cell.locator(css).first for css in ("[role=slider]", ".widget-readout"))
    value = readout.inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    source = image.get_attribute("src")
    end = time.monotonic() + 30
    while picture(image) == before and time.monotonic() < end:
        page.wait_for_timeout(100)
    after = picture(image)
    assert after.startswith(b"\x89PNG")
    assert after != before, f"the picture at {source} stayed as it was"
    assert readout.inner_text() != value
    assert errors.count() == 0
    assert crashes == []
