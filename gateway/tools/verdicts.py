"""How the ranking of products is shown. Pure but for the screen that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.tools.fitting import LIKELY, POSSIBLE, Fit, alike
from gateway.tools.language import Speech
from gateway.tools.screen import Screen
from gateway.tools.wording import CONFIDENCE

SHOWN = 3


def fit_rows(fits: Sequence[Fit], say: Speech) -> list[str]:
    """Two cells of a table: the product, and how well it fits."""
    if not fits or fits[0].score < POSSIBLE:
        return [say("不认识", "not recognised"), "—"]
    best = fits[0]
    return [best.profile.id, f"{best.score} %"]


def say_fit(screen: Screen, fits: Sequence[Fit]) -> None:
    """The best products, each with what speaks for and against it."""
    say = screen.say
    same = alike(fits)
    if len(same) > 1 and fits[0].score >= POSSIBLE:
        ids = say.listed([fit.profile.id for fit in same])
        screen.line(
            f"  分不清：{ids} 的寄存器看起来一样，请看铭牌",
            f"  cannot be told apart: {ids}; look at the name plate",
            "yellow",
        )
    for fit in fits[:SHOWN]:
        if fit.score < POSSIBLE and fit is not fits[0]:
            continue
        word = (
            say("很可能", "likely")
            if fit.score >= LIKELY
            else say("可能", "possible")
            if fit.score >= POSSIBLE
            else say("不像", "unlikely")
        )
        name = f"{fit.profile.id} · {say.of(fit.profile.name)}"
        trust = say.of(CONFIDENCE[fit.profile.confidence])
        screen.text(f"  {fit.score:3d} % {word}  {name} [{trust}]", "green" if fit.score >= LIKELY else "")
        screen.text(
            "        " + "；".join(say.of(words) for words in fit.why)
            if say.language == "zh"
            else "        " + "; ".join(say.of(words) for words in fit.why)
        )
        if fit.against:
            screen.text(
                "        " + say("不符：", "against: ") + say.listed([say.of(words) for words in fit.against]), "yellow"
            )


def as_json(fits: Sequence[Fit]) -> list[dict[str, Any]]:
    """The best products for machines."""
    return [
        {
            "profile": fit.profile.id,
            "score": fit.score,
            "bits": round(fit.bits, 1),
            "checked": fit.checked,
            "agreed": fit.agreed,
            "why": [{"zh": words.zh, "en": words.en} for words in fit.why],
            "against": [{"zh": words.zh, "en": words.en} for words in fit.against],
        }
        for fit in fits[:SHOWN]
    ]
