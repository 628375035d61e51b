"""Compose files: services with commands, signals and grace periods (Compose Specification, "Services top-level element")."""

from __future__ import annotations

import shlex

from shutdown_lint.deployment.facts import Command, Setting, Span, Unit
from shutdown_lint.deployment.yaml import Node, documents

_SCALARS = ("init", "stop_signal", "stop_grace_period", "image", "working_dir")
_DEFAULTS = {"init": "false", "stop_signal": "SIGTERM", "stop_grace_period": "10s"}
RESET, OVERRIDE = "!reset", "!override"  # Compose file reference, "Merge": tags of keys that take nothing over


def read(text: str) -> tuple[Unit, ...]:
    """A unit for each service."""
    found: list[Unit] = []
    for root in documents(text):
        services = root.get("services") if root.kind == "mapping" else None
        for name, key, service in services.entries() if services is not None else ():
            if service.kind == "mapping":
                found.append(_unit(name, key, service))
    return tuple(found)


def _unit(name: str, key: Node, service: Node) -> Unit:
    written = service
    service = _without_resets(service)
    settings = [(word, setting) for word in _SCALARS if (setting := service.setting(word)) is not None]
    settings += [
        (key.value, Setting(_DEFAULTS[key.value], value.span))
        for key, value in written.pairs
        if value.tag == RESET and key.value in _DEFAULTS
    ]
    settings += [
        ("reset", Setting("env" if word == "environment" else word, key.span))
        for word, key, value in written.entries()
        if value.tag in (RESET, OVERRIDE)
    ]
    build = service.get("build")
    if build is not None and build.kind == "scalar":
        settings.append(("build", Setting(build.value, build.span)))
    elif build is not None:
        context = build.setting("context") or Setting(".", build.span)
        settings.append(("build", context))
        settings += [(f"build.{word}", s) for word in ("dockerfile", "target") if (s := build.setting(word))]
    pid1 = service.get("pid")
    if pid1 is not None:
        settings.append(("pid", Setting(pid1.value, pid1.span)))
    settings += [*_extends(service), *environment(service.get("environment"))]
    return Unit("compose", name, key.span, command(service, "entrypoint"), command(service, "command"), tuple(settings))


def _without_resets(service: Node) -> Node:
    """The service without the keys that a tag takes away."""
    if not any(value.tag == RESET for _, value in service.pairs):
        return service
    found = Node(service.kind, service.span)
    found.pairs = [(key, value) for key, value in service.pairs if value.tag != RESET]
    return found


def _extends(service: Node) -> list[tuple[str, Setting]]:
    """The service that this one takes over from, and its file if that is another one."""
    node = service.get("extends")
    if node is None:
        return []
    if node.kind == "scalar":
        return [("extends", Setting(node.value, node.span))]
    pairs = (("extends", node.setting("service")), ("extends.file", node.setting("file")))
    return [(key, found) for key, found in pairs if found is not None]


def environment(node: Node | None) -> list[tuple[str, Setting]]:
    """Variables, given as a mapping or as a list of ``NAME=value``."""
    if node is None:
        return []
    given = [f"{key}={value.value}" for key, _, value in node.entries()] if node.kind == "mapping" else node.texts()
    return [("env", Setting(text, node.span)) for text in given]


def command(service: Node, key: str) -> Command | None:
    """``command`` or ``entrypoint``: a list, or a line that is split into words (no shell runs it); ``$$`` stands for ``$``."""
    node = service.get(key)
    if node is None or (node.kind == "scalar" and node.plain and node.value in ("", "null", "~")):
        return None
    words = node.texts() if node.kind == "sequence" else split(node.value)
    return Command(tuple(word.replace("$$", "$") for word in words), span_of(node))


def split(text: str) -> tuple[str, ...]:
    """The words of a line, as a shell would have them; those between spaces where its quotes do not match."""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def span_of(node: Node) -> Span:
    """A node's place; of a block, only where it begins."""
    if node.kind == "sequence" and node.items:
        first = node.items[0].span
        return first if node.span.end_line != node.span.line else node.span
    return (
        node.span
        if node.span.line == node.span.end_line
        else Span(node.span.line, node.span.col, node.span.line, node.span.col + 1)
    )
