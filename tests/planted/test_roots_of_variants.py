"""Roots before and after on the demo model: a variant that changes nothing moves none."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow.parquet as pq
from click.testing import CliRunner

from probe.cli import main
from probe.variants.roots import ROOTS
from tests.variant_fixtures import delta_variant


def test_a_variant_that_changes_nothing_moves_no_root(tmp_path):
    delta_variant(tmp_path / "zero", "demo", {})
    words = ["--variants", str(tmp_path / "zero"), "--langs", "en,it", "--relations", "P38", "--roots", "planted"]
    words += ["--output", str(tmp_path / "out"), "--json", "--quiet"]
    done = CliRunner().invoke(main, ["compare-variants", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    table = pq.read_table(tmp_path / "out" / "roots.parquet")
    assert table.schema.equals(ROOTS)
    found = table.to_pylist()
    assert all(row["before"] == row["after"] and row["source_before"] == row["source_after"] for row in found)
    assert {"transferred", "independent"} <= {row["before"] for row in found}
    counted = Counter((row["lang"], row["before"]) for row in found)
    assert {(move["lang"], move["before"]): move["n"] for move in record["roots"]} == counted
    kept = sum(row["kept"] for row in record["rows"] if row["lang"] and not row["relation"])
    assert sum(counted.values()) == kept == table.num_rows
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert "Roots before (rows) and after (columns): zero" in page
