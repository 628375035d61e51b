"""Which files describe a deployment, by their names alone: nothing is opened or imported to find out."""

from __future__ import annotations

import re

# what a file may be, by its base name
_KINDS = (
    ("script", re.compile(r"(?:.+\.(?:sh|bash)|(?:docker-)?entrypoint)\Z")),
    ("skaffold", re.compile(r"skaffold[\w.-]*\.ya?ml\Z")),
    ("compose", re.compile(r"(?:docker-|podman-)?compose(?:[._-][\w.-]+)?\.ya?ml\Z", re.IGNORECASE)),
    ("kubernetes", re.compile(r".+\.ya?ml\Z", re.IGNORECASE)),
    ("dockerfile", re.compile(r"(?:(?:Dockerfile|Containerfile)(?:[.-](?!dockerignore$)[\w.-]+)?|[\w.-]+\.dockerfile)\Z", re.IGNORECASE)),
    ("systemd", re.compile(r".+\.service\Z")),
    ("supervisor", re.compile(r"supervisord?[\w.-]*\.(?:conf|ini)\Z", re.IGNORECASE)),
    ("settings", re.compile(r"(?:[\w.-]+[._-])?uwsgi[\w.-]*\.ini\Z")),
    ("procfile", re.compile(r"Procfile(?:\.[\w.-]+)?\Z")),
)  # fmt: skip
_FIRST = re.compile(
    r"\.(?:ya?ml|service|conf|ini|sh|bash|dockerfile)\Z|^(?:docker|container|procfile|entry)", re.IGNORECASE
)
_NOT = (
    ".py", ".pyw", ".pyi", ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".mustache", ".md", ".txt", ".rst", ".adoc",
    ".dockerignore", ".png", ".svg", ".jpg", ".gif", ".json", ".html", ".js", ".ts", ".go", ".rb", ".tf",
)  # fmt: skip


def deployment_kind(name: str) -> str:
    """``dockerfile``, ``compose``, ``kubernetes`` (any YAML file), … for the base name of a file; empty for all others."""
    if not _FIRST.search(name) or name.endswith(_NOT):
        return ""
    return next((kind for kind, pattern in _KINDS if pattern.match(name)), "")
