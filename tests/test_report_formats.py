"""The formats that other programs read, each held to its schema or read by a program that is not ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings, strategies as st
from junitparser import Error, Failure, JUnitXml
from markdown_it import MarkdownIt
from reporting import EVIL, FULL, LOST, MARKUP, TRACE, finding, hostile, source_view

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit, Finding, Fix
from shutdown_lint.options import OUTPUT_FORMATS
from shutdown_lint.report import FORMATS, View, renderer
from shutdown_lint.report.fingerprints import fingerprints
from shutdown_lint.report.view import lines_of

DATA = Path(__file__).parent / "data"
FIXED = finding(code="SHD910", fix=Fix("unsafe", "Join it", "shd202"), severity="info", message="m\tn")
VIEW = source_view()._replace(edits={FIXED: (Edit(Span(3, 1, 4, 2), "z\n"),)})
TROUBLE = finding(Span(1, 1, 1, 1), code="SHD900", message="invalid syntax", path="broken.py")
SEVERAL = (FULL, FIXED, finding(Span(6, 12, 6, 19), severity="warning"), TROUBLE)


def rendered(name: str, *findings: Finding, view: View = VIEW) -> str:
    return renderer(name)(findings, view)


def held_to(schema: str, text: str) -> Any:
    """The text as JSON, valid by the schema."""
    data = json.loads(text)
    jsonschema.validate(data, json.loads((DATA / schema).read_text()), jsonschema.Draft4Validator)
    return data


# --- SARIF -----------------------------------------------------------------------------------------------------------


def sarif(*findings: Finding, view: View = VIEW) -> dict[str, Any]:
    (run,) = held_to("sarif-schema-2.1.0.json", rendered("sarif", *findings, view=view))["runs"]
    return dict(run)


@pytest.mark.parametrize("findings", [(), SEVERAL, (hostile(EVIL), hostile(MARKUP))])
def test_sarif_is_valid(findings: tuple[Finding, ...]) -> None:
    assert len(sarif(*findings)["results"]) == len(findings)


def test_sarif_shows_path_and_loss() -> None:
    (result,) = sarif(FULL)["results"]
    (flow,) = result["codeFlows"][0]["threadFlows"]
    texts = [step["location"]["message"]["text"] for step in flow["locations"]]
    assert texts == [step.text for step in TRACE]
    related = [(place["message"]["text"], place["physicalLocation"]["region"]) for place in result["relatedLocations"]]
    assert related == [(f"lost: {step.text}", {"startLine": step.line, "startColumn": step.column}) for step in LOST]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "app/worker.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 3, "startColumn": 9, "endLine": 3, "endColumn": 25}


def test_sarif_levels_and_fixes() -> None:
    results = sarif(*SEVERAL)["results"]
    assert [result["level"] for result in results[:3]] == ["error", "note", "warning"]
    (fix,) = results[1]["fixes"]
    (change,) = fix["artifactChanges"]
    assert fix["description"]["text"] == "Join it (unsafe)"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 2},
            "insertedContent": {"text": "z\n"},
        }
    ]
    assert "fixes" not in results[0]


def test_sarif_describes_the_rules_it_uses() -> None:
    run = sarif(*SEVERAL)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["SHD202", "SHD900", "SHD910"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [f.code for f in SEVERAL]
    assert rules[0]["name"] == "DaemonCleanupLost"
    assert "## Why it matters" in rules[0]["help"]["markdown"]
    assert rules[0]["helpUri"] == FULL.url


def test_sarif_tells_a_run_that_could_not_read_everything() -> None:
    assert sarif(TROUBLE)["invocations"] == [{"executionSuccessful": False}]
    assert sarif(FULL)["invocations"] == [{"executionSuccessful": True}]


def test_sarif_paths_are_uris(tmp_path: Path) -> None:
    view = VIEW._replace(base=str(tmp_path))
    inside, outside = finding(path=str(tmp_path / "a b#é\udcff.py")), finding(path="/else where.py")
    places = [
        r["locations"][0]["physicalLocation"]["artifactLocation"] for r in sarif(inside, outside, view=view)["results"]
    ]
    assert places == [
        {"uri": "a%20b%23%C3%A9%FF.py", "uriBaseId": "%SRCROOT%"},
        {"uri": "file:///else%20where.py"},
    ]


def test_sarif_messages_hold_no_links() -> None:
    (result,) = sarif(finding(message="calls `x[0](1)`"))["results"]
    assert "](" not in result["message"]["text"]


# --- fingerprints ----------------------------------------------------------------------------------------------------

BEFORE = """\
class Spool:
    def close(self):
        os._exit(1)

    async def stop(self):
        os._exit(1)
        os._exit(1)


