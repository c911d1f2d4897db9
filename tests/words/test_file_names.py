"""Names of downloads, like `oak-desk_front_2_2026-11-25.png`: in any script, short enough, and unique within a run."""

import unicodedata
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from runs.models import Member, Output
from runs.words.file_names import MOST_BYTES, ResultName, Stem, UsedNames, archive_name, slug, stem_in_run, stems_of
from tests.support.factories import make_app, make_kept, make_run

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def names_of(*results: ResultName) -> list[str]:
    return [stem.named("png") for stems in stems_of(results) for stem in stems]


def test_title_label_number_and_day() -> None:
    assert names_of(
        ResultName("Oak desk", "Front", AT),
        ResultName("Oak desk", "Front", AT, files=2),
        ResultName("Oak desk", "", AT),
    ) == [
        "oak-desk_front_2026-11-25.png",
        "oak-desk_front_2_2026-11-25.png",
        "oak-desk_front_3_2026-11-25.png",
        "oak-desk_result_2026-11-25.png",
    ]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Cartoonify!", "cartoonify"),
        ("It's v1.2_final / Öl", "its-v1-2-final-öl"),
        ("किताब की दुकान", "किताब-की-दुकान"),
        ("ผู้หญิง", unicodedata.normalize("NFKC", "ผู้หญิง")),
        ("靴 赤", "靴-赤"),
        ("\u202e\u05ea\u05d5\u05e6\u05d0\u05d4\u200f", "\u05ea\u05d5\u05e6\u05d0\u05d4"),
        ("a\x00b\x1fc\ud800", "a-b-c"),
        ("../../etc/passwd", "etc-passwd"),
        ("👩🏽‍🎨✨\ufe0f", ""),
        ("\u3164\u0301", ""),
    ],
)
def test_other_scripts_are_kept_and_nothing_special_is(words: str, kept: str) -> None:
    assert slug(words) == kept


@pytest.mark.parametrize("words", ["x" * 300, "靴" * 300, "ß" * 300, "CON", "nul", "", "👩🏽‍🎨", "é" * 5000])
@pytest.mark.parametrize("label", ["y" * 300, "шкаф" * 80, "LPT1", ""])
def test_names_are_short_and_never_reserved(words: str, label: str) -> None:
    names = names_of(*[ResultName(words, label, AT, files=3)] * 2)
    assert len({name.casefold() for name in names}) == 6
    for name in [*names, archive_name(words, AT)]:
        assert len(name.encode()) <= MOST_BYTES
        assert name.split(".")[0].casefold() not in ("con", "nul", "lpt1")
        assert name.isprintable()


def test_two_parts_share_the_room() -> None:
    title, label, _day = names_of(ResultName("t" * 300, "l" * 300, AT))[0].split("_")
    assert abs(len(title) - len(label)) <= 1
    assert names_of(ResultName("t" * 300, "front", AT))[0].count("t") > 70


def test_names_from_several_runs_are_told_apart_in_any_case() -> None:
    taken = UsedNames()
    stems = [
        Stem("a_b", "2026-11-25"),
        Stem("A_B", "2026-11-25"),
        Stem("a_b", "2026-11-25", 2),
        Stem("a_b", "2026-11-26"),
    ]
    assert [str(taken.free(stem)) for stem in stems] == [
        "a_b_2026-11-25",
        "A_B_2_2026-11-25",
        "a_b_3_2026-11-25",
        "a_b_2026-11-26",
    ]


def test_the_day_is_the_portals(settings: Settings) -> None:
    late = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    settings.TIME_ZONE = "Asia/Tokyo"
    assert names_of(ResultName("a", "b", late)) == ["a_b_2026-11-26.png"]


@pytest.mark.django_db
def test_a_number_stays_when_an_earlier_file_was_not_saved(alice: Member) -> None:
    outputs = [{"index": n, "label": "Front", "type": "image"} for n in range(2)]
    run = make_run(alice, make_app(outputs=outputs), status="completed", title="Oak desk", created_at=AT)
    kept = make_kept(run, position=0)
    type(kept).objects.filter(pk=kept.pk).update(position=2)
    last = Output.objects.get(run=run, position=1)
    assert stem_in_run(last).named("txt") == "oak-desk_front_4_2026-11-25.txt"
