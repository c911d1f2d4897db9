"""The sandbox makes real files: pictures show the run's inputs, and video and audio files can be played."""

import io
import shutil
import subprocess
import wave
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageChops, ImageStat

from runs.sandbox import fonts, pictures, texts
from runs.sandbox.catalogue import load_catalogue
from runs.sandbox.gallery import film, sound
from runs.sandbox.job import Job
from tests.sandbox.box import CAPTION, Box

REEL = "sandbox-quick-reel"


def fetch(url: str) -> bytes:
    answer = requests.get(url, timeout=30)
    assert answer.ok
    return answer.content


def test_the_video_plays(box: Box, tmp_path: Path) -> None:
    run = box.finished(box.start(REEL, {"Describe your idea": "Boats that dream"}))
    output = run["outputs"][1]
    path = tmp_path / "reel.webm"
    path.write_bytes(fetch(output["value"]))
    assert path.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    assert path.stat().st_size < 800_000
    program = shutil.which("ffprobe")
    if not program:
        return
    entries = "stream=codec_name,width,height,nb_read_frames:format=duration"
    command = [program, "-v", "warning", "-count_frames", "-show_entries", entries, "-of", "csv=p=0", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.split() == ["vp8,360,640,30", "2.500000"]
    assert output["dimensions"] == {"width": 360, "height": 640}
    assert output["durationSeconds"] == 2.5


def test_the_sound_plays(box: Box) -> None:
    run = box.finished(box.start(CAPTION, {"Prompt": "Rain on a tin roof"}))
    output = run["outputs"][1]
    with wave.open(io.BytesIO(fetch(output["value"]))) as sound:
        assert sound.getnframes() / sound.getframerate() == output["durationSeconds"]
        assert max(sound.readframes(sound.getnframes())) > 0


def test_a_picture_shows_the_photo_it_was_made_from() -> None:
    plain = Image.new("RGB", (600, 600), (20, 160, 40))
    job = Job("app", "App", "Result", shown=(("Upload", "url", ("asset:1",)), ("Location", "options", "Studio")))
    made = pictures.picture(job, "", lambda token: plain if token == "asset:1" else None)
    middle = ImageStat.Stat(made.crop((480, 400, 540, 460))).mean
    assert middle[1] > middle[0] + 60
    assert middle[1] > middle[2] + 60


def test_a_sample_of_a_product_stands_on_plain_ground() -> None:
    photo = pictures.sample("product-amber.jpg").convert("L")
    left, right = (photo.crop((x, 60, x + 120, 1140)) for x in (0, photo.width - 120))
    assert min(left.tobytes()) > 180
    assert min(right.tobytes()) > 180
    assert min(photo.crop((400, 300, 560, 900)).tobytes()) < 120


@pytest.mark.parametrize("ratio", ["1:1", "4:3", "3:4", "16:9", "9:16"])
def test_the_aspect_ratio_is_honoured(ratio: str) -> None:
    across, down = (int(part) for part in ratio.split(":"))
    made = pictures.picture(Job("app", "App", "R", shown=(("Aspect Ratio", "options", ratio),)), "kit", lambda _: None)
    assert made.width * down == made.height * across


@pytest.mark.parametrize(
    "text",
    ["", " ", "שלום עולם", "日本語", "🎈🎈", "\u202e\u200d", "x" * 5000, "a\nb\tc", "{{ 7*7 }}", "नमस्ते", "\ue000"],
)
def test_any_text_can_be_drawn(text: str) -> None:
    job = Job("app", text, text, shown=(("Idea", "text", text), ("Style", "options", text)))
    assert pictures.draw(job, "", lambda _: None).startswith(b"\xff\xd8")


def test_text_is_wrapped_and_cut() -> None:
    lines = fonts.wrapped("one two three four five six seven eight nine ten", 20, 120, 2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(fonts.width(line, 20) <= 121 for line in lines)
    assert fonts.wrapped("short", 20, 300, 2) == ["short"]
    assert fonts.wrapped("y" * 300, 20, 100, 1)[0].endswith("…")


def test_a_broken_upload_is_not_drawn(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"GIF89a not really")
    assert pictures.open_upload(broken, 10**6) is None
    large = tmp_path / "large"
    Image.new("L", (2000, 2000)).save(large, "PNG")
    assert pictures.open_upload(large, 10**6) is None
    clear = tmp_path / "clear"
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(clear, "PNG")
    opened = pictures.open_upload(clear, 10**6)
    assert opened is not None
    assert opened.getpixel((5, 5)) == (255, 255, 255)


def test_drawings_are_kept_on_disk(box: Box) -> None:
    address = box.finished(box.start())["outputs"][0]["value"]
    first = fetch(address)
    drawn = list((box.sandbox.data_dir / "drawn").iterdir())
    assert fetch(address) == first
    assert list((box.sandbox.data_dir / "drawn").iterdir()) == drawn


def test_every_app_has_artwork_of_its_own_or_shows_its_photos() -> None:
    for app in load_catalogue(has_test_cards=False).values():
        art = app["sandbox"]["art"]
        assert pictures.thumbnail(app["appId"], art) != pictures.thumbnail(app["appId"], "")
        takes_photos = any(parameter["type"] == "url" for parameter in app["parameters"])
        for position, output in enumerate(app["outputs"]):
            if output["type"] == "image" and not takes_photos and art != "reel":
                assert (pictures.MEDIA / "results" / f"{art}-{position}.webp").exists()


def test_a_scene_follows_the_prompt() -> None:
    names = [
        pictures.scene(Job("app", "", "", shown=(("Idea", "text", text),))).stem for text in ("A city", "Two boats")
    ]
    assert names == ["scene-town", "scene-sea"]


@pytest.mark.parametrize("art", ["", *pictures.WORDS])
def test_words_are_written_on_the_picture(art: str) -> None:
    blank, written = (
        pictures.picture(Job("app", "", "", shown=(("Title", "text", text),)), art, lambda _: None)
        for text in ("i", "Half Moon Bakery")
    )
    assert ImageChops.difference(blank, written).getbbox()


def test_all_stored_media_take_little_room() -> None:
    """What `make run` without a key downloads with the code."""
    sizes = {folder: sum(path.stat().st_size for path in (pictures.MEDIA / folder).iterdir())
             for folder in ("results", "samples", "thumbnails", "films", "sounds")}  # fmt: skip
    assert sizes["results"] + sizes["samples"] + sizes["thumbnails"] < 2_000_000
    assert sizes["films"] + sizes["sounds"] < 1_000_000


def test_formats_have_the_shape_that_they_are_named_after() -> None:
    sizes = {
        label: pictures.size_of(Job("sandbox-social-kit", "", label)) for label in ("Square post", "Story", "Banner")
    }
    assert sizes == {"Square post": (1024, 1024), "Story": (720, 1280), "Banner": (1280, 720)}


def test_texts_use_what_was_asked_for_in_the_language_of_the_app() -> None:
    german = texts.write(Job("sandbox-newsletter", "", "Newsletter", shown=(("Thema", "text", "Wein im Herbst"),)))
    assert "Wein im Herbst" in german
    assert "Guten Tag" in german
    facts = (("Product", "text", "Apron"), ("Facts", "text", "Linen\nTwo pockets"))
    assert texts.write(Job("sandbox-description", "", "Key points", shown=facts)) == "• Linen\n• Two pockets"


def test_sounds_and_films_follow_the_inputs() -> None:
    played = {sound(Job("", "", "", shown=(("Instrument", "options", name),))).stem for name in ("Organ", "Music box")}
    assert played == {"organ", "music-box"}
    assert [film(art).stem for art in ("dish", "unknown")] == ["dish", "hills"]
