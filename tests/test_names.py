"""One word for one thing: names of classes that several rooms share, and why they do."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.test_architecture import PACKAGES, ROOT, python_files

MOST = 2
"""So many files that never meet may call a class the same; what more of them share is a word of the trade, or one
thing that each room has of its own."""

SHARED: dict[str, str] = {
    "Answer": "what comes back: from a camera, from a meter, to a gateway",
    "Ask": "one exchange that is due: a meter's, a Modbus unit's, a search's",
    "Body": "what a request carries: to a server, to a simulator, from a camera",
    "Broker": "an MQTT broker: dialled, served by, prepared",
    "Clear": "what the machines of `rules` say: this alarm ends",
    "Closed": "what the machines of doors and barriers say; a part of a file that takes no unknown word",
    "Command": "what people ask for; what a product's profile takes",
    "Draft": "what nobody has checked yet: of a fact, of a site file, of a device's lines in one",
    "Frame": "each protocol's own frame, by its specification",
    "Limits": "how much at the most: one read's, a product's, a room's",
    "Line": "a serial line or what goes over it: each protocol's owner, its simulator, its secrecy",
    "Manner": "how one maker's devices write what the standard leaves open",
    "Moment": "a point in time: a camera's, a table's, the simulated world's",
    "Opened": "what the machines of doors and barriers say; how a file was found",
    "Output": "something to switch: in a profile, as a form of one, in a site file",
    "Part": "a part of a whole: of a form, of a site file, of the simulated world",
    "Place": "where something stands: a connection, a device in a site file, a journal",
    "Presence": "whether somebody is there: a gateway, the devices of a wire, a camera",
    "Raise": "what the machines of `rules` say: this alarm begins",
    "Reader": "who reads: cards, a block of registers, the journal",
    "Refusals": "what was refused of late, counted so that a babbler fills nothing: by wire, by hub, by gateway",
    "Refused": "each protocol's own no",
}


MEET = {
    "drivers/mqtt/opening.py": "the broker of a site file is what the wire to it is made of",
    "gateway/engine/desk/refusals.py": "a driver's report becomes the fact of the same name",
    "gateway/uplink/uplink.py": "the uplink of a site file is what the uplink is made of",
}
"""Files that need two classes of one name, and why."""


def test_what_many_rooms_call_the_same_is_the_same() -> None:
    files: dict[str, set[str]] = defaultdict(set)
    for package in PACKAGES:
        for path in python_files(package):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not _is_an_answer(node):
                    files[node.name].add(str(path.relative_to(ROOT)))
    shared = {name: sorted(where) for name, where in files.items() if len(where) > MOST}
    assert {name: where for name, where in shared.items() if name not in SHARED} == {}


def _is_an_answer(node: ast.ClassDef) -> bool:
    """What a server answers of a thing is called as the thing."""
    return any(isinstance(base, ast.Name) and base.id == "TypedDict" for base in node.bases)


def test_nobody_meets_two_classes_of_one_name() -> None:
    """A file that needs both has to call one of them something else: then it should be called that everywhere."""
    classes = {
        (".".join(path.relative_to(ROOT).with_suffix("").parts), node.name)
        for package in PACKAGES
        for path in python_files(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    met = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in python_files(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is not None and (node.module, alias.name) in classes
    ]
    assert sorted(met) == sorted(MEET)
