"""Submissions by people who mean harm or made a mistake: how each is made, and the reason that it is refused with."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from board_fixtures import Good, resealed, written

Make = Callable[[Good, Path], Path]


class Case(NamedTuple):
    """`make` writes it into a folder and returns what is submitted; `reason` is a regular expression."""

    make: Make
    reason: str


def text(edit: Callable[[str], str | bytes]) -> Make:
    """The record's text changed."""

    def make(good: Good, folder: Path) -> Path:
        path = written(good, folder)
        made = edit(path.read_text())
        path.write_bytes(made if isinstance(made, bytes) else made.encode())
        return path

    return make


def swap(old: str, new: str) -> Make:
    def edit(held: str) -> str:
        assert old in held
        return held.replace(old, new, 1)

    return text(edit)


def record(change: Callable[[dict], object]) -> Make:
    """The record's content changed."""
    return lambda good, folder: written(good, folder, change)


def put(where: str, value) -> Make:
    """One place of the record, as ``result.value``, with another value in it."""

    def change(held: dict) -> None:
        *path, last = where.split(".")
        for key in path:
            held = held[int(key) if isinstance(held, list) else key]
        held[int(last) if isinstance(held, list) else last] = value

    return record(change)


def signed(old: str, new: str, more: Callable[[dict], object] = lambda held: None) -> Make:
    """The signature changed, and perhaps what it speaks of."""

    def change(held: dict) -> None:
        assert old in held["result"]["signature"]
        held["result"]["signature"] = held["result"]["signature"].replace(old, new)
        more(held)

    return record(change)


def table(change: Callable[[pa.Table], pa.Table], **how) -> Make:
    """The per-item file changed, and the record's hash with it."""

    def make(good: Good, folder: Path) -> Path:
        path = written(good, folder)
        pq.write_table(change(pq.read_table(good.answers)), path.with_suffix(".parquet"), **how)
        return resealed(path)

    return make


def column(name: str, values: Callable[[list], list], kind: pa.DataType | None = None) -> Make:
    def change(held: pa.Table) -> pa.Table:
        place = held.schema.get_field_index(name)
        kind_ = kind or held.schema.field(name).type
        return held.set_column(place, pa.field(name, kind_), pa.array(values(held[name].to_pylist()), kind_))

    return table(change)


def first(value) -> Callable[[list], list]:
    return lambda values: [value, *values[1:]]


def beside(name: str, content: bytes) -> Make:
    """A folder that holds something else too."""

    def make(good: Good, folder: Path) -> Path:
        written(good, folder)
        (folder / name).write_bytes(content)
        return folder

    return make


def elsewhere(good: Good, folder: Path) -> Path:
    """A per-item file of the right name in another folder than its record's."""
    written(good, folder)
    (folder / "more").mkdir()
    (folder / "more" / "s.parquet").write_bytes(good.answers.read_bytes())
    return folder


def alone(name: str, content: bytes) -> Make:
    def make(good: Good, folder: Path) -> Path:
        folder.mkdir()
        (folder / name).write_bytes(content)
        return folder / name

    return make


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], edit: Callable[[bytes], bytes] = bytes) -> Make:
    """A zip file of a good submission and more."""

    def make(good: Good, folder: Path) -> Path:
        path = written(good, folder)
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "s.json")
            archive.write(path.with_suffix(".parquet"), "s.parquet")
            for name, content in members:
                archive.writestr(name, content)
        (folder / "s.zip").write_bytes(edit(held.getvalue()))
        return folder / "s.zip"

    return make


def a_link(name: str) -> zipfile.ZipInfo:
    about = zipfile.ZipInfo(name)
    about.external_attr = 0o120777 << 16
    return about


def linked(name: str) -> Make:
    """The record, its per-item file, or a folder beside them is a link to somewhere else."""

    def make(good: Good, folder: Path) -> Path:
        path = written(good, folder)
        target = folder.with_name("elsewhere")
        if name == "more":
            target.mkdir()
            (folder / name).symlink_to(target)
            return folder
        (folder / name).rename(target)
        (folder / name).symlink_to(target)
        return path

    return make


def fifo(good: Good, folder: Path) -> Path:
    folder.mkdir()
    os.mkfifo(folder / "s.json")
    return folder / "s.json"