def close():
    os._exit(
        1,
    )
"""
AFTER = """\
import os  # new

# a comment
class Spool:
    \"\"\"
def close():
    \"\"\"

    def close(self):
        other()

        os._exit(1)  # noqa: SHD101

    async def stop(self):
        # why
        os._exit(
            1,
        )
        os._exit( 1)


def close():
    os._exit(
        1,  # a reason
    )
"""


def prints(source: str, *lines: int, **changes: Any) -> list[str]:
    findings = [finding(Span(line, 9, line, 20), **changes) for line in lines]
    return list(fingerprints(findings, lambda _path: lines_of(source), "").values())


def test_fingerprints_survive_moved_lines_comments_and_white_space() -> None:
    before, after = prints(BEFORE, 3, 6, 7, 11), prints(AFTER, 12, 16, 19, 23)
    assert before == after
    assert prints(BEFORE, 11) == prints(BEFORE, 12) == prints(BEFORE.replace("\n", "\r\n"), 13), "the whole statement"


def test_fingerprints_tell_places_apart() -> None:
    found = prints(BEFORE, 3, 6, 7, 11)
    assert len(set(found)) == 4, "other definition, or the same statement again"
    assert prints(BEFORE, 3) != prints(BEFORE, 3, code="SHD103")
    assert prints(BEFORE, 3) != prints(BEFORE, 3, path="app/other.py")
    assert prints(BEFORE, 3) == prints(BEFORE, 3, message="now with a line number: 17")
    assert prints(BEFORE, 3) != prints(BEFORE.replace("_exit(1)", "_exit(2)"), 3)


def test_fingerprints_of_other_files_are_those_of_lines() -> None:
    text = 'services:\n  web:  # don\'t\n    stop_grace_period: 1s\n    args: ["""\n    stop_grace_period: 1s\n'
    before = prints(text, 3, 5, path="compose.yaml")
    assert len(set(before)) == 2
    assert prints("# new\n" + text, 4, 6, path="compose.yaml") == before
    assert prints(text.replace("1s", "2s"), 3, path="compose.yaml")[0] != before[0]


def test_fingerprints_need_no_readable_file() -> None:
    assert fingerprints([FULL, TROUBLE], lambda _path: None, "").keys() == {FULL, TROUBLE}
    assert len(prints("", 1, 99)) == 2
    assert len(prints("f'{(x:{y}}' '''\n\\", 1, 2)) == 2


# --- GitHub, GitLab, Azure, JUnit, reviewdog -------------------------------------------------------------------------


def test_github_commands() -> None:
    several = finding(Span(3, 9, 5, 2), severity="info", path="a,b:c%.py", message="50% `x`")
    assert rendered("github", FULL, several).splitlines() == [
        "::error title=shutdown-lint SHD202 (name-of-SHD202),file=app/worker.py,line=3,endLine=3,col=9,endColumn=24"
        "::daemon thread `flusher` is killed mid-cleanup at exit"
        "%0Alost: `with open(path)` in flush (app/spool.py:41), `db.commit()` (app/spool.py:57)"
        "%0Apath: `main` returns (app/main.py:20) → daemon threads are killed (app/worker.py:3)"
        "%0Ahelp: keep the thread and join it",
        "::notice title=shutdown-lint SHD202 (name-of-SHD202),file=a%2Cb%3Ac%25.py,line=3,endLine=5"
        "::50%25 `x`%0Ahelp: keep the thread and join it",
    ]


def test_azure_commands() -> None:
    odd = finding(path="a;b].py", message="50% `x`", severity="info", help="")
    assert rendered("azure", odd) == (
        "##vso[task.logissue type=warning;sourcepath=a%3Bb%5D.py;linenumber=3;columnnumber=9;code=SHD202;]50%AZP25 `x`\n"
    )


@pytest.mark.parametrize("name", ["github", "azure"])
@pytest.mark.parametrize("text", [EVIL, MARKUP])
def test_source_text_makes_no_further_command(name: str, text: str) -> None:
    lines = rendered(name, hostile(text), FULL).split("\n")
    assert len(lines) == 3 and all(line.startswith(("::error ", "##vso[task.logissue ")) for line in lines[:2])
    assert re.findall(r"[^\n\x20-\x7e→]", "\n".join(lines)) == []


def as_the_runner_reads(line: str) -> tuple[str, dict[str, str], str]:
    """Command, properties and message (actions/runner, src/Runner.Common/ActionCommand.cs, ``TryParseV2``)."""

    def plain(text: str, escapes: str) -> str:
        for code in escapes.split():
            text = text.replace(code, chr(int(code[1:], 16)))
        return text.replace("%25", "%")

    assert line.startswith("::")
    head, _, data = line[2:].partition("::")
    command, _, given = head.partition(" ")
    pairs = [pair.split("=", 1) for pair in given.split(",") if pair]
    return command, {name: plain(value, "%0D %0A %3A %2C") for name, value in pairs}, plain(data, "%0D %0A")


