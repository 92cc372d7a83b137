"""Where sentences end, by hand in many scripts, and against spaCy's sentencizer on real text."""

from __future__ import annotations

import pytest

from data_builders.corpora import sentences
from data_builders.corpora.recognise import LANGUAGES
from data_builders.corpora.sentences import splitter
from data_builders.errors import FactrootsError

#: Texts whose sentences are divided by "|".
TEXTS = [
    (
        "en",
        "Mr. Smith met J. R. R. Tolkien on Jan. 3. |It is $3.14 at Yahoo!7 in the U.S. Senate. |Why? |“So.” |He left.",
    ),
    ("en", "He said “Go!” and left. |(It rained.) |See no. 5 and vol. 3. |I said no. |The end"),
    (
        "de",
        "Am 3. Oktober, z. B. in Berlin, sprach Ludwig XIV. Bourbon. |Er kam 1990. |„Ja.“ |Dr. Maier, S. 34, ging.",
    ),
    ("it", "Il sig. Rossi nacque nel 44 a.C. in Italia. |L'art. 3 vale. |È così! |«Sì.» |Fine."),
    ("fr", "M. Dupont est né en 50 av. J.-C. à Paris. |« Oui. » |Il part."),
    ("af", "Mev. Botha en prof. Nel woon in St. Helena. |Dit is so."),
    ("ru", "Он родился в 1970 г. |В 1990 г. он уехал в г. Москва. |А. С. Пушкин, т. е. поэт."),
    ("cs", "Žil zde 5. května. |Prof. Novák, tzv. Mistr, odešel."),
    ("ja", "これは英語式。|（注記）「行く。」と言った。|東京は首都です！|『雪国。』を読んだ。|3．14です。"),
    ("zh", "他说：“我去。”|她来了！|价格是3.14元。|完"),
    ("ko", "그는 학생이다. |그녀는 의사이다. |좋은 것. |끝"),
    ("hi", "यह भारत है। |वह दिल्ली में रहता है।|क्यों? |ठीक॥ |अंत"),
    ("bn", "ঢাকা বাংলাদেশের রাজধানী। |এটি বড়। |শেষ"),
    ("ur", "یہ پاکستان ہے۔ |کیا وہ آیا؟ |ہاں۔"),
    ("ar", "هل جاء؟ |نعم. |قال د. محمد هذا!"),
    ("fa", "او آمد. |آیا رفت؟ |بله."),
    ("hy", "Երևանը մայրաքաղաք է։ |Նա եկավ: |Վերջ"),
    ("ka", "თბილისი დედაქალაქია. |ის მოვიდა. |ა. ბ. წერეთელი."),
    ("el", "Πού είναι; |Εκεί. |Ο κ. Παπαδόπουλος, π.χ. εδώ, έφυγε."),
    ("en", "One; two; three: four. |Done."),
    ("ta", "சென்னை தலைநகரம். |அது பெரியது."),
    ("he", "הוא בא. |למה? |כן!"),
    ("tr", "Prof. Yılmaz 3. kez geldi. |Neden? |Evet."),
    ("vi", "Hà Nội là thủ đô. |TP. Hồ Chí Minh lớn. |Hết."),
]


@pytest.mark.parametrize(("lang", "text"), TEXTS)
def test_by_hand(lang, text):
    parts = [part.strip() for part in text.split("|")]
    assert splitter(lang)(text.replace("|", "")) == parts


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_is_lost_in_any_language(lang):
    """Sentences put together are the text, whatever ends them; an empty text has none."""
    split = splitter(lang)
    text = "  A b. C\u00a0d!\u3000E f? 「G。」 h। i։ j۔ k？ (l.) “M.” n... O. 3.5 p. 。 ! x"
    assert "".join("".join(split(text)).split()) == "".join(text.split())
    assert all(s == s.strip() and s for s in split(text))
    assert split("") == split(" \n ") == []


def test_language_that_spacy_does_not_know():
    assert splitter("qqq")("Ab cd. Ef gh! Ij") == ["Ab cd.", "Ef gh!", "Ij"]


def test_thai_needs_its_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pythainlp.tokenize", None)
    sentences.splitter.cache_clear()
    with pytest.raises(FactrootsError, match="pip install pythainlp"):
        splitter("th")
    monkeypatch.undo()
    assert splitter("th")("ฉันไปโรงเรียน")


def recovered(split, groups, glue: str) -> tuple[int, int, int]:
    """Boundaries found rightly, wrongly and not at all, when sentences glued together are split again."""
    right = wrong = missed = 0
    for group in groups:
        found, wanted = ends(split(glue.join(group))), ends(group)
        right, wrong, missed = right + len(found & wanted), wrong + len(found - wanted), missed + len(wanted - found)
    return right, wrong, missed


def ends(parts) -> set[int]:
    """How many characters, spaces not counted, stand before each boundary."""
    places, place = set(), 0
    for part in parts:
        place += len("".join(part.split()))
        places.add(place)
    return places - {place}


def sentencizer(lang: str):
    """spaCy's own; Chinese characters for Japanese too, whose tokenizer is a package that splits no differently."""
    import spacy

    nlp = spacy.blank("zh" if lang == "ja" else lang)
    nlp.add_pipe("sentencizer")
    return lambda text: [sentence.text for sentence in nlp(text).sents]


@pytest.mark.parametrize("lang", ["af", "de", "en", "es", "fr", "it", "ja"])
def test_at_least_as_good_as_spacy_on_real_text(shared_data, lang):
    """Of 1,200 real sentences, five a paragraph: more boundaries than spaCy finds, and fewer false ones."""
    lines = (shared_data("wikipedia_sentences") / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
    lines = [" ".join(line.split()) for line in lines if line.strip()][:1200]
    groups, glue = [lines[i : i + 5] for i in range(0, len(lines), 5)], "" if lang == "ja" else " "
    right, wrong, missed = recovered(splitter(lang), groups, glue)
    theirs = recovered(sentencizer(lang), groups, glue)
    assert right >= theirs[0] and wrong <= theirs[1] and missed <= theirs[2]
    assert right / (right + wrong) >= 0.99
    assert right / (right + missed) >= {"de": 0.89, "ja": 0.58}.get(lang, 0.95)  # titles and torn lines end in nothing
