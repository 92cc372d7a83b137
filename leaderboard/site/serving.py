"""The site over HTTP, for this machine alone."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from data_builders.errors import FactrootsError

HOST = "127.0.0.1"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}


class Handler(SimpleHTTPRequestHandler):
    """Files of the site and nothing else: no listings, no links that lead out, no other site's questions."""

    extensions_map = _TYPES  # a system's own table may say anything
    server_version, sys_version = "factroots", ""

    def do_GET(self):
        if self._allowed():
            super().do_GET()

    def do_HEAD(self):
        if self._allowed():
            super().do_HEAD()

    def _allowed(self) -> bool:
        """Whether the question is to this server by its own name, and for a file inside the folder."""
        host = self.headers.get("Host", "").partition(":")[0]
        inside = Path(self.translate_path(self.path)).resolve().is_relative_to(Path(self.directory).resolve())
        if host in (HOST, "localhost") and inside:
            return True
        self.send_error(HTTPStatus.NOT_FOUND)
        return False

    def list_directory(self, path):
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self):
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format, *args):
        """Quiet: what is asked for is nobody's concern."""


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of the site in `folder` that is bound, and not yet running; port 0 takes a free one.

    Raises FactrootsError where the port is taken.
    """
    try:
        return ThreadingHTTPServer((HOST, port), partial(Handler, directory=str(folder)))
    except OSError as error:
        raise FactrootsError(f"port {port}: {error.strerror}; pass another with --port, or 0 for any") from error


def address(running: ThreadingHTTPServer) -> str:
    return f"http://{HOST}:{running.server_port}/"
