"""Downloads: whole, broken off, wrong and evil, from a server on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from data_builders import fetch as fetching
from data_builders.cli import group
from data_builders.errors import FactrootsError, Problems
from data_builders.fetch import Download, fetch
from data_builders.mlama import MLama

FACT = {"sub_uri": "Q38", "obj_uri": "Q220", "sub_label": "Italia", "obj_label": "Roma", "uuid": "u1"}
GOOD = {
    "mlama1.1/it/P36.jsonl": json.dumps(FACT),
    "mlama1.1/it/templates.jsonl": '{"relation": "P36", "template": "[Y] di [X]"}',
    "mlama1.1/it/.ipynb_checkpoints/P36-checkpoint.jsonl": "{}",
    "__MACOSX/it/P36.jsonl": "{}",
}


def zipped(members: dict[str, str], symlink: str | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name == symlink:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content)
    return out.getvalue()


class Server:
    """Serves `body`; answers ranges unless `ranges` is off, and closes each connection after `cut` bytes."""

    def __init__(self):
        self.body, self.cut, self.ranges, self.asked = b"", None, True, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.headers.get("Range")
                outer.asked.append(wanted)
                start = int(wanted[6:-1]) if wanted and outer.ranges else 0
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(outer.body) - start))
                self.end_headers()
                end = len(outer.body) if outer.cut is None else start + outer.cut
                self.wfile.write(outer.body[start:end])

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def download(self, body: bytes, **changes) -> Download:
        self.body = body
        url = f"http://127.0.0.1:{self.http.server_port}/mlama1.1.zip"
        made = Download("mLAMA", url, len(body), hashlib.sha256(body).hexdigest(), "mlama1.1", 10_000, "CC BY-NC 4.0")
        return made._replace(**changes)


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def test_whole(server, tmp_path):
    fetch(server.download(zipped(GOOD)), tmp_path / "mlama")
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert files == ["mlama/it/P36.jsonl", "mlama/it/templates.jsonl"]
    assert MLama(tmp_path / "mlama").facts("it", Problems())["object"].to_pylist() == ["Roma"]


@pytest.mark.parametrize("ranges", [True, False])
def test_broken_off_and_resumed(server, tmp_path, ranges):
    download = server.download(zipped(GOOD))
    server.cut, server.ranges = 100, ranges
    with pytest.raises(FactrootsError, match="100 of .* bytes are kept, the same command goes on from there"):
        fetch(download, tmp_path / "mlama")
    assert [p.name for p in tmp_path.iterdir()] == ["mlama.zip.part"]
    server.cut = None
    fetch(download, tmp_path / "mlama")
    assert server.asked == [None, "bytes=100-"]
    assert [p.name for p in tmp_path.iterdir()] == ["mlama"]


def test_wrong_checksum(server, tmp_path):
    download = server.download(zipped(GOOD), sha256="0" * 64)
    with pytest.raises(FactrootsError, match="has SHA-256 .*, expected 0000.*thrown away"):
        fetch(download, tmp_path / "mlama")
    assert not list(tmp_path.iterdir())


def test_more_bytes_than_announced(server, tmp_path):
    body = zipped(GOOD)
    with pytest.raises(FactrootsError, match="has SHA-256"):
        fetch(server.download(body, size=len(body) - 10), tmp_path / "mlama")
    assert not list(tmp_path.iterdir())


def test_offline(server, tmp_path):
    download = server.download(b"x", url="http://127.0.0.1:9/mlama1.1.zip")
    with pytest.raises(
        FactrootsError, match=r"cannot download http://127.0.0.1:9.*by hand and .*--from FILE`, or use --factset atlas"
    ) as caught:
        fetch(download, tmp_path / "mlama")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


EVIL = {
    "parent": ({"mlama1.1/../../evil.txt": "x"}, None, "would leave the folder"),
    "absolute": ({"/evil.txt": "x"}, None, "would leave the folder"),
    "drive": ({"C:/evil.txt": "x"}, None, "would leave the folder"),
    "backslash": ({"mlama1.1\\..\\..\\evil.txt": "x"}, None, "would leave the folder"),
    "link": ({"mlama1.1/link": "/etc"}, "mlama1.1/link", "is a link"),
    "bomb": ({"mlama1.1/zeros": "0" * 20_000}, None, "more than the 10,000 bytes expected"),
    "other": ({"elsewhere/x": "x"}, None, "has no folder mlama1.1/"),
}


@pytest.mark.parametrize("name", EVIL)
def test_evil_archive(server, tmp_path, name):
    members, symlink, message = EVIL[name]
    archive = tmp_path / "in" / "evil.zip"
    archive.parent.mkdir()
    archive.write_bytes(zipped(members, symlink))
    with pytest.raises(FactrootsError, match=message):
        fetch(server.download(archive.read_bytes()), tmp_path / "out" / "mlama", archive)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [archive]


def test_not_a_zip(server, tmp_path):
    with pytest.raises(FactrootsError, match="is no whole zip file"):
        fetch(server.download(b"<html>moved</html>"), tmp_path / "mlama")


def test_local_file_goes_through_the_same_checks(server, tmp_path):
    download = server.download(zipped(GOOD))
    local = tmp_path / "by-hand.zip"
    local.write_bytes(zipped(GOOD)[:-1])
    with pytest.raises(FactrootsError, match="bytes, expected .*it is not the file from"):
        fetch(download, tmp_path / "mlama", local)
    assert local.exists()
    local.write_bytes(zipped(GOOD))
    fetch(download, tmp_path / "mlama", local)
    assert local.exists() and not server.asked


def test_folder_in_use_is_seen_before_the_download(server, tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(FactrootsError, match="not an empty folder"):
        fetch(server.download(zipped(GOOD)), tmp_path)
    assert not server.asked


def test_licence_is_shown_and_asked_for(server, tmp_path, monkeypatch):
    monkeypatch.setitem(fetching.DOWNLOADS, "mlama", server.download(zipped(GOOD)))
    target = str(tmp_path / "mlama")
    refused = CliRunner().invoke(group, ["fetch", "mlama", target], input="n\n")
    assert "CC BY-NC 4.0" in refused.output and refused.exit_code == 1
    assert not server.asked and not Path(target).exists()
    agreed = CliRunner().invoke(group, ["fetch", "mlama", target, "--yes"])
    assert agreed.exit_code == 0, agreed.output
    assert f"mlama:{target}" in agreed.output


def test_every_download_is_pinned():
    for name, download in fetching.DOWNLOADS.items():
        assert len(download.sha256) == 64 and download.size > 0 and download.licence, name
