"""The site builds without a warning, loads nothing from elsewhere, and renders what the pages mean."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from browser import dom, in_browser

from shutdown_lint.findings import DOCS_URL

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from site_hooks import ROOT_PAGES, rules_navigation  # noqa: E402

LOADING = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}
PARAGRAPH = re.compile(r"<p>(?:(?!</p>).)*", re.DOTALL)


class Loads(HTMLParser):
    """What a page makes a browser load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in LOADING and given.get("rel") != "canonical":
            self.found.append(given.get(LOADING[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("site"), offline=True)


def built(folder: Path, offline: bool) -> Path:
    """The site as `./dev docs` builds it, or as it is served."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    env = {**os.environ, "OFFLINE": str(offline).lower(), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages(site: Path) -> dict[str, str]:
    return {page.relative_to(site).as_posix(): page.read_text("utf-8") for page in site.rglob("*.html")}


def test_each_page_of_the_docs_is_a_page_of_the_site(site: Path) -> None:
    expected = {page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for page in ROOT.glob("docs/**/*.md")}
    assert expected <= set(pages(site))


def test_the_served_site_has_the_pages_that_findings_link_to(tmp_path: Path) -> None:
    served = built(tmp_path, offline=False)
    for page in ROOT.glob("docs/rules/SHD*.md"):
        path = DOCS_URL.format(code=page.stem).partition("/stable/")[2]
        assert path.endswith("/")
        assert (served / path / "index.html").exists()
    assert (served / "shutdown-lint.schema.json").exists()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = {name: Loads(text).found for name, text in pages(site).items()}
    assert all(loads.values())
    foreign = {(name, url) for name, urls in loads.items() for url in urls if re.match(r"(?:\w+:)?//", url)}
    assert foreign == set()
    assert not any(re.search(r"@import|url\((?!['\"]?data:)", sheet.read_text()) for sheet in site.glob("*.css"))


def test_lists_and_tables_are_rendered_as_such(site: Path) -> None:
    """Python-Markdown takes a list below a line of text for more text: the pages must leave a line between."""
    broken = {
        (name, match[0][:90])
        for name, text in pages(site).items()
        for match in PARAGRAPH.finditer(text)
        if re.search(r"\n(?:[-*] |\d\. |\|)", match[0])
    }
    assert broken == set()


LOOK = """
addEventListener("load", () => setTimeout(() => {
  const scrolls = (e, width, style) => { for (let p = e.parentElement; p; p = p.parentElement)
    if (/auto|scroll|hidden/.test(style(p).overflowX) && p.getBoundingClientRect().right <= width) return true; };
  const told = [...document.querySelectorAll("iframe")].map((frame) => {
    const own = frame.contentWindow, all = [...own.document.querySelectorAll(".md-content *")], width = own.innerWidth;
    const out = all.filter((e) => e.getBoundingClientRect().right > width + 1)
      .filter((e) => !scrolls(e, width + 1, own.getComputedStyle)).map((e) => e.outerHTML.slice(0, 99));
    return [frame.src, all.length, own.document.documentElement.scrollWidth - width, out.slice(0, 3)]; });
  document.body.innerHTML = "<output>" + btoa(unescape(encodeURIComponent(JSON.stringify(told)))) + "</output>"; }, 1500));
"""
LOOKED_AT = ("index", "from-go", "semantics", "configuration", "comparison", "outputs", "rules/index", "rules/SHD101")


@in_browser
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_hangs_over_the_edge(site: Path, width: int, tmp_path: Path) -> None:
    """No page scrolls sideways, not on a telephone either: what is wide scrolls in place."""
    style = f'style="border: 0; width: {width}px; height: 800px"'
    frames = [f'<iframe src="{(site / name).with_suffix(".html").as_uri()}" {style}></iframe>' for name in LOOKED_AT]
    page = tmp_path / "frames.html"
    page.write_text(f"<body>{''.join(frames)}<script>{LOOK}</script>", "utf-8")
    flags = ("--allow-file-access-from-files", "--virtual-time-budget=20000", "--window-size=1400,900")
    (told,) = re.findall("<output>(.*)</output>", dom(page, *flags))
    seen = json.loads(b64decode(told))
    assert len(seen) == len(LOOKED_AT) and all(elements > 20 for _, elements, _, _ in seen)
    assert [(url, over, out) for url, _, over, out in seen if over > 0 or out] == []


class Lenient(yaml.SafeLoader):
    """Reads mkdocs.yml, whose values may come from the environment."""


Lenient.add_constructor("!ENV", lambda loader, node: None)


def test_each_page_is_in_the_navigation() -> None:
    navigation = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Lenient)["nav"]
    named = set(re.findall(r"[\w/-]+\.md", str(navigation)))
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in ROOT.glob("docs/**/*.md")}
    assert {page for page in pages if not page.startswith("rules/SHD")} | {*ROOT_PAGES} == named


def test_the_navigation_holds_each_rule_in_its_family() -> None:
    index, *families = rules_navigation((ROOT / "docs/rules/index.md").read_text("utf-8"))
    assert index == "rules/index.md"
    placed = {
        page: title for family in families for title, rules in family.items() for r in rules for page in r.values()
    }
    assert set(placed) == {f"rules/{page.name}" for page in ROOT.glob("docs/rules/SHD*.md")}
    assert all(Path(page).stem[3] == title[0] for page, title in placed.items())
