"""The HTML report: read as HTML, and used in a browser where there is one."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import dom, in_browser
from reporting import EVIL, FULL, LOST, MARKUP, TRACE, finding, hostile, source_view

from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.report import renderer

VOID = {"meta", "input"}
SEVERAL = (
    FULL,
    finding(Span(6, 12, 6, 19), severity="warning", code="SHD103", message="`leave()` is late"),
    finding(fix=Fix("safe", "m", "k"), severity="warning"),
)


class Page(HTMLParser):
    """The elements of a page, checked to be nested rightly: each as tag, attributes, and all text within."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.within: list[int] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.open.append(tag)
            self.within.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.within.pop()

    def handle_data(self, data: str) -> None:
        for index in self.within:
            self.elements[index][2].append(data)

    def texts(self, tag: str, name: str = "") -> list[str]:
        """The texts of all such elements (of a class)."""
        found = (
            text for kind, attributes, text in self.elements if kind == tag and name in (attributes.get("class") or "")
        )
        return [" ".join("".join(text).split()) for text in found]


def html(*findings: Finding, source: str | None = None) -> str:
    return renderer("html")(findings, source_view(source) if source is not None else source_view())


def test_findings_stand_under_their_severity() -> None:
    page = Page(html(*SEVERAL))
    assert page.texts("h2") == ["Errors 1", "Warnings 2"]
    assert page.texts("title") == ["shutdown-lint: 3 findings in 1 file"]
    summaries = page.texts("summary")
    assert summaries[0].startswith("error SHD202 name-of-SHD202 app/worker.py:3:9")
    assert "safe fix" in summaries[2]
    assert page.texts("option") == ["All rules", "SHD103 name-of-SHD103", "SHD202 name-of-SHD202"]
    assert Page(html()).texts("p", "nothing")[0] == "No findings."


def test_path_and_loss_are_drawn() -> None:
    page = Page(html(FULL))
    items = [f"{step.text} {step.path}:{step.line}".replace("`", "") for step in (*TRACE, *LOST)]
    assert page.texts("li") == items
    assert page.texts("li", "here") == [items[1]]
    elsewhere = Page(html(FULL._replace(span=Span(1, 1, 1, 2))))
    assert elsewhere.texts("li", "here") == ["the finding app/worker.py:1"]


def test_the_source_is_marked() -> None:
    assert Page(html(FULL)).texts("mark") == ["threading.Thread"]
    assert Page(html(FULL, source="")).texts("pre") == []
    long = Page(html(finding(Span(7, 401, 7, 406))))
    assert long.texts("mark") == ["BAD()"] and max(map(len, long.texts("pre"))) < 1000


@pytest.mark.parametrize("text", [EVIL, MARKUP, "'\"><svg/onload=alert(1)>"])
def test_source_text_cannot_become_markup(text: str) -> None:
    page, plain = Page(html(hostile(text), source=text)), Page(html(hostile("plain"), source="plain"))
    assert {tag for tag, _, _ in page.elements} <= {tag for tag, _, _ in plain.elements} | {"code"}
    assert {name for _, attributes, _ in page.elements for name in attributes if name.startswith("on")} == set()


def test_nothing_but_the_pages_own_script_may_run() -> None:
    text = html(*SEVERAL)
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)"', text)
    for kind in ("script", "style"):
        (own,) = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        assert f"{kind}-src 'sha256-{b64encode(sha256(own.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert re.findall(r"(?:src|href)=\"(?!https://shutdown-lint)", text) == [], "self-contained"


# --- in a browser ----------------------------------------------------------------------------------------------------

USE = """
const type = (id, text) => { const e = document.querySelector(id); e.value = text;
  e.dispatchEvent(new Event(e.tagName === "SELECT" ? "change" : "input")); };
const seen = () => [...document.querySelectorAll("details")].filter((e) => e.offsetParent).length;
const log = [seen()];
type("#search", "flusher mid-cleanup"); log.push(seen());
type("#search", "nowhere"); log.push(seen(), document.querySelector("#none").hidden);
type("#search", ""); type("#rule", "SHD103"); log.push(seen(), document.querySelector("#shown").textContent);
type("#rule", ""); document.querySelector("button.warning").click(); log.push(seen());
document.querySelector("button.warning").click(); log.push(seen());
document.querySelector("#open").click();
log.push([...document.querySelectorAll("details")].some((e) => e.open), document.querySelector("#open").textContent);
log.push(document.documentElement.scrollWidth <= innerWidth);
document.body.innerHTML = "<output>" + JSON.stringify(log) + "</output>";
"""


@in_browser
def test_the_policy_lets_the_page_run(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html(*SEVERAL), encoding="utf-8")
    assert '<button type="button" id="open">Close all</button>' in dom(page)


@in_browser
@pytest.mark.parametrize("width", [480, 1200])
def test_filter_and_search(tmp_path: Path, width: int) -> None:
    page = tmp_path / "report.html"
    text = re.sub("<meta http-equiv=[^>]*>", "", html(*SEVERAL)).replace("</body>", f"<script>{USE}</script></body>")
    page.write_text(text, encoding="utf-8")
    (log,) = re.findall("<output>(.*)</output>", dom(page, f"--window-size={width},900"))
    assert log == '[3,2,0,false,1,"1 of 3 shown",1,3,false,"Open all",true]'
