"""Two parsers, one result: the positions are those that LibCST's own provider computes, and both lowerings agree."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from shutdown_lint import facts
from shutdown_lint.lower import SyntaxTrouble, lower_module, lower_newer
from shutdown_lint.lower.concrete import module, nodes
from shutdown_lint.lower.concrete.cursor import Cursor

ROOT = Path(__file__).parent.parent
SYNTAX = '''\
#!/usr/bin/env python
"""Everything that has a token of its own."""  # and a comment
from __future__ import (annotations, )
import a, b.c as d ; import e
from . import (f as g,  # one
    h,)
from ...i . j import *
x: int = 1; y = z = 0x1F, 1_0, 00, 1.5e3, 2j, ...;
(k), [l, *m] = n [1:2, ..., :: -3, o] [: p(q)] [r:s()]
del (t), u [0]; assert v(), "w" % w(1)
x += a(); x -= 1; x *= 2; x @= 3; x /= 4; x //= 5; x %= 6; x **= 7; x <<= 8; x >>= 9; x &= 1; x |= 1; x ^= 1
y = not - + ~ a ** (b) @ c(1) // d / e * f % g << h >> i & j ^ k | l
z = a < b <= c() == d != e > f >= g is h is  not i in j not \\
    in k()
w = (yield_, ) if (lambda a, /, b = c(), *, d, **e: a(b)) else (lambda *a: (a())) or b and (c := d(e))
print(f"{a()!r:>{b(1)}} {{}} {c(f'{d()}') = }" "x" 'y' r"""z""" if 0 else b'b', *a, b=c, **d)
s = {*a, b()}; t = {**a, "b": c(), 'd' : e, }; u = [a() for a, b in c(d) if e() if f for g in h]
v = {a: b() for a in b}; w = {a() for a in b}; x = (((a()))).b(c(  # comment (
    d , ) , "text # no comment"
) (e) ; y = sum(a for a in b())
global_ = print

@ a . b (c)
# between
@d
class  E [T: (int, f()), *Ts, **P] (*h, F, metaclass = G(), **i): j: k() ; l = 1

class Empty ( ) : """Nothing."""

async  def f (a: b, /, c: d() = e(), * args: f, g, h = 1, ** kwargs : i) -> j() :
    """Text."""
    global k, l
    async  with a() as b, c: await d()
    with (a() as (b, c), (d), e(),): pass
    with (a), b: pass
    async for x, y in await z(): break
    else : continue_()
    while (yield): continue
    else: return
    await (a()); return [b async for b in c() if await d]
    def g():
        nonlocal c
        x = yield a(); yield from b(); yield
        raise c() from d (e)
        raise
    return lambda: (yield)

if a() : b()
elif c :
    d()

  # a comment at another depth
elif (e): f(); g() ;
else: h()
try : a()
except ( B , C ) as d : e()
except: f()
else: g()
finally : h()
try: a()
except * B: c()
for a in b, : c()
type X [T] = list[T]
match a (b), c:
    case {"a": [b, *_], **rest} if d(): e()
    case F(g, h = I.j | -1 | "k" as l) | (None): m()
    case [n, (o)], *p: q()
    case (r, ) | _: s()
'''
KINDS: dict[str, tuple[type, ...]] = {
    "Call": (facts.Call,),
    "Await": (facts.Await,),
    "Lambda": (facts.Lambda,),
    "Assign AnnAssign AugAssign TypeAlias": (facts.Assign,),
    "If": (facts.If,),
    "While": (facts.While,),
    "For": (facts.For,),
    "With": (facts.With,),
    "Try TryStar": (facts.Try,),
    "ExceptHandler ExceptStarHandler": (facts.Handler,),
    "Match": (facts.Match,),
    "FunctionDef": (facts.FunctionDef,),
    "ClassDef": (facts.ClassDef,),
    "Import ImportFrom": (facts.Import,),
    "Raise": (facts.Raise,),
    "Return": (facts.Return,),
    "Del": (facts.Delete,),
    "Assert": (facts.Assert,),
    "Expr": (facts.ExprStmt,),
}


def _lowered(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[facts.ModuleFacts, int]:
    """The facts by LibCST's parser, and how many tokens were not where they should be."""
    made: list[Cursor] = []

    def make(text: str) -> Cursor:
        made.append(Cursor(text))
        return made[-1]

    with monkeypatch.context() as patched:
        patched.setattr(module, "Cursor", make)
        found = lower_newer(text, path="m.py", name="m", is_package=False, digest="")
    return found, made[-1].lost