def as_the_agent_reads(line: str) -> tuple[str, dict[str, str], str]:
    """The same of Azure's (microsoft/azure-pipelines-task-lib, node/taskcommand.ts, ``commandFromString``)."""

    def plain(text: str, escapes: str) -> str:
        for code in escapes.split():
            text = text.replace(code, chr(int(code[1:], 16)))
        return text.replace("%AZP25", "%")

    assert line.startswith("##vso[")
    head, _, data = line[len("##vso[") :].partition("]")
    command, _, given = head.partition(" ")
    pairs = [pair.split("=", 1) for pair in given.strip().split(";") if pair]
    return command, {name: plain(value, "%0D %0A %3B %5D") for name, value in pairs}, plain(data, "%0D %0A")


PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)


@given(PRINTABLE, PRINTABLE)
@settings(deadline=None, max_examples=60)
def test_commands_are_read_as_they_were_meant(name: str, message: str) -> None:
    """Whatever stands in a file's name or a message: the consumer's own way of reading gives it back."""
    told = finding(path=f"/{name}.py", message=message, help="", lost=(), trace=())
    command, properties, text = as_the_runner_reads(rendered("github", told)[:-1])
    assert (command, properties["line"], text) == ("error", "3", message)
    assert properties["file"].endswith(f"{name.rpartition('/')[2]}.py")
    assert set(properties) <= {"title", "file", "line", "endLine", "col", "endColumn"}
    command, properties, text = as_the_agent_reads(rendered("azure", told)[:-1])
    assert (command, properties["code"], text) == ("task.logissue", "SHD202", message)
    assert set(properties) == {"type", "sourcepath", "linenumber", "columnnumber", "code"}


def test_gitlab_reports_have_what_gitlab_asks_for() -> None:
    rows = json.loads(rendered("gitlab", *SEVERAL, FULL._replace(span=Span(3, 30, 3, 31))))
    keys = {"description", "check_name", "fingerprint", "severity", "location"}
    assert all(keys <= row.keys() for row in rows)
    assert {row["severity"] for row in rows} <= {"info", "minor", "major", "critical", "blocker"}
    assert len({row["fingerprint"] for row in rows}) == len(rows), "GitLab shows one of those that have the same"
    assert rows[0]["location"] == {"path": "app/worker.py", "lines": {"begin": 3, "end": 3}}


def junit(*findings: Finding) -> list[Any]:
    return list(JUnitXml.fromstring(rendered("junit", *findings).encode()))


def test_junit_counts_findings_and_troubles() -> None:
    document = JUnitXml.fromstring(rendered("junit", *SEVERAL).encode())
    assert (document.tests, document.failures, document.errors) == (4, 3, 1)
    worker, broken = junit(*SEVERAL)
    assert (worker.name, worker.tests, broken.errors) == ("app/worker.py", 3, 1)
    (failure,) = next(iter(worker)).result
    assert isinstance(failure, Failure) and failure.message == FULL.message
    assert "lost: `with open(path)` in flush (app/spool.py:41)" in failure.text
    assert isinstance(next(iter(broken)).result[0], Error)


def test_junit_without_findings_is_a_test_that_passes() -> None:
    (suite,) = junit()
    assert [case.is_passed for case in suite] == [True]


@pytest.mark.parametrize("text", [EVIL, MARKUP, "\ufffe\uffff"])
def test_junit_stays_well_formed(text: str) -> None:
    ((case,),) = junit(hostile(text))
    assert len(case.result) == 1


@given(st.text(st.characters(), max_size=40))
@settings(deadline=None, max_examples=30)
def test_any_text_leaves_every_format_whole(text: str) -> None:
    evil = hostile(text)
    sarif(evil)
    held_to("reviewdog-DiagnosticResult.json", rendered("rdjson", evil))
    assert len(json.loads(rendered("gitlab", evil))) == 1
    assert len(list(junit(evil)[0])) == 1
    for name in ("github", "azure"):
        assert rendered(name, evil).count("\n") == 1


@pytest.mark.parametrize("findings", [(), SEVERAL, (hostile(EVIL), hostile(MARKUP))])
def test_rdjson_is_valid(findings: tuple[Finding, ...]) -> None:
    data = held_to("reviewdog-DiagnosticResult.json", rendered("rdjson", *findings))
    assert len(data["diagnostics"]) == len(findings)


