"""``exec`` before the last command of a text, and the words of a text without a shell: real shells are the judges."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from hypothesis import assume, example, given, settings, strategies as st

from shutdown_lint.deployment.replacing import EXEC, offset_of, plain_words, why_not
from shutdown_lint.deployment.shell import commands

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
PRINTF = shutil.which("printf") or "/usr/bin/printf"

# each is whole; what the last command of a script does is seen in its output and exit code
STEPS = st.sampled_from(
    ["A=1", "A='x y'; B=\"$A\"", "export C=3", "set -e", "cd .", "echo one # two", "if true; then echo yes; else echo no; fi",
     "for i in 1 2; do echo $i; done", "f() { echo f; }", "printf() { echo mine; }", "f() ( echo g; )", "case x in x) echo x;; y) ;; esac",
     "cat <<EOF\nprintf here\nEOF", "{ echo group; }", "(echo sub)", "true || false", "echo a | cat", "trap 'echo bye' EXIT",
     "eval 'A=2'", "alias ll=ls", "while false; do :; done", "echo \\\n  more", "# only a comment", "", "false", "sleep 0 &", "set -- p q"]
)  # fmt: skip
LAST = st.sampled_from(
    ["{p} '%s,' a b", "{p} '%s,' \"$A\" \"$@\"", "A=7 {p} '%s,' $A", "{p} x > /dev/null", "> /dev/null {p} y", "{p} '%s' z 2>&1 # end",
     "! {p} n", "time {p} t", "{p} a | cat", "{p} a &", "{p} a; echo after", "{p} a && echo then", "false || {p} o", "true && {p} t",
     "if true; then {p} i; fi", "{{ {p} g; }}", "({p} s)", "for i in 1; do {p} $i; done", "printf w", "command {p} c", "\"$@\"",
     "{p} \\\n '%s' long", "{p} <<EOF\nin\nEOF", "cat <<'EOF' | {p} h\nx\nEOF", "{p} '%d' none", "exec {p} e", "B='a b' C=$A {p} '%s' \"$C\"",
     "$A {p} v", "[ -n x ] && {p} br", "case a in a) {p} c;; esac", "{p} \"$({p} n)\"", "{p} `echo q`"]
)  # fmt: skip

WORDS = st.sampled_from(
    ["a", "'b c'", '"d  e"', "x=1", "-w", "é", "'a\"b'", "''", "a'b'c", "%s", ":8000", "$A", "*", "~", "a;b", "\\x", "{a,b}", "[a]", "a#b", "#c", "!"]
)  # fmt: skip


def _run(command: list[str]) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout


@settings(max_examples=120, deadline=None)
@given(steps=st.lists(STEPS, max_size=4), last=LAST, joint=st.sampled_from(["\n", "\n\n# then\n"]))
@example(["A='x y'"], "A=\"$A\" {p} '%s,' z", "\n")
@example(["set -- -x"], "{p} '%s,' \"$@\"", "\n")
def test_exec_changes_nothing_but_the_process(steps: list[str], last: str, joint: str) -> None:
    text = joint.join((*steps, last.format(p=PRINTF))) + "\n"
    found = commands(text)
    assume(found and not why_not(text, found[-1]))
    start = offset_of(text, found[-1])
    changed = f"{text[:start]}{EXEC}{text[start:]}"
    for shell in SHELLS:
        arguments = ["sh", PRINTF, "%s,", "k"]
        assert _run([shell, "-c", changed, *arguments]) == _run([shell, "-c", text, *arguments])


@pytest.mark.parametrize("last", ["{p} a", "A='x y' B=1 {p} a", "cd . && {p} a > log", 'set -e\n{p} "$A"'])
def test_the_usual_texts_are_no_reason(last: str) -> None:
    text = last.format(p=PRINTF)
    assert why_not(text, commands(text)[-1]) == ""


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=3).map(" ".join))
@example("a 'b  c' \"d\"")
@example('"a\'b"')
def test_the_words_of_a_plain_text_are_those_of_the_shell(arguments: str) -> None:
    text = f"{PRINTF} %s, {arguments}"
    words = plain_words(text)
    assume(words)
    for shell in SHELLS:
        assert _run([shell, "-c", text]) == _run(list(words))


@pytest.mark.parametrize(
    "text", ["", " ", "a; b", "a $b", "A=1 b", "time a", "! a", "if a", "cd /srv", "exec a", "a *", "a ~", "a\nb", "a 'b", "a \\b", "{ a }"]
)  # fmt: skip
def test_other_texts_have_no_words(text: str) -> None:
    assert plain_words(text) == ()
