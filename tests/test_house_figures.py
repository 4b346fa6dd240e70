"""What the house is measured by: how much of it says nothing of what a thing is, and how long its files are."""

from __future__ import annotations

import ast

from tests.test_architecture import ROOT, python_files

PRODUCT = ("contract", "rules", "drivers", "config", "gateway", "hub", "web")
"""What serves in the field; the simulators stand for it."""

LONG = 400
"""Lines that a file should have at the most."""


def test_little_is_said_to_be_anything() -> None:
    lines = {
        (path, node.lineno)
        for package in PRODUCT
        for path in python_files(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id == "Any"
    }
    assert len(lines) <= 120, f"{len(lines)} lines say Any"


def test_few_files_are_long() -> None:
    long = [
        str(path.relative_to(ROOT))
        for package in (*PRODUCT, "simulators", "deploy")
        for path in python_files(package)
        if len(path.read_text().splitlines()) > LONG
    ]
    assert len(long) <= 3, f"files of more than {LONG} lines: {long}"