def test_rdjson_counts_bytes_and_suggests_fixes() -> None:
    rows = json.loads(rendered("rdjson", *SEVERAL))["diagnostics"]
    assert rows[2]["location"]["range"]["start"] == {"line": 6, "column": len('名前 = "値" + '.encode()) + 1}
    (suggestion,) = rows[1]["suggestions"]
    assert suggestion["text"] == "z\n" and suggestion["range"]["end"] == {"line": 4, "column": 2}
    assert rows[0]["related_locations"][0]["message"] == "lost: `with open(path)` in flush"
    assert [row["severity"] for row in rows[:3]] == ["ERROR", "INFO", "WARNING"]


@pytest.mark.parametrize("findings", [(), SEVERAL, (hostile(EVIL), hostile(MARKUP), TROUBLE)])
def test_json_is_as_its_schema_says(findings: tuple[Finding, ...]) -> None:
    schema = json.loads((DATA.parent.parent / "docs/findings.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    rows = json.loads(rendered("json", *findings))
    jsonschema.validate(rows, schema, jsonschema.Draft202012Validator)
    assert len(rows) == len(findings)
    for row in rows:  # and it allows nothing else
        row.pop("tier")
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(rows, schema, jsonschema.Draft202012Validator)


def test_jsonl_has_the_rows_of_json() -> None:
    rows = [json.loads(line) for line in rendered("jsonl", *SEVERAL).splitlines()]
    assert rows == json.loads(rendered("json", *SEVERAL))


# --- for people ------------------------------------------------------------------------------------------------------


def test_grouped_names_a_file_once() -> None:
    first, second = finding(help=""), finding(Span(12, 1, 12, 2), message="m")
    assert rendered("grouped", first, second, finding(path="b.py")).splitlines() == [
        "app/worker.py:",
        "   3:9  SHD202 [error] daemon thread `flusher` is killed mid-cleanup at exit",
        "  12:1  SHD202 [error] m",
        "",
        "b.py:",
        "  3:9  SHD202 [error] daemon thread `flusher` is killed mid-cleanup at exit",
        "",
    ]


def tokens(text: str) -> list[Any]:
    parser = MarkdownIt("gfm-like", {"linkify": False})
    return [inner for token in parser.parse(text) for inner in (token, *(token.children or ()))]


def test_markdown_counts_and_links() -> None:
    text = rendered("markdown", *SEVERAL)
    assert text.startswith("## shutdown-lint: 4 findings (2 errors, 1 warning, 1 info)\n")
    links = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert links == [item.url for item in SEVERAL]
    assert "threading.Thread(target=self._flush_loop, daemon=True).start()\n" in [
        token.content for token in tokens(text) if token.type == "fence"
    ]
    assert rendered("markdown") == "## shutdown-lint: no findings\n"


@pytest.mark.parametrize("text", [EVIL, MARKUP, "``", "`a", "# x\n- y", "~~~", "https://e.x www.e.x <b>"])
def test_source_text_cannot_become_markdown(text: str) -> None:
    parsed = tokens(rendered("markdown", hostile(text), view=source_view(text)))
    kinds = {token.type for token in parsed}
    assert not kinds & {"html_block", "image", "s_open", "em_open", "table_open", "hr"}
    assert {token.content for token in parsed if token.type == "html_inline"} <= {"<!-- -->"}
    assert [token.attrs["href"] for token in parsed if token.type == "link_open"] == [FULL.url]
    assert sum(token.type == "heading_open" for token in parsed) == 2
    assert sum(token.type == "strong_open" for token in parsed) == 1, "the severity"


# --- all of them -----------------------------------------------------------------------------------------------------


def test_every_format_is_offered() -> None:
    assert set(FORMATS) - set(OUTPUT_FORMATS) == {"statistics", "statistics_json"}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", [EVIL, MARKUP])
def test_no_format_lets_source_text_act_on_a_terminal(name: str, text: str) -> None:
    out = rendered(name, hostile(text), view=source_view(text))
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]", out) == []


@pytest.mark.parametrize("name", OUTPUT_FORMATS)
def test_a_format_loads_no_other(name: str) -> None:
    program = f"import sys; from shutdown_lint.report import renderer; renderer({name!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    ours = (word.partition("shutdown_lint.report.")[2] for word in done.stdout.split())
    loaded = set(ours) & set(OUTPUT_FORMATS)
    needs = {"full": {"concise"}, "jsonl": {"json"}}
    assert loaded == {name, *needs.get(name, ())}
    heavy = {"libcst", "rich", "jsonschema", "asyncio", "shutdown_lint.project"}
    assert not heavy & set(done.stdout.split())