def _records(record: Any) -> Iterator[Any]:
    if isinstance(record, tuple):
        if hasattr(record, "span"):
            yield record
        for part in record:
            yield from _records(part)


def _expected(text: str) -> dict[str, set[facts.Span]]:
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    spans: dict[str, set[facts.Span]] = {}
    for node, at in wrapper.resolve(PositionProvider).items():
        span = facts.Span(at.start.line, at.start.column + 1, at.end.line, at.end.column + 1)
        spans.setdefault(type(node).__name__, set()).add(span)
    return spans


def _check(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, lost = _lowered(text, monkeypatch)
    assert lost == 0
    expected = _expected(text)
    for names, kinds in KINDS.items():
        known = {span for name in names.split() for span in expected.get(name, ())}
        spans = {record.span for record in _records(found) if isinstance(record, kinds)}
        if kinds == (facts.Return,):
            known |= {record.span for record in _records(found) if isinstance(record, facts.Lambda)}
        assert spans <= known, names
    assert {f.span for f in found.functions[1:] if not f.is_lambda} <= expected.get("Name", set())


NEWER = {"[T: (int, f()), *Ts, **P]": "", "type X [T] = list[T]": "pass"} if sys.version_info < (3, 12) else {}
if sys.version_info < (3, 11):
    NEWER.update({"except * B": "except B", "x[*a]": "x[a]"})
ODD = '''\
é = "日本"; x = f("é", g("ü")) ; (ﬁ) = lambda ﬁ: h(ﬁ)  # a ligature is the two letters
class \\
  Ü ( * h(), metaclass = é() ) : "ü" ; j(); k
async \\
   def ﬁ(ü: "é" = f'{g("ü")}', *, é=lambda: (yield) ) -> "ü": pass;
if "é": a(); b();
else: return a(*b, c=1, *d, **e, f=2)
x = ("é" f"{a('é')} " "b" f"""
{b(
  c('ü'))!r:>{d()}}""", u"é" "ü", b"\\xff" b"a", 'b' 'c')
print(f"{a} {b.c} {d[e()]}", f"{f'{g()}'}", rf"\\d{h(1)}{{}}", "\\x41\\N{EN DASH}", f"{(lambda: 1)}")
y = 10 ** 30, 99999999999999999999, 1e400, -1e400, -True, 0o17, 1_0, 0x_ff, 2j, "LONG"
x[a,], x[a, b:c], x[*a], x[(a, b)], a and b and (c and d) and not e, a < b() < c
del (a, b), c; del (d, e)
'''.replace("LONG", "a" * 300)


def _check_agreement(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_libcst, _ = _lowered(text, monkeypatch)
    assert lower_module(text, path="m.py", name="m", is_package=False, digest="") == by_libcst


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_both_parsers_lead_to_the_same_facts(newline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, syntax = ODD, SYNTAX
    for new, old in NEWER.items():
        odd, syntax = odd.replace(new, old), syntax.replace(new, old)
    if newline == "\r":  # LibCST does not know a lone \r behind a backslash
        odd, syntax = odd.replace("\\\n", " "), syntax.replace("\\\n", " ")
    for text in (syntax, odd, "", "a()", "if a: b()", "#", "pass;", "\f\nf()\n"):
        _check_agreement(text.replace("\n", newline), monkeypatch)


def test_both_parsers_agree_on_files(monkeypatch: pytest.MonkeyPatch) -> None:
    fixtures = [path for path in (ROOT / "tests" / "fixtures").rglob("*.py") if "SHD9" not in str(path)]
    for path in sorted([*(ROOT / "shutdown_lint").rglob("*.py"), *fixtures])[::3]:
        _check_agreement(path.read_text(encoding="utf-8"), monkeypatch)


def test_syntax_that_the_running_python_cannot_read() -> None:
    text = "type X[T = int] = f()\ny = t'{g()}'\n"
    found = lower_newer(text, path="m.py", name="m", is_package=False, digest="")
    assert [type(statement).__name__ for statement in found.functions[0].body] == ["Assign", "Assign"]


def test_all_syntax(monkeypatch: pytest.MonkeyPatch) -> None:
    _check(SYNTAX, monkeypatch)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_ends(newline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _check(SYNTAX.replace("\n", newline), monkeypatch)


def test_no_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "a()", "if a: b()", "x = (\n1)", "#", "pass;", "\f\nf()\n"):
        _check(text, monkeypatch)


def test_own_source(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in sorted((ROOT / "shutdown_lint").rglob("*.py"))[::4]:
        _check(path.read_text(encoding="utf-8"), monkeypatch)


def test_nested_quotes_of_3_12(monkeypatch: pytest.MonkeyPatch) -> None:
    _check('x = f"{a["b"]("c")} {\n  d()  # comment\n}" + f\'{e(f\'{f()}\')}\'\n', monkeypatch)


def test_real_nodes_do_as_well() -> None:
    """With a parser that builds its nodes otherwise, the real classes are used: all is the same but the speed."""
    script = """if True:
        import pickle, sys
        from importlib.util import module_from_spec, spec_from_file_location
        spec = spec_from_file_location("shutdown_lint.lower.concrete.nodes", sys.argv[1])
        nodes = sys.modules[spec.name] = module_from_spec(spec)
        spec.loader.exec_module(nodes)
        nodes.cst = nodes._copy()
        from shutdown_lint.lower import lower_newer
        found = lower_newer(sys.stdin.read(), path="m.py", name="m", is_package=False, digest="")
        sys.stdout.buffer.write(pickle.dumps(found))
    """
    done = subprocess.run(
        [sys.executable, "-c", script, nodes.__file__], input=SYNTAX.encode(), stdout=subprocess.PIPE, check=True
    )
    expected = lower_newer(SYNTAX, path="m.py", name="m", is_package=False, digest="")
    assert pickle.loads(done.stdout) == expected


def test_the_real_module_stays_untouched() -> None:
    before = dict(vars(cst))
    lower_newer("f(x)\n", path="m.py", name="m", is_package=False, digest="")
    assert vars(cst) == before
    assert sys.modules["libcst"] is cst
    with pytest.raises(SyntaxTrouble):
        lower_newer("f(\n", path="m.py", name="m", is_package=False, digest="")
    assert sys.modules["libcst"] is cst
    assert isinstance(cst.parse_module("f(x)\n").body[0], cst.SimpleStatementLine)


def test_what_the_parser_may_leave_out_has_a_default() -> None:
    for name, cls in vars(cst).items():
        if not isinstance(cls, type) or not issubclass(cls, cst.CSTNode) or not dataclasses.is_dataclass(cls):
            continue
        for field in dataclasses.fields(cls):
            left_out = field.default is None and not field.name.startswith(("whitespace_", "trailing_", "rpar"))
            if left_out and name not in nodes._DROPPED:
                assert hasattr(nodes._Node(), field.name), f"{name}.{field.name}"


def test_the_parser_comes_without_its_package() -> None:
    script = """if True:
        import sys
        from shutdown_lint.lower.concrete.nodes import cst, parse
        assert type(parse("f(x)\\n").body[0].body[0].value) is cst.Call
        assert "libcst" not in sys.modules
        import libcst
        assert isinstance(libcst.parse_module("f(x)\\n").body[0], libcst.SimpleStatementLine)
        assert type(parse("f(x)\\n").body[0].body[0].value) is cst.Call is not libcst.Call
        assert sys.modules["libcst"] is libcst
    """
    subprocess.run([sys.executable, "-c", script], check=True)
