"""The check of the models against the sources of packages, on a wheel made for the purpose."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FILES = {
    "acme/__init__.py": "from acme.core import Engine as Motor\nfrom .core import *\n__all__ = ['Lazy']\n",
    "acme/core.py": """\
import threading
from .base import Base
from elsewhere import Foreign

class Engine(Base):
    def __init__(self, name, *, limit=None):
        self.sink: Sink = Sink()
    def wait(self, a, limit=None): ...
    def halt(self): ...
    close = stop = halt
    @property
    def parts(self) -> "Sink": ...
    async def quench(self): ...
    def later(self) -> "Awaitable[None]": ...

class Sink:
    def drain(self): ...

class Worker(threading.Thread): ...
class Strange(Foreign): ...

def connect(target, *args) -> Engine: ...

shared = Engine("x")
""",
    "acme/base.py": "class Base:\n    def __exit__(self, *exc): ...\n    def shut(self): ...\n",
    "acme/hidden.py": "class Lazy:\n    def go(self): ...\n",
    "acme/fast.so": "",
}


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("verify_models", ROOT / "scripts" / "verify_models.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_models"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["verify_models"]


@pytest.fixture(scope="module")
def checker(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("wheels") / "acme-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    return script.Checker(script.Wheel(path))


@pytest.mark.parametrize(
    "name",
    [
        "acme.core.Engine",
        "acme.Motor.wait",
        "acme.Motor.close",
        "acme.Motor.stop",
        "acme.Motor.shut",
        "acme.Motor.sink.drain",
        "acme.Motor.parts.drain",
        "acme.core.shared.wait",
        "acme.connect.wait",
        "acme.core.Worker.join",
        "acme.Lazy.go",
    ],
)
def test_names_that_are_there(script: ModuleType, checker: Any, name: str) -> None:
    script.check(script.Claim(name), checker)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme.Nothing", "acme has no Nothing"),
        ("acme.Motor.stpo", "Engine has no stpo"),
        ("acme.core.Worker.jion", "Worker has no jion"),
        ("other.Thing", "the package has no module other"),
    ],
)
def test_names_that_are_not_there(script: ModuleType, checker: Any, name: str, expected: str) -> None:
    with pytest.raises(script.Wrong) as caught:
        script.check(script.Claim(name), checker)
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", ["acme.core.Strange.run", "acme.fast.Thing", "acme.core.Foreign"])
def test_what_cannot_be_told_is_not_called_wrong(script: ModuleType, checker: Any, name: str) -> None:
    with pytest.raises(script.Unknown):
        script.check(script.Claim(name), checker)


def test_parameters_and_coroutines(script: ModuleType, checker: Any) -> None:
    def claim(name: str, parameter: str = "", position: int = -1, is_async: bool | None = None) -> str:
        given = ((parameter, position),) if parameter or position >= 0 else ()
        try:
            script.check(script.Claim(name, given, is_async), checker)
        except script.Wrong as error:
            return str(error)
        return ""

    assert claim("acme.Motor.wait", "limit", 1) == ""
    assert claim("acme.Motor.wait", "limit", 0) == "limit is at position 1, not 0"
    assert claim("acme.Motor.wait", "timeout") == "it has no parameter timeout"
    assert claim("acme.Motor.wait", "", 7) == "it takes only 2 positional arguments"
    assert claim("acme.Motor", "name", 0) == ""
    assert claim("acme.connect", "target", 0) == ""
    assert claim("acme.connect", "", 3) == ""
    assert claim("acme.Motor.quench", is_async=True) == ""
    assert claim("acme.Motor.later", is_async=True) == ""
    assert claim("acme.Motor.quench", is_async=False) == "it is a coroutine"
    assert claim("acme.Motor.wait", is_async=True) == "it is not a coroutine"


def test_the_models_of_the_standard_library_hold(script: ModuleType, tmp_path: Path) -> None:
    library = next(library for library in script.libraries() if not library.package)
    held, wrong, _ = script.verify(library, tmp_path)
    assert held > 200 and not wrong
