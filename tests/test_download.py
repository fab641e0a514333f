"""Downloading Fashion-MNIST from a server that stands in for the official one, well or badly."""

import contextlib
import gzip
import http.server
import socket
import threading
import time
import urllib.request
import zlib

import numpy as np
import pytest

from helpers import data

pytestmark = [pytest.mark.usefixtures("lesson"), pytest.mark.timeout(60)]
NAMES = list(data.FILES.values())


def official(name):
    """The content of the file `name`, with three images or labels."""
    shape = (3, 28, 28) if "images" in name else (3,)
    header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    return gzip.compress(header + bytes(int(np.prod(shape))), mtime=0)


class Server(http.server.ThreadingHTTPServer):
    """Serves the four files on loopback; `answer` may be replaced, `asked` lists the names."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.answer, self.closing = [], send, threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address):
        """Say nothing when a client hangs up."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands each request to the server's `answer`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802
        """Answer, then close the connection."""
        name = self.path.removeprefix("/")
        self.server.asked.append(name)
        self.close_connection = True
        self.server.answer(self, official(name))

    def log_message(self, *args):
        """Keep quiet."""


def head(handler, *fields):
    handler.send_response(200)
    for field, value in fields:
        handler.send_header(field, value)
    handler.end_headers()


def send(handler, content):
    head(handler, ("Content-Length", str(len(content))))
    handler.wfile.write(content)


def not_found(handler, content):
    handler.send_error(404)


def log_in_page(handler, content):
    send(handler, b"<html>Please log in to this network</html>")


def cut_short(handler, content):
    head(handler, ("Content-Length", str(len(content))))
    handler.wfile.write(content[:-20])


def cut_short_without_length(handler, content):
    head(handler, ("Connection", "close"))
    handler.wfile.write(content[:-20])


def cut_short_in_a_chunk(handler, content):
    head(handler, ("Transfer-Encoding", "chunked"))
    handler.wfile.write(b"%x\r\n" % len(content) + content[:-20])


def no_http_at_all(handler, content):
    handler.wfile.write(b"what?\r\n\r\n")


def hang_up(handler, content):
    handler.connection.shutdown(socket.SHUT_RDWR)


def hang_before_the_answer(handler, content):
    handler.server.closing.wait(50)


def hang_in_the_middle(handler, content):
    head(handler, ("Content-Length", str(len(content))))
    handler.wfile.write(content[:20])
    handler.server.closing.wait(50)


def trickle(handler, content):
    head(handler, ("Content-Length", "1000000"))
    while not handler.server.closing.wait(0.02):
        handler.wfile.write(b"x")


BAD = [not_found, log_in_page, cut_short, cut_short_without_length, cut_short_in_a_chunk,
       no_http_at_all, hang_up, hang_before_the_answer, hang_in_the_middle, trickle]  # fmt: skip


