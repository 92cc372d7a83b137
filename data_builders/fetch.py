"""Downloading published fact sets from their publishers, checked before they are unpacked."""

from __future__ import annotations

import hashlib
import http.client
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from data_builders.archive import unpack
from data_builders.errors import FactrootsError, unknown
from data_builders.export import new_folder
from data_builders.sources import home


class Download(NamedTuple):
    """A zip file that is known to the byte. `top` is the folder in it; `unpacked` bounds its size in bytes."""

    title: str
    url: str
    size: int
    sha256: str
    top: str
    unpacked: int
    licence: str


DOWNLOADS = {
    "mlama": Download(
        title="mLAMA 1.1 (Kassner, Dufter and Schütze, EACL 2021)",
        url="http://cistern.cis.lmu.de/mlama/mlama1.1.zip",
        # Size and digest as recorded by the loader in huggingface/datasets, datasets/m_lama/dataset_infos.json
        # ("download_checksums") at 040102f; the publisher gives none.
        size=40_772_287,
        sha256="043dc82b1b4b72de10ec98fb3a75341af13a1b439f6ee8e769398f42bd6d5883",
        top="mlama1.1",
        unpacked=500_000_000,
        licence="CC BY-NC 4.0: not for commercial use; name the authors "
        "(https://creativecommons.org/licenses/by-nc/4.0/)",
    ),
}


def download_named(name: str) -> Download:
    """The entry of :data:`DOWNLOADS`; a miss lists what there is."""
    if name not in DOWNLOADS:
        raise unknown("download", name, DOWNLOADS)
    return DOWNLOADS[name]


def fetch(download: Download, directory: Path, local: Path | None = None) -> None:
    """Download, or take from the file `local`, and unpack into `directory`, which must not exist or be empty.

    A download that broke off goes on where it stopped. Raises FactrootsError when it cannot, when size or SHA-256
    differ, and when the archive holds anything but plain files inside its folder; then `directory` is not made.
    """
    directory.absolute().parent.mkdir(parents=True, exist_ok=True)
    with new_folder(directory) as folder:
        archive = local or directory.absolute().with_name(f"{directory.name}.zip.part")
        if local is None:
            _receive(download, archive)
        fault = _fault(archive, download)
        if fault and local is None:
            archive.unlink()
            raise FactrootsError(f"{download.url}: {fault}; it was thrown away: try again, or ask the publisher")
        if fault:
            raise FactrootsError(f"{archive}: {fault}; it is not the file from {download.url}")
        unpack(archive, folder, download.top, download.unpacked)
        if local is None:
            archive.unlink()


def ensure(name: str) -> None:
    """Fetch a set that is wanted by its name alone and is not there yet, its licence shown first."""
    if name in DOWNLOADS and not home(name).exists():
        print(f"fetching {DOWNLOADS[name].title}; licence: {DOWNLOADS[name].licence}", file=sys.stderr, flush=True)
        fetch(DOWNLOADS[name], home(name))


def _receive(download: Download, part: Path) -> None:
    """Bring `part` up to the download's size; what was received stays for the next try."""
    have = part.stat().st_size if part.exists() else 0
    if have >= download.size:
        return
    request = urllib.request.Request(download.url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as response, _progress(download.size) as show:
            resumed = response.status == http.client.PARTIAL_CONTENT
            have = have if resumed else 0
            with open(part, "ab" if resumed else "wb") as out:
                while have < download.size and (chunk := response.read(min(1 << 18, download.size - have))):
                    out.write(chunk)
                    have += len(chunk)
                    show(have)
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", None) or error
    else:
        reason = "the connection was closed"
    if have < download.size:
        kept = f"; {have:,} of {download.size:,} bytes are kept, the same command goes on from there" if have else ""
        raise FactrootsError(
            f"cannot download {download.url}: {reason}{kept}; or get the file by hand and "
            f"`probe data fetch {_name(download)} --from FILE`, or use --factset atlas"
        )


def _name(download: Download) -> str:
    return next((name for name, entry in DOWNLOADS.items() if entry == download), "NAME")


def _fault(archive: Path, download: Download) -> str | None:
    size = archive.stat().st_size
    if size != download.size:
        return f"has {size:,} bytes, expected {download.size:,}"
    with open(archive, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return None if digest == download.sha256 else f"has SHA-256 {digest}, expected {download.sha256}"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, a line at every tenth elsewhere; call what it gives with the bytes so far."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task("", total=total)
            yield lambda have: bar.update(task, completed=have)
        return
    tenths = 0

    def line(have: int) -> None:
        nonlocal tenths
        if have * 10 // total > tenths:
            tenths = have * 10 // total
            console.print(f"{tenths * 10} % of {total:,} bytes", highlight=False)

    yield line
