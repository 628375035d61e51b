"""Hooks of the documentation's site (mkdocs.yml): the pages of the rules in the navigation, and files beside docs/ as pages.

The navigation is read from docs/rules/index.md, which scripts/generate.py writes from the rules.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

INDEX = "rules/index.md"
ROOT_PAGES = {"contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md"}  # page → file beside docs/
FAMILY = re.compile(r"^## (?P<title>.+)$")
RULE = re.compile(r"^\| \[(?P<code>SHD\d{3})\]\((?P<page>SHD\d{3}\.md)\) \| (?P<name>[\w-]+) \|")


def rules_navigation(text: str) -> list[Any]:
    """The index, then a section for each family with its rules."""
    navigation: list[Any] = [INDEX]
    for line in text.splitlines():
        if family := FAMILY.match(line):
            navigation.append({family["title"]: []})
        elif rule := RULE.match(line):
            (section,) = navigation[-1].values()
            section.append({f"{rule['code']} {rule['name']}": f"rules/{rule['page']}"})
    return navigation


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the rules where mkdocs.yml names their index."""
    rules = rules_navigation(Path(config.docs_dir, INDEX).read_text(encoding="utf-8"))
    config.nav = [{"Rules": rules} if entry == {"Rules": INDEX} else entry for entry in config.nav or ()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Some pages stand outside of docs/; as pages of the site, their links start from there."""
    from mkdocs.structure.files import File

    for page, name in ROOT_PAGES.items():
        text = Path(config.docs_dir).with_name(name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text.replace("](docs/", "](")))
    return files