@pytest.fixture
def server(caches, monkeypatch):
    """A server in place of the official one, and no proxy between."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        monkeypatch.setattr(data, "ADDRESS", server.address)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join(10)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_good_download_lands_in_keras_cache(server, caches, monkeypatch):
    monkeypatch.setattr(data, "NUM_IMAGES", {"train": 3, "test": 3})
    monkeypatch.setattr(data, "NUM_VALID", 1)
    sizes = {"images": 3 * 28 * 28, "labels": 3}
    checksums = {key: zlib.crc32(bytes(sizes[key[1]])) for key in data.FILES}
    monkeypatch.setattr(data, "CHECKSUMS", checksums)
    assert data.source() == data.Source("keras", "Fashion-MNIST from Keras' cache", caches[0])
    assert contents(caches[0]) == {name: official(name) for name in NAMES}
    assert data.load_fashion_mnist().train_images.shape == (2, 28, 28)
    assert sorted(server.asked) == sorted(NAMES)


def test_download_happens_once(server, caches):
    data.source()
    data.source.cache_clear()
    assert data.source().is_real
    assert len(server.asked) == 4


def test_only_missing_files_are_fetched(server, caches):
    caches[0].mkdir(parents=True)
    (caches[0] / NAMES[0]).write_bytes(official(NAMES[0]))
    assert data.source().is_real
    assert sorted(server.asked) == sorted(NAMES[1:])


def test_files_can_be_read_by_others(server, caches):
    data.source()
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in caches[0].iterdir())


@pytest.mark.parametrize("answer", BAD)
def test_bad_download_leaves_nothing(answer, server, caches, capsys, monkeypatch):
    server.answer = answer
    if answer is trickle:
        monkeypatch.setattr(data, "FILE_SECONDS", 0.3)
    assert data._download(caches[0], read_seconds=20 if answer is trickle else 0.3) is None
    assert contents(caches[0]) == {}
    said = capsys.readouterr().out
    assert f"Downloading {NAMES[0]}" in said and "The download failed: " in said
    assert ".part" not in said


def test_failure_of_a_later_file_keeps_the_complete_ones(server, caches):
    server.answer = lambda handler, content: (not_found if "t10k" in handler.path else send)(
        handler, content
    )
    assert not data.source().is_real
    assert contents(caches[0]) == {name: official(name) for name in NAMES[:2]}
    data.source.cache_clear()
    server.answer, server.asked[:] = send, []
    assert data.source().is_real
    assert server.asked == NAMES[2:]


def test_bad_download_brings_the_stand_in(server, displayed):
    server.answer = not_found
    assert not data.load_fashion_mnist().is_real
    assert len(displayed) == 1


def test_interrupted_download_leaves_nothing(server, caches, monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "read_idx", interrupt)
    with pytest.raises(KeyboardInterrupt):
        data.source()
    assert contents(caches[0]) == {}


def test_unwritable_cache_is_replaced_by_the_courses_own(server, caches, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    assert data.source().folder == caches[1]
    assert sorted(contents(caches[1])) == sorted(NAMES)
    data.source.cache_clear()
    monkeypatch.setattr(data, "_reachable", lambda *args: False)
    assert data.source().folder == caches[1]  # found again without a network


@contextlib.contextmanager
def closed_port():
    """An address on loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


def test_probe_finds_a_server(server):
    assert data._reachable(server.address, 20)


def test_probe_finds_nobody(server):
    with closed_port() as address:
        assert not data._reachable(address, 20)


def test_probe_has_time_for_a_second_address_when_the_first_is_dead(server, monkeypatch):
    class Line(socket.socket):
        def connect(self, address):
            if address[0] == "127.0.0.9":  # nothing comes back from there
                time.sleep(self.gettimeout())
                raise TimeoutError
            super().connect(address)

    def look_up(host, port, *_):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))
            for address in ("127.0.0.9", "127.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "socket", Line)
    assert data._reachable(server.address, 6)


def test_probe_does_not_wait_for_a_name_forever(server, monkeypatch):
    def slow(*args):
        server.closing.wait(20)
        return contextlib.nullcontext()  # who waits for it finds somebody

    monkeypatch.setattr(socket, "create_connection", slow)
    assert not data._reachable("https://example.invalid/", 0.1)


@pytest.mark.parametrize(
    ("proxies", "trusted"), [({"http": "http://p"}, True), ({"no": "x"}, False)]
)
def test_probe_trusts_a_proxy_for_this_kind_of_address_only(proxies, trusted, server, monkeypatch):
    monkeypatch.setattr(urllib.request, "getproxies", lambda: proxies)
    with closed_port() as address:
        assert data._reachable(address, 20) == trusted


def test_no_network_means_no_download(server, caches, monkeypatch):
    monkeypatch.setattr(data, "_reachable", lambda *args: False)
    assert data.source().kind == "digits"
    assert server.asked == [] and not caches[0].exists()
