"""Small files: real media, and fakes."""

import io
import wave
from functools import cache

from PIL import Image

from tests.hostile.form import File

HTML = b"<!doctype html><html><script>alert(1)</script></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'


@cache
def png(colour: str = "#3366cc", name: str = "shoe.png") -> File:
    target = io.BytesIO()
    Image.new("RGB", (48, 36), colour).save(target, "PNG")
    return File(name, target.getvalue(), "image/png")


@cache
def wav() -> File:
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    return File("hum.wav", target.getvalue(), "audio/wav")
