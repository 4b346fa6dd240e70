"""The picture that a plate camera takes: a car before a barrier with its plate, drawn with Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from pylopdf_fonts_zh_cn import sans_path

PlateColour = Literal["blue", "green", "yellow", "white", "black"]

WIDTH, HEIGHT = 1280, 720
_PLATE = (360, 114)
_COLOURS: dict[PlateColour, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "blue": ((14, 62, 168), (250, 250, 250)),
    "green": ((92, 190, 120), (18, 18, 18)),
    "yellow": ((240, 190, 30), (18, 18, 18)),
    "white": ((245, 245, 245), (18, 18, 18)),
    "black": ((20, 20, 22), (245, 245, 245)),
}
_PAINTS = [(178, 34, 38), (225, 228, 232), (46, 52, 60), (30, 62, 112), (150, 156, 164), (86, 64, 44), (236, 238, 240)]


@dataclass(frozen=True, slots=True)
class Shot:
    """A scene and the cut-out of its plate, both JPEG, and where the plate is (left, top, right, bottom in pixels)."""

    scene: bytes
    plate: bytes
    place: tuple[int, int, int, int]


def colour_of(plate: str) -> PlateColour:
    """The colour that a plate of this form has: eight characters green, police and embassies white, otherwise blue."""
    if len(plate) == 8:
        return "green"
    if plate.endswith(("警", "使", "领")):
        return "white"
    if plate.endswith(("学", "挂")):
        return "yellow"
    return "blue"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(sans_path()), size)


def shot(plate: str, caption: str, seed: int) -> Shot:
    """A picture of a car with `plate`; `caption` is what the camera writes into the corner."""
    rng = Random(seed)
    scene = _street(rng)
    _car(scene, rng.choice(_PAINTS))
    sign = _sign(plate)
    left, top = (WIDTH - _PLATE[0] // 2) // 2, 476
    small = sign.resize((_PLATE[0] // 2, _PLATE[1] // 2), Image.Resampling.LANCZOS)
    scene.paste(small, (left, top))
    ImageDraw.Draw(scene).text(
        (24, 18), caption, font=_font(26), fill=(255, 255, 255), stroke_width=2, stroke_fill=(0, 0, 0)
    )
    scene = _grain(scene, rng)
    return Shot(_jpeg(scene, 78), _jpeg(sign, 85), (left, top, left + small.width, top + small.height))


def _street(rng: Random) -> Image.Image:
    """Sky, a wall, trees, the lane with its kerbs, the barrier's post."""
    hour = rng.random()
    sky = tuple(int(a + (b - a) * hour) for a, b in zip((120, 150, 180), (190, 212, 235), strict=True))
    scene = Image.new("RGB", (WIDTH, HEIGHT), sky)
    draw = ImageDraw.Draw(scene)
    for _ in range(26):
        x, r = rng.randint(0, WIDTH), rng.randint(30, 80)
        y = rng.randint(290 - 2 * r, 290)
        green = rng.randint(70, 120)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(green // 2, green, green // 2))
    draw.rectangle((0, 280, WIDTH, 350), fill=(168, 160, 150))
    for x in range(0, WIDTH, 64):
        draw.line((x, 280, x, 350), fill=(150, 142, 132), width=2)
    draw.polygon([(360, 350), (920, 350), (1240, HEIGHT), (40, HEIGHT)], fill=(84, 86, 90))
    draw.polygon([(0, 350), (360, 350), (40, HEIGHT), (0, HEIGHT)], fill=(120, 134, 104))
    draw.polygon([(920, 350), (WIDTH, 350), (WIDTH, HEIGHT), (1240, HEIGHT)], fill=(120, 134, 104))
    for y in range(360, HEIGHT, 60):
        spread = (y - 350) * 0.86
        draw.line((360 - spread, y, 356 - spread - 20, y + 30), fill=(240, 210, 60), width=6)
        draw.line((920 + spread, y, 924 + spread + 20, y + 30), fill=(240, 210, 60), width=6)
    draw.rectangle((1040, 300, 1090, 560), fill=(226, 120, 32))
    draw.rectangle((1046, 320, 1084, 360), fill=(40, 40, 44))
    return scene


def _car(scene: Image.Image, paint: tuple[int, int, int]) -> None:
    """The front of a car in the middle of the lane."""
    draw = ImageDraw.Draw(scene)
    dark = (paint[0] // 2, paint[1] // 2, paint[2] // 2)
    draw.ellipse((360, 590, 920, 640), fill=(50, 50, 54))
    draw.rounded_rectangle((380, 540, 470, 625), 20, fill=(24, 24, 26))
    draw.rounded_rectangle((810, 540, 900, 625), 20, fill=(24, 24, 26))
    draw.polygon([(470, 250), (810, 250), (880, 400), (400, 400)], fill=dark)
    draw.polygon([(488, 264), (792, 264), (848, 388), (432, 388)], fill=(70, 92, 110))
    draw.polygon([(488, 264), (600, 264), (520, 388), (432, 388)], fill=(112, 136, 152))
    draw.rounded_rectangle((372, 382, 908, 580), 44, fill=paint)
    draw.rounded_rectangle((500, 410, 780, 462), 14, fill=(26, 26, 30))
    for y in range(418, 460, 9):
        draw.line((508, y, 772, y), fill=(90, 92, 98), width=2)
    for x in (398, 796):
        draw.rounded_rectangle((x, 412, x + 86, 458), 20, fill=(236, 240, 246))
        draw.ellipse((x + 26, 418, x + 62, 452), fill=(200, 214, 230))
    draw.rounded_rectangle((430, 470, 850, 568), 16, fill=dark)


def _sign(plate: str) -> Image.Image:
    """The plate itself, as large as it is cut out."""
    ground, ink = _COLOURS[colour_of(plate)]
    sign = Image.new("RGB", _PLATE, ground)
    draw = ImageDraw.Draw(sign)
    draw.rounded_rectangle((4, 4, _PLATE[0] - 5, _PLATE[1] - 5), 10, outline=ink, width=3)
    places = len(plate)
    width = (_PLATE[0] - 40) / (places + 0.4)
    x = 20.0
    for place, sign_text in enumerate(plate):
        draw.text(
            (x + width / 2, _PLATE[1] / 2), sign_text, font=_font(58 if places <= 7 else 52), fill=ink, anchor="mm"
        )
        x += width
        if place == 1:
            draw.ellipse((x + width * 0.12 - 4, 53, x + width * 0.12 + 4, 61), fill=ink)
            x += width * 0.3
    return sign


def _grain(scene: Image.Image, rng: Random) -> Image.Image:
    """A lens is never quite sharp and a sensor never quite quiet."""
    noise = ImageChops.offset(_noise(), rng.randrange(WIDTH), rng.randrange(HEIGHT))
    return Image.blend(scene.filter(ImageFilter.GaussianBlur(0.6)), noise, 0.09)


@cache
def _noise() -> Image.Image:
    return Image.effect_noise((WIDTH, HEIGHT), 20).convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
