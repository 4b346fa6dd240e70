"""What is taken as a new password, and what is guessed too soon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.session.password_rule import LONGEST, SHORTEST, TOO_EASY, TOO_SHORT, guesses, password_fault

ABOUT = ("liuyang", "刘洋", "翠湖物业", "Lakeside Property", "demo")

EASY = [
    "            ",
    "aaaaaaaaaaaa",
    "abababababab",
    "123456789012",
    "qwertyuiop123",
    "1qaz2wsx3edc",
    "passwordpassword",
    "P@ssw0rd2024!",
    "Admin@123456789",
    "woaini1314520",
    "zhangwei1990",
    "wangfang@123",
    "gatehouse2026",
    "19900101199001",
    "liuyang-liuyang",
    "Lakeside-Property",
    "翠湖物业翠湖物业翠湖物业",
    "wuyeguanli2026",
    "baoan123456789",
]
GOOD = [
    "correct horse battery",
    "three pears on a roof",
    "kD8f2xQz91Lm",
    "我家门口有两棵枣树还有猫",
    "tianqi hao, chuqu zou",
    "4829 1755 3306",
    "x" + "dlrow olleh " * 3 + "unlike",
]


@pytest.mark.parametrize("password", EASY)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert password_fault(password, ABOUT) == TOO_EASY


@pytest.mark.parametrize("password", GOOD)
def test_what_is_long_and_ones_own_is_taken(password: str) -> None:
    assert password_fault(password, ABOUT) is None


@pytest.mark.parametrize("password", ["", "kD8f2xQz91L", "我家门口有两棵枣树啊"])
def test_what_is_short_is_refused_as_such(password: str) -> None:
    assert password_fault(password, ABOUT) == TOO_SHORT


@given(st.text(min_size=SHORTEST, max_size=60), st.text(max_size=20))
def test_any_text_is_judged_and_more_of_it_is_never_much_easier(password: str, more: str) -> None:
    before = guesses(password, ABOUT)
    assert before >= 0
    assert guesses(password + more, ABOUT) >= before - 3


def test_the_longest_is_judged_in_time_to_sign_in() -> None:
    assert guesses("zhangwei wangguan " * 50, ABOUT) < 20
    assert guesses("a1b2" * (LONGEST // 4), ABOUT) < 30
