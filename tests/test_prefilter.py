"""The prefilter asks few questions of a file; it must know what asking all of them would tell."""

from __future__ import annotations

import pickle
from pathlib import Path

from shutdown_lint.models import builtin_models
from shutdown_lint.prefilter import Prefilter, compile_prefilter
from shutdown_lint.rules import registry
from shutdown_lint.triggers import SUPPRESSION_WORDS, Text, Trigger, expand, fires, parts_of, work_words

FIXTURES = Path(__file__).parent / "fixtures"


def _asked_one_by_one(data: bytes, rules: dict[str, tuple[Trigger, ...]]) -> frozenset[str] | None:
    text, models = Text(data), builtin_models()
    found = frozenset(code for code, triggers in rules.items() if fires(triggers, text))
    others = (*map(parts_of, SUPPRESSION_WORDS), *work_words(models))
    return found if found or fires(others, text) else None


def _all_rules() -> tuple[Prefilter, dict[str, tuple[Trigger, ...]]]:
    codes = [entry.code for entry in registry.entries() if entry.triggers and not entry.on_deployment]
    rules = {code: expand(registry.triggers([code]), builtin_models()) for code in codes}
    return compile_prefilter(codes, builtin_models()), rules


def test_what_is_filed_under_words_is_found_as_if_everything_were_asked() -> None:
    prefilter, rules = _all_rules()
    files = sorted(FIXTURES.rglob("*.py"))[::4]
    assert len(files) > 200
    for path in files:
        data = path.read_bytes()
        assert prefilter.codes(data) == _asked_one_by_one(data, rules), path


def test_words_in_pieces_and_odd_bytes() -> None:
    prefilter, rules = _all_rules()
    whole = b"import threading\n\n\ndef go(stop):\n    threading.Thread(target=stop).start()\n    os._exit(1)\n"
    for end in range(len(whole)):
        for data in (whole[:end], whole[end:], whole[:end] + b"\xff\x00" + whole[end:]):
            assert prefilter.codes(data) == _asked_one_by_one(data, rules), data


def test_it_can_be_sent_to_another_process() -> None:
    prefilter, _ = _all_rules()
    data = b"import os\nos._exit(1)\n"
    assert "SHD101" in (prefilter.codes(data) or ())
    assert pickle.loads(pickle.dumps(prefilter)).codes(data) == prefilter.codes(data)  # its own
