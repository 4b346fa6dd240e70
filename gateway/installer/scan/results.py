"""What a search says about products: the ranking with its reasons, and lines for the site file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.installer.scan.found import SHOWN, Found
from gateway.installer.scan.ranking import LIKELY, POSSIBLE, Fit, alike
from gateway.installer.scan.sitelines import lines
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.wording import CONFIDENCE


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


def suggest(screen: Screen, buses: Mapping[str, tuple[Mapping[str, object], Sequence[Found]]]) -> None:
    """Lines for the site file."""
    screen.line("项目配置可以这样写：", "for the site file:", "bold")
    unsure = screen.say("请核对产品", "check which product it is")
    for words in lines({id: (bus, [each.place() for each in found]) for id, (bus, found) in buses.items()}, unsure):
        screen.text("  " + words)
