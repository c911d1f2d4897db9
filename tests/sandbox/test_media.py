"""The sandbox makes real files: pictures show the run's inputs, and video and audio files can be played."""

import io
import shutil
import subprocess
import wave
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageChops, ImageStat

from runs.sandbox import audio, texts
from runs.sandbox.drawing import fonts, posters, samples
from runs.sandbox.drawing.job import Job
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
    made = posters.picture(job, lambda token: plain if token == "asset:1" else None)
    middle = ImageStat.Stat(made.crop((480, 400, 540, 460))).mean
    assert middle[1] > middle[0] + 60
    assert middle[1] > middle[2] + 60


def test_a_sample_of_a_product_stands_on_plain_ground() -> None:
    photo = samples.picture("product-amber.jpg").convert("L")
    left, right = (photo.crop((x, 60, x + 120, 1140)) for x in (0, photo.width - 120))
    assert min(left.tobytes()) > 180
    assert min(right.tobytes()) > 180
    assert min(photo.crop((400, 300, 560, 900)).tobytes()) < 120


def test_each_style_looks_different() -> None:
    photo = samples.picture("55e99714")
    made = set()
    for style in ("Ghibli", "Simpsons", "Disney / Pixar", "Cyberpunk"):
        job = Job("app", "App", "Result", shown=(("Upload", "url", ("x",)), ("Style", "options", style)))
        made.add(posters.picture(job, lambda _: photo).tobytes())
    assert len(made) == 4


@pytest.mark.parametrize("ratio", ["1:1", "4:3", "3:4", "16:9", "9:16"])
def test_the_aspect_ratio_is_honoured(ratio: str) -> None:
    across, down = (int(part) for part in ratio.split(":"))
    made = posters.picture(Job("app", "App", "R", shown=(("Aspect Ratio", "options", ratio),)), lambda _: None)
    assert made.width * down == made.height * across


@pytest.mark.parametrize(
    "text",
    ["", " ", "שלום עולם", "日本語", "🎈🎈", "\u202e\u200d", "x" * 5000, "a\nb\tc", "{{ 7*7 }}", "नमस्ते", "\ue000"],
)
def test_any_text_can_be_drawn(text: str) -> None:
    job = Job("app", text, text, shown=(("Idea", "text", text), ("Style", "options", text)))
    assert posters.draw(job, lambda _: None).startswith(b"\xff\xd8")


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
    assert posters.open_upload(broken, 10**6) is None
    large = tmp_path / "large"
    Image.new("L", (2000, 2000)).save(large, "PNG")
    assert posters.open_upload(large, 10**6) is None
    clear = tmp_path / "clear"
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(clear, "PNG")
    opened = posters.open_upload(clear, 10**6)
    assert opened is not None
    assert opened.getpixel((5, 5)) == (255, 255, 255)


def test_drawings_are_kept_on_disk(box: Box) -> None:
    address = box.finished(box.start())["outputs"][0]["value"]
    first = fetch(address)
    drawn = list((box.sandbox.data_dir / "drawn").iterdir())
    assert fetch(address) == first
    assert list((box.sandbox.data_dir / "drawn").iterdir()) == drawn


@pytest.mark.parametrize(
    ("app_id", "label", "one", "other"),
    [
        ("sandbox-logo", "Sketch 1", {"Brand name": "Oliva"}, {"Brand name": "Nord"}),
        ("sandbox-room", "Living room", {"Style": "Japandi"}, {"Style": "Industrial"}),
        ("sandbox-packshot", "Front", {"Background": "White"}, {"Background": "Deep colour"}),
        ("sandbox-pattern", "Repeat", {"Scale": "Small"}, {"Scale": "Large"}),
    ],
)
def test_pieces_follow_their_inputs(app_id: str, label: str, one: dict[str, str], other: dict[str, str]) -> None:
    first, second = (
        posters.picture(Job(app_id, "", label, shown=tuple((n, "options" if n != "Brand name" else "text", v)
                                                           for n, v in given.items())), lambda _: None)
        for given in (one, other)
    )  # fmt: skip
    assert ImageChops.difference(first, second).getbbox()


def test_formats_have_the_shape_that_they_are_named_after() -> None:
    sizes = {
        label: posters.size_of(Job("sandbox-social-kit", "", label)) for label in ("Square post", "Story", "Banner")
    }
    assert sizes == {"Square post": (1024, 1024), "Story": (720, 1280), "Banner": (1280, 720)}


def test_texts_use_what_was_asked_for_in_the_language_of_the_app() -> None:
    german = texts.write(Job("sandbox-newsletter", "", "Newsletter", shown=(("Thema", "text", "Wein im Herbst"),)))
    assert "Wein im Herbst" in german
    assert "Guten Tag" in german
    facts = (("Product", "text", "Apron"), ("Facts", "text", "Linen\nTwo pockets"))
    assert texts.write(Job("sandbox-description", "", "Key points", shown=facts)) == "• Linen\n• Two pockets"


def test_music_follows_instrument_and_tempo() -> None:
    made = {
        audio.make(
            Job("sandbox-jingle", "", "Jingle", shown=(("Instrument", "options", name), ("Tempo", "options", pace)))
        )
        for name in ("Marimba", "Organ")
        for pace in ("Slow", "Fast")
    }
    assert len(made) == 4
