"""Rooms: each says what it never does, stays small, and has a name that says what."""

from __future__ import annotations

import ast
import re
from itertools import chain
from pathlib import PurePosixPath

LONGEST_FILE, LONGEST_TESTS, LONGEST_FUNCTION = 300, 500, 50
NEVER = re.compile(r"\b(never|no|not|nothing|neither|nor|none|only|without)\b", re.I)
VAGUE = {"util", "utils", "helper", "helpers", "common", "manager", "base", "misc"}
ADJECTIVES = {"new", "old", "real", "enhanced", "improved", "better", "final"}
VERSION = re.compile(r"v\d+")
# A lake is real or simulated: there it is a word of the project, no praise.
NAMED_ANYWAY = {"tests/oracles/real_lake.py"}
BY_PLACE_ANYWAY = {
    "cbi_stream/engine/difference.py: at_cell": "to be mended: `because` by name",
    "cbi_stream/kernels/moments.py: merge": "the one signature of every tree's fold",
    "cbi_stream/kernels/tree.py: merge": "the one signature of every tree's fold",
    "cbi_stream/lake/log.py: changes_between": "two versions, in order of time",
    "cbi_stream/replay/chance.py: fat_tailed": "three draws that may be exchanged",
}
# What stands here is to be mended; a line that is no longer needed fails, too.


def said(module):
    """Return what is wrong with the docstring of a file."""
    text = ast.get_docstring(module.tree) or ""
    lines = [line for line in text.splitlines() if line.strip()]
    sentences = re.findall(r"[.:](?:\s|$)", text)
    if len(lines) < 2 and len(sentences) < 2:
        yield f"{module.path}: expected two sentences: what it is, what it never does"
    elif not NEVER.search(text):
        yield f"{module.path}: its docstring does not say what it never does"


def unsaid(module):
    """Return every public function, method and class without a docstring."""

    def inside(body):
        for node in body:
            kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            if not isinstance(node, kinds) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                yield f"{module.path}:{node.lineno}: {node.name} has no docstring"
            if isinstance(node, ast.ClassDef):
                yield from inside(node.body)

    yield from inside(module.tree.body)


def lengths(module):
    """Return (lines, what) of the file and of each of its functions."""
    yield len(module.text.splitlines()), module.path
    for node in module.functions():
        name = f"{module.path}:{node.lineno}: {node.name}"
        yield node.end_lineno - node.lineno + 1, name


def too_long(module):
    """Return files and functions that are longer than they may be."""
    tests = module.path.startswith(("tests/", "bench/"))
    for lines, what in lengths(module):
        most = LONGEST_TESTS if tests else LONGEST_FILE
        most = most if what == module.path else LONGEST_FUNCTION
        if lines > most:
            yield f"{what}: {lines} lines, at most {most}"


def badly_named(path):
    """Return the words in a file's or folder's name that say nothing."""
    words = set()
    for part in PurePosixPath(path).with_suffix("").parts:
        words |= set(re.split(r"[_\W]+", part.lower()))
    bad = (words & (VAGUE | ADJECTIVES)) | {w for w in words if VERSION.fullmatch(w)}
    return [f"{path}: {word}" for word in sorted(bad)]


def by_place(module):
    """Return public functions whose arguments a reader or a type checker can mix up.

    Two arguments may go by place. So may a third whose type no other one has: a call
    in the wrong order is then an error of types.
    """
    for node in module.functions():
        if node.name.startswith("_") or module.path.startswith("handlers/"):
            continue
        args = [*node.args.posonlyargs, *node.args.args]
        args = [arg for arg in args if arg.arg not in {"self", "cls"}]
        types = [ast.dump(a.annotation) if a.annotation else "?" for a in args]
        if any(types.count(each) > 1 for each in types[2:]):
            names = ", ".join(arg.arg for arg in args)
            yield f"{module.path}: {node.name}: ({names})"


def found(check, modules):
    """Return what a check finds in all modules."""
    return list(chain.from_iterable(check(module) for module in modules))


def test_each_file_says_what_it_is_and_never_does(product):
    """Every file of the product opens with two sentences, one of them a limit."""
    assert found(said, product) == []


def test_everything_public_is_said(product):
    """Every public function, method and class has a docstring."""
    assert found(unsaid, product) == []


def test_nothing_is_too_long(everything):
    """No file over 300 lines (tests: 500), no function over 50."""
    assert found(too_long, everything) == []


def test_names_say_what(everything):
    """No file or folder is named after nothing, or by an adjective."""
    named = [m.path for m in everything if m.path not in NAMED_ANYWAY]
    assert [bad for path in named for bad in badly_named(path)] == []


def test_arguments_have_names(product):
    """No public function takes arguments by place that can be mixed up unseen."""
    places = {line.rpartition(":")[0] for line in found(by_place, product)}
    assert sorted(places - BY_PLACE_ANYWAY.keys()) == []
    assert sorted(BY_PLACE_ANYWAY.keys() - places) == [], "take it off the list"


def test_an_unsaid_file_is_seen(planted):
    """No docstring, one sentence, two without a limit: each is seen."""
    for text in ("", '"""One line."""', '"""It is this.\n\nIt does that."""'):
        assert len(list(said(planted("cbi_stream/lake/x.py", text)))) == 1
    fine = '"""It is this.\n\nIt never does that."""'
    assert not list(said(planted("cbi_stream/lake/x.py", fine)))


def test_an_unsaid_function_is_seen(planted):
    """A public function, class and method are seen; private and inner ones are not."""
    text = (
        "def f(): ...\nclass C:\n    def m(self): ...\ndef _g():\n    def inner(): ..."
    )
    names = [line.split()[1] for line in unsaid(planted("cbi_stream/lake/x.py", text))]
    assert names == ["f", "C", "m"]


def test_too_long_is_seen(planted):
    """A file of 301 lines and a function of 51 are seen, one less is not."""
    assert len(list(too_long(planted("x.py", "x = 1\n" * 301)))) == 1
    body = "def f():\n" + "    x = 1\n" * 50
    assert len(list(too_long(planted("x.py", body)))) == 1
    assert not list(too_long(planted("x.py", body.removesuffix("    x = 1\n"))))


def test_a_bad_name_is_seen():
    """A vague word, an adjective and a version are seen, in files and folders."""
    for path in ("cbi_stream/utils/x.py", "cbi_stream/lake/table_v2.py", "a/new_x.py"):
        assert len(badly_named(path)) == 1
    assert badly_named("cbi_stream/words/news.py") == []


def test_a_third_place_is_seen(planted):
    """A third argument by place of a type seen before is seen; `self` does not count."""
    for text in (
        "def f(a, b, c): ...",
        "def f(lake: Lake, old: int, new: int): ...",
        "class C:\n    def m(self, a: str, b: int, c: str): ...",
    ):
        assert len(list(by_place(planted("cbi_stream/lake/x.py", text)))) == 1, text
    for text in (
        "def f(old: int, new: int, table: Table): ...",
        "def f(old: int, new: int, *, third: int): ...",
        "class C:\n    def m(self, a: str, b: str): ...",
    ):
        assert not list(by_place(planted("cbi_stream/lake/x.py", text))), text
