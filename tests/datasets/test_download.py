import functools
import hashlib
import http.server
import os
import pathlib
import threading

import pytest

from keras_balance.datasets.download import cache_folder, fetch

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/foreign":
            self.wfile.write(b"220 mail.invalid ready\r\n")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path == "/cut" else CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """Address of a server on this machine: /whole, /cut, /gone and /foreign."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(
            target=functools.partial(server.serve_forever, poll_interval=0.01)
        )
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_downloads_once_into_keras_cache(server, cache, monkeypatch, capsys):
    path = fetch(f"{server}/whole", "data.bin", SHA256)
    assert path == cache / "data.bin"
    assert path.read_bytes() == CONTENT
    assert f"{len(CONTENT)}/{len(CONTENT)}" in capsys.readouterr().out
    monkeypatch.delattr("urllib.request.urlopen")
    assert fetch(f"{server}/whole", "data.bin", SHA256) == path


def test_wrong_hash_leaves_nothing(server, cache):
    wrong = "0" * 64
    with pytest.raises(ValueError, match=f"{wrong}.*Received: {SHA256}"):
        fetch(f"{server}/whole", "data.bin", wrong)
    assert list(cache.iterdir()) == []


def test_wrong_hash_of_a_cached_file_removes_it(cache, no_network):
    cache.mkdir(parents=True)
    (cache / "data.bin").write_bytes(CONTENT[:1000])
    received = hashlib.sha256(CONTENT[:1000]).hexdigest()
    with pytest.raises(ValueError, match=f"{SHA256}.*Received: {received}"):
        fetch("https://nowhere.invalid/data", "data.bin", SHA256)
    assert list(cache.iterdir()) == []
    assert no_network == []


def test_interrupted_download_leaves_nothing(server, cache):
    with pytest.raises(OSError, match=f"1000 of {len(CONTENT)} bytes"):
        fetch(f"{server}/cut", "data.bin", SHA256)
    assert list(cache.iterdir()) == []


def test_final_path_is_empty_while_downloading(server, cache, monkeypatch):
    seen = []
    replace = os.replace

    def watched(source, target):
        seen.append(pathlib.Path(target).exists())
        assert pathlib.Path(source).read_bytes() == CONTENT
        replace(source, target)

    monkeypatch.setattr("keras_balance.utils.files.os.replace", watched)
    fetch(f"{server}/whole", "data.bin", SHA256)
    assert seen == [False]


def test_keyboard_interrupt_leaves_nothing(server, cache, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras.utils.Progbar.update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(f"{server}/whole", "data.bin", SHA256)
    assert list(cache.iterdir()) == []


def test_address_that_is_gone(server, cache):
    with pytest.raises(OSError, match=r"/gone to .*data\.bin.*404.*`path=`"):
        fetch(f"{server}/gone", "data.bin", SHA256)


def test_a_server_of_another_protocol(server, cache):
    with pytest.raises(OSError, match=r"(?s)/foreign to .*data\.bin.*`path=`"):
        fetch(f"{server}/foreign", "data.bin", SHA256)
    assert list(cache.iterdir()) == []


def test_no_network_names_address_and_path(cache, no_network):
    url = "https://nowhere.invalid/data"
    with pytest.raises(OSError, match=rf"{url} to {cache}/data\.bin.*`path=`"):
        fetch(url, "data.bin", SHA256)
    assert no_network == [url]


def test_cache_is_keras_own(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.delenv("KERAS_HOME")
    assert cache_folder() == pathlib.Path.home() / ".keras" / "datasets"