def without_answers(good: Good, folder: Path) -> Path:
    path = written(good, folder)
    path.with_suffix(".parquet").unlink()
    return path


def answers_are(content: bytes | Callable[[bytes], bytes]) -> Make:
    """The per-item file is something else altogether."""

    def make(good: Good, folder: Path) -> Path:
        path = written(good, folder)
        held = path.with_suffix(".parquet").read_bytes()
        path.with_suffix(".parquet").write_bytes(content(held) if callable(content) else content)
        return path

    return make


def large(good: Good, folder: Path) -> Path:
    path = written(good, folder)
    os.truncate(path, 40 << 20)
    return path


def large_answers(good: Good, folder: Path) -> Path:
    path = written(good, folder)
    os.truncate(path.with_suffix(".parquet"), 200 << 20)
    return path


def all_right(held: pa.Table) -> pa.Table:
    """Every answer made right, in each column that says so."""
    ones = pa.array([1.0] * len(held))
    for name in ("p1", "p5", "p10", "rr"):
        held = held.set_column(held.schema.get_field_index(name), name, ones)
    return held


def repeated_name(held: pa.Table) -> pa.Table:
    """A name of a megabyte in each of ten thousand rows: some kB on disk, 10 GB unpacked."""
    rows = pa.concat_tables([held.slice(0, 1)] * 10_000)
    name = pa.DictionaryArray.from_arrays(pa.array([0] * len(rows), pa.int32()), pa.array(["x" * 2**20]))
    return rows.set_column(rows.schema.get_field_index("item"), "item", name)


def many_rows(held: pa.Table) -> pa.Table:
    return pa.table({"lang": pa.repeat(held["lang"][0], 5_000_001)})


def many_golds(held: pa.Table) -> pa.Table:
    golds = [[1] * 200_000, *held["golds"].to_pylist()[1:]]
    return held.set_column(held.schema.get_field_index("golds"), "golds", pa.array(golds, pa.list_(pa.int32())))


def extended(held: pa.Table) -> pa.Table:
    """A column that calls itself a type which is made by opening a pickle (CVE-2023-47248)."""
    about = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(print)}
    fields = [f.with_metadata(about) if f.name == "item" else f for f in held.schema]
    return pa.Table.from_arrays(held.columns, schema=pa.schema(fields))


def drop_language(held: dict) -> None:
    held["result"]["languages"].pop()


def smaller(held: dict) -> None:
    """A language left out of everything that speaks of it: of the worst ones nobody needs to know."""
    gone = held["result"]["languages"].pop()
    held["result"]["n_scored"] -= gone["all"]["n"]
    held["n"] -= gone["all"]["n"]
    held["result"]["data"]["n"] -= gone["all"]["n"]
    held["result"]["value"] = held["result"]["languages"][0]["all"]["value"]


def other_protocol(held: dict) -> None:
    held["result"]["protocol"] = "kassner2021(ties=optimistic)"


def lying_size(held: bytes) -> bytes:
    """A zip file whose largest member says that it is a single byte."""
    with zipfile.ZipFile(io.BytesIO(held)) as archive:
        about = archive.getinfo("big.json")
    return held.replace(
        struct.pack("<LL", about.compress_size, about.file_size), struct.pack("<LL", about.compress_size, 1)
    )


_CHARACTER = {
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "zero-width space": "\u200b",
    "tag": "\U000e0041",
}
_PICKLE = pickle.dumps({"a": 1})
_MODEL = "result.model.spec"

