"""Contents of files that break other linters, and what is to be said of each."""

from __future__ import annotations

from typing import NamedTuple

# one true finding of the default rules: the file that is being written loses its content
HAZARD = "import os\n\n\nwith open('state', 'w') as out:\n    out.write('x')\n    os._exit(1)\n"
LINE = 6


class Case(NamedTuple):
    """Content of ``a.py``, the codes that are expected with their lines, and words of the message."""

    content: bytes
    expected: tuple[tuple[str, int], ...]
    words: str = ""


def case(content: str | bytes, *expected: tuple[str, int], words: str = "") -> Case:
    return Case(content.encode() if isinstance(content, str) else content, expected, words)


FOUND = ("SHD101", LINE)
IN_ONE_LINE = "import os; f = open('a', 'w')\nwith f:\n    os._exit(1)\n"
CASES = {
    # text
    "syntax error": case("def f(:\n    pass\n", ("SHD900", 1), words="syntax error: invalid syntax"),
    "syntax error after a hazard": case(HAZARD + "\ndef g(\n", ("SHD900", 8)),
    "python 2": case("print 'x'\n", ("SHD900", 1), words="Python 2"),
    "python 2 except": case("try:\n    x = `1`\nexcept E, e:\n    raise E, 'x'\n", ("SHD900", 2)),
    "nul byte": case(b"x = 1\x00\nimport os\n", ("SHD900", 1), words="null byte at offset 5"),
    "only nul bytes": case(b"\0" * 4096, ("SHD900", 1), words="null byte at offset 0"),
    "bom": case(b"\xef\xbb\xbf" + HAZARD.encode(), FOUND),
    "bom and another cookie": case(b"\xef\xbb\xbf# coding: latin-1\n", ("SHD902", 1), words="byte order mark"),
    "latin-1 cookie": case(b"# coding: latin-1\ns = '\xe9'; " + IN_ONE_LINE.encode(), ("SHD101", 4)),
    "latin-1 without cookie": case(b"x = 1\ns = '\xe9'\n", ("SHD902", 2), words="0xe9"),
    "unknown cookie": case("# coding: klingon\n", ("SHD902", 1), words="klingon"),
    "rot13 cookie": case("# coding: rot13\nvzcbeg bf\n", ("SHD902", 1), words="rot13"),
    "utf-7 cookie": case(
        "# coding: utf-7\nimport os +ADs- f = open('a', 'w')\nwith f:\n    os._exit(1)\n", ("SHD101", 4)
    ),
    "utf-16": case(HAZARD.encode("utf-16"), ("SHD902", 1), words="UTF-16"),
    "lone surrogate": case(b"s = '\xed\xa0\x80'\n", ("SHD902", 1)),
    "crlf": case(HAZARD.replace("\n", "\r\n"), FOUND),
    "cr": case(HAZARD.replace("\n", "\r"), FOUND),
    "mixed line ends": case("import os\r\n\r\n\rwith open('s', 'w') as out:\n    x = 1\r    os._exit(1)\r\n", FOUND),
    "form feeds": case("import os\n\x0c\n\x0cwith open('s', 'w') as out:\n    os._exit(1)\n", ("SHD101", 4)),
    "line separators in strings": case(
        "import os\ns = 'a\x0b\x1c\x85\u2028\u2029b'\nwith open(s, 'w') as f:\n    os._exit(1)\n", ("SHD101", 4)
    ),
    "no final newline": case(HAZARD.rstrip("\n"), FOUND),
    "backslash at the end": case("x = 1\\", ("SHD900", 1)),
    "comment without newline": case("# nothing"),
    "empty": case(b""),
    "only newlines": case("\n" * 50),
    "only a bom": case(b"\xef\xbb\xbf"),
    "tabs": case("import os\nwith open('s', 'w') as f:\n\tif f:\n\t\tos._exit(1)\n", ("SHD101", 4)),
    "tabs and spaces": case("if 1:\n\tx = 1\n        y = 2\n", ("SHD900", 3)),
    "ctrl-z": case(HAZARD.encode() + b"\x1a", ("SHD900", 7)),
    "bidirectional overrides": case(HAZARD.replace("(1)", "(1)  # \u202e nothing to see \u2066 here"), FOUND),
    "wide characters": case(
        "import os\ns = '👩‍👩‍👧é漢字'; f = open('a', 'w')\nwith f:\n    os._exit(1)\n", ("SHD101", 4)
    ),
    "homoglyph": case(
        "import os as _o\n\u043e\u0455 = object()\nwith open('s', 'w') as f:\n    \u043e\u0455._exit(1)\n"
    ),
    "compatibility letters": case(
        "import os\nwith open('s', 'w') as f:\n    \U0001d428\U0001d42c._exit(1)\n", ("SHD101", 3)
    ),
    "binary": case(bytes(range(256)) * 16, ("SHD900", 1)),
    "elf": case(b"\x7fELF\x02\x01\x01" + b"\0" * 512, ("SHD900", 1)),
    "template": case("import {{ cookiecutter.name }}\n{% if x %}\nx = 1\n{% endif %}\n", ("SHD900", 1)),
    "merge conflict": case("<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\n", ("SHD900", 1), words="merge conflict"),
    "lfs pointer": case("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", ("SHD900", 1)),
    # size and shape
    "20,000 lines": case("x = 1\n" * 19_994 + HAZARD, ("SHD101", 20_000)),
    "a line of 1 MB": case("x = [" + "1, " * 350_000 + "]\n"),
    "a string of 5 MB": case("x = '" + "a" * 5_000_000 + "'\n"),
    "a string of 1 MB of backslashes": case("x = '" + "\\\\" * 500_000 + "'\n"),
    "90 brackets": case("x = " + "(" * 90 + "1" + ")" * 90 + "\n"),
    "1,000 brackets": case(
        "x = " + "(" * 1000 + "1" + ")" * 1000 + "\n", ("SHD900", 1), words="too many nested parentheses"
    ),
    "100,000 brackets": case("import os\nx = " + "(" * 100_000 + "1" + ")" * 100_000 + "\n", ("SHD900", 2)),
    "100,000 brackets beside a hazard": case(HAZARD + "x = " + "[" * 100_000 + "\n", ("SHD903", 7)),
    "99 blocks": case("".join(" " * i + "if 1:\n" for i in range(99)) + " " * 99 + "pass\n"),
    "1,000 blocks": case("".join(" " * i + "if 1:\n" for i in range(1000)) + " " * 1000 + "pass\n", ("SHD900", 101)),
    "sum of 50,000": case("import signal\nx = " + " + ".join(["1"] * 50_000) + "\n", ("SHD903", 2)),
    "call chain of 5,000": case("import signal\nx = a" + ".b()" * 5000 + "\n", ("SHD903", 2), words="links in a chain"),
    "attribute chain of 3,000": case("import signal\nx = a" + ".b" * 3000 + "\n", ("SHD903", 2)),
    "5,000 elifs": case(
        "import signal\nif x == 0:\n    pass\n" + "elif x:\n    pass\n" * 5000, ("SHD903", 2004), words="elif"
    ),
    "5,000 minus signs": case("import signal\nx = " + "-" * 5000 + "1\n", ("SHD903", 2)),
    "5,000 times not": case("import signal\nx = " + "not " * 5000 + "1\n", ("SHD903", 2)),
    "3,000 powers": case("import signal\nx = " + "2**" * 3000 + "1\n", ("SHD903", 2)),
    "2,000 conditions": case("import signal\nx = " + "1 if a else " * 2000 + "1\n", ("SHD903", 2)),
    "3,000 decorators": case("import signal\n" + "@d\n" * 3000 + "def f(): pass\n"),
    "5,000 functions": case(
        "import signal\n" + "".join(f"def f{i}():\n    f{i * 7919 % 5000}()\n" for i in range(5000))
    ),
    "nested patterns": case("import signal\nmatch x:\n    case " + "[" * 40 + "]" * 40 + ": pass\n"),
    "300 findings": case(
        "import os\n" + "def f():\n    with open('s', 'w'):\n        os._exit(1)\n" * 300,
        *(("SHD101", 3 * n + 4) for n in range(300)),
    ),
    "bait for suppressions": case(
        "x = 1  # noqa: " + "A1," * 20_000 + "!\n# " + "noqa " * 20_000 + "\n#" + " " * 100_000 + "noqa SHD\n"
    ),
    "import of itself": case("from a import *\nfrom .a import *\nimport a\nimport signal\na.a.a.f()\n"),
    "huge integer": case("import signal\nx = " + "9" * 10_000 + "\n"),
    # syntax of other versions
    "except star": case("import signal\ntry:\n    f()\nexcept* ValueError:\n    pass\n"),
    "match": case(
        "import os\nmatch = 1\nwith open('s', 'w'):\n  match f:\n    case [1, *_] if match:\n        os._exit(1)\n",
        FOUND,
    ),
    "generics": case(
        "import os\ntype A[T] = T\nclass C[*Ts, **P]: ...\ndef f[T: int]():\n  with open('s', 'w'):\n    os._exit(1)\n",
        FOUND,
    ),
    "quotes in f-string fields": case("import signal\nx = f\"{'\\n'.join(a[\"b\"])}\"\ny = f'''{\n  a  # c\n}'''\n"),
    "type comments": case("x = []  # type: List[\ndef f(a):  # type: (int -> \n    pass\n"),
    "await outside": case("import signal\nawait f()\nreturn 1\nyield 2\n"),
    "errors of the compiler only": case("nonlocal x\ndef f(a, a):\n    y = 1\n    global y\n"),
}
