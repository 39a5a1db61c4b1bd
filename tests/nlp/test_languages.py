"""Which language an answer is in, and that no English answer is turned away for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.coding import Coding, Stance
from nlp.languages import LANGUAGES, NOT_TAGGED, language_of, languages_of
from nlp.load import SpacyTagger
from nlp.tagger import ToTag
from tests.nlp.conftest import DATA

ROOT = DATA.parents[1]

#: Answers as people write them, by language.
FOREIGN = {
    "cy": [
        "Doedd neb wedi gofyn i ni cyn cau'r llyfrgell",
        "Mae'r cyngor a'r bwrdd iechyd yn gweithio gyda'i gilydd nawr",
        "Dim digon o arian na staff",
        "Mae pethau'n araf iawn",
        "roedd y nyrs yn gwrando ac yn deall sut beth yw bywyd yma",
        "neb yn gwybod pwy sy'n penderfynu",
        "Mae angen mwy o wirfoddolwyr arnon ni",
        "ma nhw byth yn ffonio nôl",
    ],
    "pl": [
        "Nikt nas nie zapytał przed zamknięciem biblioteki",
        "Brakuje pieniędzy i ludzi",
        "urzędy ze sobą nie rozmawiają",
        "wszystko dobrze, dziękuję",
    ],
    "fr": [
        "Personne ne nous a demandé notre avis avant la fermeture",
        "Il n'y a pas assez d'argent",
        "les services ne se parlent pas",
    ],
    "de": [
        "Niemand hat uns gefragt, bevor sie die Bibliothek geschlossen haben",
        "Die Ämter reden nicht miteinander",
        "es dauert immer viel zu lange",
    ],
    "es": [
        "Nadie nos preguntó antes de cerrar la biblioteca",
        "falta dinero y personal",
        "los servicios no se hablan entre ellos",
    ],
    "pt": [
        "Ninguém nos perguntou antes de fecharem a biblioteca",
        "os serviços não falam entre si",
    ],
    "ro": ["Nimeni nu ne-a întrebat înainte să închidă biblioteca"],
    "it": ["Nessuno ci ha chiesto niente prima di chiudere la biblioteca"],
    "nl": ["Niemand heeft ons iets gevraagd voordat de bibliotheek dicht ging"],
    "uk": ["Нас ніхто не питав, перш ніж закрити бібліотеку"],
    "ar": ["لم يسألنا أحد قبل إغلاق المكتبة"],
    "pa": ["ਲਾਇਬ੍ਰੇਰੀ ਬੰਦ ਕਰਨ ਤੋਂ ਪਹਿਲਾਂ ਕਿਸੇ ਨੇ ਸਾਨੂੰ ਨਹੀਂ ਪੁੱਛਿਆ"],
}

#: What is thanks or a greeting in another language, in files that are English.
THANKS = {"Diolch yn fawr 🏴󠁧󠁢󠁷󠁬󠁳󠁿", "Dzień dobry 😊", "спасибо", "slán"}

# fmt: off
ENGLISH_ENOUGH = (
    "ok", "Ok thanks", "yes", "no", "nah", "lol", "idk", "dunno", "brill", "nowt", "aye",
    "ta very much", "cheers", "10/10", "👍", "🤷‍♀️", "", "?!", "Anna", "Siân", "Mrs Kowalska",
    "Dr Patel", "Mohammed", "Llanelli", "Rhondda Cynon Taf", "Ynys Môn", "Jean-Pierre", "DWP",
    "PIP", "A&E", "NHS", "the Eisteddfod", "Menter Iaith", "Is good but they not listen me",
    "me no understand the letter, too much paper", "naebody asked the lassies that finish at 3",
    "dem nah listen",
)
# fmt: on


def english() -> Iterator[tuple[str, str]]:
    for path in sorted(DATA.glob("answers-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield path.name, json.loads(line)["text"]


def welsh_pairs() -> set[tuple[str, str]]:
    """English and Welsh words of the surveys, messages and codeframe that ship."""
    found: set[tuple[str, str]] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("en"), str) and isinstance(value.get("cy"), str):
                found.add((value["en"], value["cy"]))
            list(map(look, value.values()))
        elif isinstance(value, list):
            list(map(look, value))

    for path in [*(ROOT / "dialogues").rglob("*.toml"), ROOT / "nlp" / "codeframe.toml"]:
        look(tomllib.loads(path.read_text(encoding="utf-8")))
    return found


def test_english_is_not_turned_away_whatever_the_register() -> None:
    """Five of twenty-four thousand are, four of them thanks or greetings in another language."""
    texts = list(english())
    turned_away = [
        (name, text) for name, text in texts if language_of(text, "en") not in {"en", None}
    ]
    mistaken = [each for each in turned_away if each[1] not in THANKS]
    assert len(mistaken) / len(texts) < 0.001
    # Of 300 to 710 answers each: no writer's English counts for less.
    assert max(Counter(name for name, _ in mistaken).values(), default=0) <= 1


@pytest.mark.parametrize("text", ENGLISH_ENOUGH)
def test_a_short_answer_or_a_name_is_in_the_chosen_language(text: str) -> None:
    assert language_of(text, "en") in {"en", None}


def test_another_language_is_told_though_english_was_chosen() -> None:
    wrong = {
        text: found
        for language, texts in FOREIGN.items()
        for text in texts
        if (found := language_of(text, "en")) != language
    }
    assert wrong == {}


def test_welsh_is_told_from_english_whichever_was_chosen() -> None:
    pairs = [(en, cy) for en, cy in welsh_pairs() if len(cy) > 30]
    assert len(pairs) > 150
    for chosen in ("en", "cy"):
        for language, texts in (("en", [en for en, _ in pairs]), ("cy", [cy for _, cy in pairs])):
            right = sum(language_of(text, chosen) == language for text in texts)
            assert right / len(texts) > 0.95, (language, chosen)


def test_a_language_that_nobody_tells_apart_or_knows_is_the_same_as_none() -> None:
    text = "they never asked us before they closed it"
    for chosen in (None, "", "withheld", "xx", "en-GB"):
        assert language_of(text, chosen) == "en"
    assert language_of("Siân", "withheld") in LANGUAGES


@given(st.text(), st.sampled_from([None, "en", "cy", "xx"]))
def test_any_text_has_a_language_or_none(text: str, chosen: str | None) -> None:
    language = language_of(text, chosen)
    assert language is None or language in {*LANGUAGES, chosen}
    assert language == language_of(text, chosen)
    if not any(map(str.isalpha, text)):
        assert language is None


def test_the_languages_of_many_texts() -> None:
    assert languages_of(text for _, text in list(english())[:400]) == ("en",)
    welsh = [text for text in FOREIGN["cy"] for _ in range(5)]
    assert languages_of([*welsh, *["they never asked us"] * 90, "ok", "спасибо"]) == ("en", "cy")
    assert languages_of(["👍", ""]) == ()
    # Of more than twenty languages none may be in one of twenty texts.
    many = [
        "bonjour tout le monde", "guten morgen zusammen", "buenos días a todos",
        "dzień dobry wszystkim", "привет всем", "hei kaikille", "γεια σας", "שלום לכולם",
        "مرحبا بالجميع", "こんにちは皆さん", "안녕하세요", "สวัสดีทุกคน", "xin chào mọi người",
        "jó reggelt mindenkinek", "dobré ráno všem", "bom dia a todos", "buongiorno a tutti",
        "labas rytas visiems", "доброго ранку всім", "добро утро на всички", "नमस्ते सबको",
        "günaydın arkadaşlar", "அனைவருக்கும் வணக்கம்",
    ]  # fmt: skip
    assert len(languages_of(many)) == 1


def test_a_model_that_learnt_from_no_letters_reads_all(tagger: SpacyTagger) -> None:
    of_signs = SpacyTagger(tagger._nlp, replace(tagger.model, languages=()))
    for text in ("They never asked us.", "👍 12", FOREIGN["fr"][0]):
        (tagged,) = of_signs.tag([ToTag(text=text)])
        assert tagged.error is None


def test_what_the_tagger_does_not_know_it_does_not_tag(tagger: SpacyTagger) -> None:
    assert tagger.languages == ("en",)
    for text in (FOREIGN["pl"][0], FOREIGN["fr"][0]):
        for chosen in (None, "en", "xx"):
            (tagged,) = tagger.tag([ToTag(text=text, language=chosen)])
            assert tagged.error == NOT_TAGGED
            assert tagged.codings == ()
    asked, hello = tagger.tag([
        ToTag(text="They never asked us before they closed it", language="pl"),
        ToTag(text="👍", language="pl"),
    ])  # fmt: skip
    assert ("engagement", Stance.GAP) in map(_key, asked.codings)
    assert hello.error is None


def _key(coding: Coding) -> tuple[str, Stance | None]:
    return coding.enabler, coding.stance


def test_nothing_is_asked_of_the_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise SystemExit('network')\n"
        "socket.socket.connect = refuse\n"
        "from nlp.languages import language_of\n"
        "print(language_of('Doedd neb wedi gofyn i ni', 'en'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.returncode) == ("cy", 0), ran.stderr


def test_the_list_names_every_language_once() -> None:
    assert len(set(LANGUAGES)) == len(LANGUAGES)