CASES: dict[str, Case] = {
    # what is no JSON, or more than JSON
    "NaN": Case(swap('"value": 0.', '"value": NaN, "was": 0.'), "NaN is no number of JSON's"),
    "Infinity": Case(swap('"value": 0.', '"value": Infinity, "was": 0.'), "Infinity is no number of JSON's"),
    "-Infinity": Case(swap('"value": 0.', '"value": -Infinity, "was": 0.'), "-Infinity is no number of JSON's"),
    "1e999": Case(swap('"value": 0.', '"value": 1e999, "was": 0.'), "1e999 is too large a number"),
    "a number of 400 digits": Case(
        swap('"n_scored": ', f'"n_scored": {"9" * 400}, "was": '), "9999.* is too large a number"
    ),
    "a number of 100,000 digits": Case(
        swap('"n_scored": ', f'"n_scored": {"9" * 10**5}, "was": '), "is too large a number"
    ),
    "a key twice": Case(swap('"note": ""', '"note": "a", "note": "b"'), "the key 'note' stands twice"),
    "a key twice, deep inside": Case(swap('"micro": ', '"micro": 0.5, "micro": '), "the key 'micro' stands twice"),
    "more after the end": Case(text(lambda held: held + "{}"), "is not JSON: Extra data"),
    "not UTF-8": Case(text(lambda held: held.encode().replace(b'"note"', b'"n\xffte"')), "is not UTF-8 at byte"),
    "a byte order mark": Case(text(lambda held: "\ufeff" + held), "is not JSON"),
    "nested without end": Case(text(lambda held: "[" * 200_000), "is nested too deep"),
    "objects without end": Case(text(lambda held: '{"a":' * 200_000), "is nested too deep"),
    "empty": Case(text(lambda held: ""), "is not JSON"),
    "a list": Case(text(lambda held: f"[{held}]"), "is not a JSON object"),
    "cut off": Case(text(lambda held: held[:-40]), "is not JSON"),
    "40 MB": Case(large, "41,943,040 bytes long, and 16,777,216 are allowed"),
    # what the schema does not know
    "an unknown key": Case(put("rank", 1), "rank: is a key that no submission has"),
    "an unknown key in the result": Case(put("result.rank", 1), "result.rank: is a key that no submission has"),
    "an unknown key in a score": Case(put("result.languages.0.all.f1", 1), r"all.f1: is a key that no submission has"),
    "an unknown key of a model": Case(put("result.model.url", "x"), "model.url: is a key that no submission has"),
    "an unknown key of the data": Case(put("result.data.path", "x"), "data.path: is a key that no submission has"),
    "an unknown key of the code": Case(put("result.code.url", "x"), "code.url: is a key that no submission has"),
    "another version": Case(put("schema_version", 2), "schema_version: Input should be 1"),
    "below nothing": Case(put("result.value", -0.1), "result.value: Input should be greater than or equal to 0"),
    "more than all": Case(put("result.value", 1.5), "result.value: Input should be less than or equal to 1"),
    "a text for a number": Case(put("result.value", "0.5"), "result.value: Input should be a valid number"),
    "true for a number": Case(put("result.value", True), "result.value: Input should be a valid number"),
    "null for a number": Case(put("result.value", None), "result.value: Input should be a valid number"),
    "half a fact": Case(put("result.n_scored", 47.5), "result.n_scored: Input should be a valid integer"),
    "fewer than no facts": Case(put("n", -1), "n: Input should be greater than or equal to 0"),
    "a field is missing": Case(record(lambda held: held["result"].pop("n_scored")), "result.n_scored: Field required"),
    "a path for the answers": Case(put("answers.file", "../../x"), "answers.file: is a key that no submission has"),
    "parameters beyond counting": Case(put("parameters", 2**60), "parameters: Input should be less than"),
    # text that would do something where it is shown
    "a script in the note": Case(put("note", "<script>alert(1)</script>"), "note looks like HTML"),
    "an image in the model's name": Case(put(_MODEL, "x<img src=x onerror=alert(1)>"), "model.spec looks like HTML"),
    "a script for a relation": Case(
        record(
            lambda held: held["result"]["languages"][0]["relations"].update(
                {"<script>": held["result"]["languages"][0]["all"]}
            )
        ),
        "the key <script> looks like HTML",
    ),
    "a terminal's escape": Case(put("command", "probe run \x1b[2J"), r"command holds a control character, U\+001B"),
    "a line feed": Case(put("note", "a\nb"), r"note holds a control character, U\+000A"),
    "a null character": Case(put("note", "a\0b"), r"note holds a control character, U\+0000"),
    "a line separator": Case(put("note", "a\u2028b"), r"note holds a line separator, U\+2028"),
    "half a character": Case(swap('"note": ""', '"note": "\\ud800"'), r"note holds half a character, U\+D800"),
    **{
        f"{name} in the {where}": Case(put(path, f"a{character}b"), f"hides or reorders text, U\\+{ord(character):04X}")
        for name, character in _CHARACTER.items()
        for where, path in (("note", "note"), ("model's name", _MODEL))
    },
    "a long note": Case(put("note", "x" * 501), "note is 501 characters long, and 500 are allowed"),
    "a long language": Case(put("result.languages.0.lang", "x" * 65), "lang is 65 characters long"),
    "a long command": Case(put("command", "x" * 5000), "command is 5,000 characters long"),
    # numbers that do not follow from the answers
    "an edited score": Case(put("result.value", 0.9), "value: says 0.9, and the answers give 0"),
    "an edited interval": Case(put("result.ci.high", 0.99), "ci.high: says 0.99, and the answers give"),
    "an edited language": Case(put("result.languages.1.all.value", 0.9), "languages.ja.all.value: says 0.9"),
    "an edited relation": Case(
        put("result.languages.0.relations.P36.micro", 0.9), "languages.it.relations.P36.micro: says"
    ),
    "an edited baseline": Case(
        put("result.baselines.majority", 0.0), "baselines.majority: says 0.0, and the answers give"
    ),
    "a score that is not told": Case(put("result.languages.0.one_token", None), "one_token: says nothing"),
    "fewer resamples": Case(put("result.ci.resamples", 10), "ci.resamples: says 10, and the answers give 1000"),
    "another seed": Case(put("result.seeds.bootstrap", 7), "seeds.bootstrap: is not 0"),
    "a wrong hash": Case(put("answers.sha256", "0" * 64), "answers.sha256: says 0000"),
    "a wrong number of rows": Case(put("answers.rows", 7), "answers.rows: says 7, and the per-item file has 48"),
    "no answers": Case(put("answers", None), "without its per-item file cannot be derived again"),
    "answers missing": Case(without_answers, "without its per-item file cannot be derived again"),
    "edited answers": Case(table(all_right), "value: says .*, and the answers give 1.0"),
    # parts that contradict each other
    "a language left out": Case(record(drop_language), "languages: ja of the facts' are missing"),
    "a language hidden everywhere": Case(record(smaller), "languages: ja of the facts' are missing"),
    "a language twice": Case(
        record(lambda held: held["result"]["languages"].append(held["result"]["languages"][0])),
        "it stands there 2 times",
    ),
    "a language that was not asked": Case(
        put("result.data.spec", "facts:x(langs=it;ja;af)"), "languages: af of the facts' are missing"
    ),
    "facts left out": Case(put("n", 40), "n: is 40, and 48 facts are scored or have a reason why not"),
    "unscored facts that no language has": Case(
        put("result.n_unscored", {"too hard": 5}), "n_unscored: is 5 for 1 reasons"
    ),
    "another protocol": Case(record(other_protocol), "signature: has .*protocol:kassner2021"),
    "a protocol that there is none of": Case(put("result.protocol", "best"), "unknown protocol 'best'"),
    "a protocol in other words": Case(put("result.protocol", "typed(join=space,skip=date)"), "is written kassner2021"),
    "another gold policy": Case(put("result.data.spec", "facts:x(langs=it;ja,gold=any)"), "signature: has .*gold:one"),
    "other facts": Case(put("result.data.spec", "atlas(langs=it;ja)"), r"signature: has facts:facts\(langs=it;ja\)"),
    "facts that there are none of": Case(
        put("result.data.spec", "facts:x(langs=it;ja,gold=best)"), "unknown gold policy"
    ),
    "another hash of the facts": Case(put("result.data.sha256", "a" * 64), "signature: has data:"),
    "no hash of the facts": Case(put("result.data.sha256", "a"), "data.sha256: a is not what stands there"),
    "another model's weights": Case(put("result.model.sha256", "a" * 64), "signature: has weights:00000000"),
    "another number format": Case(put("result.model.dtype", "bfloat16"), "signature: has dtype:float32"),
    "a number format that there is none of": Case(put("result.model.dtype", "int1"), "model.dtype: int1 is none of"),
    "another model's name": Case(signed("model:tiny/model", "model:gpt-5"), "signature: calls the model gpt-5"),
    "a version of its own": Case(signed("version:", "version:9"), "signature: has version:9"),
    "a signature of something else": Case(put("result.signature", "x"), "signature: has x where the record makes it"),
    "an origin that there is none of": Case(put("origin", "me"), "origin: me is none of factroots, lm-eval"),
    "the origin of another tool": Case(put("origin", "lm-eval"), "signature: does not begin with origin:lm-eval"),
    "told, not derived": Case(put("result.metric", "accuracy"), "result.stderr: Field required"),
    "not to be verified": Case(put("unverified", ["value"]), "unverified: is for what cannot be derived again"),
    "a variant of another base": Case(put("variant", {"base": "xlmr", "method": None}), "variant.base: is xlmr"),
    "roots of another language": Case(
        put("roots", {"fr": {"shared": 0.5}}), "roots.fr: the result has no such language"
    ),
    "roots of more than all": Case(put("roots", {"it": {"shared": 0.9, "cue": 1.0, "x": 0.2}}), "shares add up to 1.1"),
    "no time": Case(put("started", "yesterday"), "started: yesterday is no time"),
    # per-item files that are not what they seem
    "answers of text": Case(answers_are(b"lang,relation\n"), "answers: is no Parquet file"),
    "answers of a pickle": Case(answers_are(_PICKLE), "answers: is no Parquet file"),
    "answers cut off": Case(answers_are(lambda held: held[:-100]), "answers: is no whole Parquet file"),
    "answers broken inside": Case(
        answers_are(lambda held: held[:4] + bytes(2000) + held[2004:]), "answers: is no whole Parquet"
    ),
    "answers of 200 MB": Case(large_answers, "209,715,200 bytes long, and 104,857,600 are allowed"),
    "a column more": Case(table(lambda t: t.append_column("x", t["p1"])), "has a column 'x' that no per-item file has"),
    "a column less": Case(table(lambda t: t.drop_columns("rr")), "has no column rr"),
    "a column of names less": Case(table(lambda t: t.drop_columns("item")), "has no column item"),
    "columns in another order": Case(
        table(lambda t: t.select(t.column_names[::-1])), "columns in another form or order"
    ),
    "another type": Case(column("p1", lambda v: v, pa.float32()), "has float in the column p1, and not double"),
    "a type that runs a pickle": Case(table(extended), "columns in another form or order"),
    "no rows": Case(table(lambda t: t.slice(0, 0)), "has 0 rows, and 1 to 5,000,000 are allowed"),
    "answers that are missing": Case(column("p1", first(None)), "has 1 rows without p1"),
    "a P@1 of two": Case(column("p1", first(2.0)), "has 1 rows whose p1 is no share of 1"),
    "a P@1 that is NaN": Case(column("p1", first(float("nan"))), "has 1 rows whose p1 is no share of 1"),
    "a P@5 in some rows": Case(column("p5", first(None)), "has p5 in some rows and not in others"),
    "a P@5 below the P@1": Case(column("p5", lambda v: [0.0] * len(v)), "rows whose p1 is more than their p5"),
    "a reciprocal rank below the P@1": Case(column("rr", lambda v: [0.0] * len(v)), "whose p1 is more than their rr"),
    "no golds": Case(column("golds", first([])), "has rows whose golds are empty or null"),
    "golds below nothing": Case(column("golds", first([-1])), "has golds below 0"),
    "golds without end": Case(table(many_golds), "golds in 48 rows"),
    "a template below nothing": Case(column("template", first(-1)), "has 1 rows whose template is less than 0"),
    "objects of no token": Case(column("pieces", first(0)), "answers: have objects of no token"),
    "rows twice": Case(table(lambda t: pa.concat_tables([t, t.slice(47)])), "has 1 rows twice"),
    "languages mixed": Case(table(lambda t: t.take([47, *range(47)])), "rows of one language in several places"),
    "languages in another order": Case(
        table(lambda t: t.take([*range(24, 48), *range(24)])), "in another order than the record"
    ),
    "a language that the record has not": Case(
        column("lang", lambda v: ["fr" if lang == "it" else lang for lang in v]),
        "answers: have fr, which the record has not",
    ),
    "a script for an item": Case(column("item", first("<script>")), "column item: '<script>' looks like HTML"),
    "an item that reorders text": Case(column("item", first("a\u202eb")), r"column item: .* reorders text, U\+202E"),
    "an item without a name": Case(column("item", first("")), "column item: '' is empty"),
    "a name of a megabyte, many times": Case(table(repeated_name), "has a name of 1,048,576 bytes in the column item"),
    "more rows than are read": Case(
        table(many_rows, compression="zstd"), "has 5,000,.* rows, and 1 to 5,000,000 are allowed"
    ),
    # files that are no submission
    "a pickle": Case(alone("s.pkl", _PICKLE), "s.pkl is a pickle or may hold one; opening it can run any program"),
    "a pickle of mLAMA's kind": Case(alone("result.PKL", _PICKLE), "is a pickle or may hold one"),
    "a pickle called a record": Case(alone("s.json", _PICKLE), "is a pickle; one can run any program"),
    "an old pickle called a record": Case(
        alone("s.json", pickle.dumps([print], 0)), "is a pickle; none is ever opened|not JSON"
    ),
    "a Parquet file called a record": Case(
        alone("s.json", b"PAR1" + bytes(99)), "is a Parquet file; its name should end in"
    ),
    "a zip file called a record": Case(
        alone("s.json", b"PK\x03\x04" + bytes(99)), "is a zip file; its name should end in"
    ),
    "a tarball called a record": Case(
        alone("s.json", b"\x1f\x8b" + bytes(99)), "is an archive; only zip files are opened"
    ),
    "a program": Case(alone("s.py", b"print()"), "s.py is no run, no record"),
    "a pickle beside it": Case(beside("x.pt", _PICKLE), "x.pt is a pickle or may hold one"),
    "a program beside it": Case(beside("x.py", b"print()"), "x.py: is no part of a submission"),
    "a page beside it": Case(beside("index.html", b"<html>"), "index.html: is no part of a submission"),
    "a per-item file without a record": Case(beside("t.parquet", b"PAR1"), "t.parquet: no record goes with it"),
    "a per-item file in another folder": Case(elsewhere, "more/s.parquet: no record goes with it"),
    "a name that reorders text": Case(
        beside("a\u202egpj.json", b"{}"), "its name holds a character that hides or reorders"
    ),
    "a linked record": Case(linked("s.json"), "s.json is a symbolic link"),
    "linked answers": Case(linked("s.parquet"), "answers: s.parquet is a symbolic link"),
    "a linked folder": Case(linked("more"), "more: is a symbolic link"),
    "a pipe": Case(fifo, "s.json is no plain file"),
    "nothing": Case(lambda good, folder: folder / "s.json", "s.json is not there"),
    "an empty folder": Case(lambda good, folder: folder.mkdir() or folder, "holds no submission"),
    # zip files
    "zip slip": Case(zipped(("../../x.json", b"{}")), "member '../../x.json' would leave the folder"),
    "an absolute member": Case(zipped(("/etc/x.json", b"{}")), "member '/etc/x.json' would leave the folder"),
    "a member with backslashes": Case(zipped(("a\\..\\x.json", b"{}")), "would leave the folder"),
    "a member on a drive": Case(zipped(("C:x.json", b"{}")), "member 'C:x.json' would leave the folder"),
    "a linked member": Case(zipped((a_link("l.json"), b"/etc/passwd")), "member 'l.json' is a link or a device"),
    "a bomb": Case(
        zipped(*((f"{n}.json", bytes(8 << 20)) for n in range(8))), "unpacks from .* to 6.*; nothing was unpacked"
    ),
    "a large member": Case(zipped(("big.json", bytes(17 << 20))), "unpacks to 17,825,792 bytes, which is too much"),
    "a member that lies about its size": Case(
        zipped(("big.json", bytes(9 << 20)), edit=lying_size), "is no whole zip file|not JSON"
    ),
    "a member twice": Case(zipped(("S.JSON", b"{}")), "'s.json' is there 2 times, capital letters aside"),
    "an encrypted member": Case(
        zipped(edit=lambda held: held.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")),
        "'s.json' is encrypted",
    ),
    "a pickle in a zip file": Case(zipped(("data.pkl", _PICKLE)), "data.pkl: .* is a pickle or may hold one"),
    "a zip file in a zip file": Case(zipped(("more.zip", b"PK\x03\x04")), "more.zip: is no part of a submission"),
    "no zip file": Case(alone("s.zip", b"PK?"), "s.zip: is no whole zip file"),
    "half a zip file": Case(zipped(edit=lambda held: held[: len(held) // 2]), "s.zip: is no whole zip file"),
    "members without end": Case(zipped(*((f"{n}.json", b"") for n in range(10_001))), "holds 10,003 members"),
}
