"""Parquet through `datasets`, without its progress bars and with nothing left in its cache."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def read_table(path: Path) -> pa.Table:
    """The table in a Parquet file, memory-mapped, so that it takes no room however large it is.

    Raises pa.ArrowException or OSError (without an errno) on a file that is broken.
    """
    import datasets
    from datasets.exceptions import DatasetGenerationError

    if not pq.read_metadata(path).num_rows:
        return pq.read_table(path)  # datasets refuses one without rows
    # The mapping outlives the folder's entry, so nothing is left behind.
    with _quiet(datasets), tempfile.TemporaryDirectory(prefix="factroots-", ignore_cleanup_errors=True) as cache:
        try:
            return datasets.Dataset.from_parquet(str(path), cache_dir=cache, keep_in_memory=False).data.table
        except DatasetGenerationError as error:
            raise error.__cause__ or pa.ArrowInvalid(str(error)) from error


def write_table(table: pa.Table, path: Path) -> None:
    """Write `table` as one Parquet file."""
    import datasets

    with _quiet(datasets):
        datasets.Dataset(table).to_parquet(str(path))


@contextlib.contextmanager
def _quiet(datasets):
    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()
