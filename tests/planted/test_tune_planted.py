"""The demo model learns a language's text from a corpus, by the command."""

import json

from click.testing import CliRunner
from corpora_fixtures import built

from fine_tuning.commands.group import tune
from fine_tuning.models import load
from fine_tuning.variants.folder import read_variant


def test_the_demo_model_learns_afrikaans(world, tmp_path):
    made = built(f"world:{world}", tmp_path / "corpus", ["af"])["languages"]["af"]
    args = [
        "full",
        "--model",
        "demo",
        "--corpus",
        str(tmp_path / "corpus"),
        "--steps",
        "3",
        "--batch",
        "4",
        "--length",
        "64",
    ]
    found = CliRunner().invoke(tune, [*args, "--lang", "af", "--output", str(tmp_path / "af"), "--quiet"])
    assert found.exit_code == 0, found.output
    about = read_variant(tmp_path / "af").about
    assert about.lang == about.data["lang"] == "af" and about.data["sha256"] == made["sha256"]
    assert about.data["documents"] + about.data["held_documents"] == made["documents"]
    assert 0.02 < about.data["held_documents"] / made["documents"] < 0.08
    assert load(f"demo+{tmp_path / 'af'}").sha256 != load("demo").sha256
    lines = [json.loads(line) for line in (tmp_path / "af" / "train.jsonl").read_text().splitlines()]
    assert lines[-1]["held_loss"] < 9  # ln 8000 is 8.99: the model has read this world
    found = CliRunner().invoke(tune, [*args, "--lang", "fi", "--output", str(tmp_path / "fi")])
    assert "has no text in fi; it has af" in str(found.exception) and not list(tmp_path.glob("*fi*"))
