"""Kubernetes objects: the containers of pods, the services in front of them (API reference: PodSpec, Container, Lifecycle)."""

from __future__ import annotations

import re

from shutdown_lint.deployment import kustomize, template
from shutdown_lint.deployment.compose import span_of
from shutdown_lint.deployment.facts import BrokenError, Command, Note, Setting, Unit
from shutdown_lint.deployment.yaml import Node, documents

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Service")
_IS_ONE = re.compile(
    rb"^[ \t]*(?:-[ \t]+)?[\"']?kind[\"']?:[ \t]*[\"']?(?:" + "|".join(KINDS).encode() + rb"|List|Kustomization)\b",
    re.MULTILINE,
)
# where the PodSpec of an object is
_PATHS = {"Pod": ("spec",), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec")}
_USUAL = ("spec", "template", "spec")


def concerns(data: bytes) -> bool:
    """Whether a YAML file may hold one of the objects: all others are never parsed."""
    return b"apiVersion" in data and bool(_IS_ONE.search(data))


def read(text: str) -> tuple[Unit, ...]:
    """A unit for each container, and one for each service; ``patch`` units for what a patch of Kustomize says of one.

    Raises ``Note`` for templates.
    """
    if template.is_one(text):
        raise Note("a template (of Helm or the like), which has no values yet")
    roots = documents(text)
    units = tuple(unit for root in roots for node in _objects(root) for unit in _units(node))
    return (*_as_patches(units), *(unit for root in roots for unit in _of_kustomization(root)))


def _as_patches(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """Containers without any image are no object by themselves."""
    pods = [unit for unit in units if unit.kind == "pod"]
    if any(unit.get("image") for unit in pods):
        return units
    return tuple(unit._replace(kind="patch") if unit.kind == "pod" else unit for unit in units)


def _of_kustomization(root: Node) -> list[Unit]:
    kind = root.setting("kind") if root.kind == "mapping" else None
    if kind is None or kind.value != "Kustomization":
        return []
    found: list[Unit] = []
    for text, name in kustomize.texts(root):
        try:
            inner = documents(text)
        except BrokenError:
            continue  # the patch has placeholders, or is a path with a line break
        for patch in inner:
            if patch.kind == "sequence":
                found += kustomize.operations(patch, name, kind)
            else:
                found += [unit._replace(kind="patch", span=kind.span) for unit in _units(patch) if unit.kind == "pod"]
    return found


def _objects(root: Node) -> list[Node]:
    if root.kind != "mapping":
        return []
    items = root.get("items")
    if root.setting("kind") and root.get("kind").value == "List" and items is not None:  # type: ignore[union-attr]  # it is there
        return [item for item in items.items if item.kind == "mapping"]
    return [root]


def _units(node: Node) -> list[Unit]:
    kind = node.setting("kind")
    name = node.setting("metadata", "name")
    if kind is None or kind.value not in KINDS:
        return []
    title = name.value if name is not None else "?"
    if kind.value == "Service":
        selector = node.at("spec", "selector")
        labels = _labels(selector, "selector") if selector is not None else []
        return [Unit("service", title, kind.span, settings=tuple(labels))]
    spec = node.at(*_PATHS.get(kind.value, _USUAL))
    containers = spec.get("containers") if spec is not None else None
    if spec is None:
        return []
    if containers is None:
        grace = spec.setting(kustomize.GRACE)
        return [Unit("pod", f"{title}/", kind.span, settings=((kustomize.GRACE, grace),))] if grace is not None else []
    return [_container(item, kind, title, spec, node) for item in containers.items if item.kind == "mapping"]


def _container(item: Node, kind: Setting, title: str, spec: Node, node: Node) -> Unit:
    settings = [("kind", kind)]
    for word in ("terminationGracePeriodSeconds", "shareProcessNamespace"):
        settings += [(word, found)] if (found := spec.setting(word)) else []
    settings += [("image", found)] if (found := item.setting("image")) else []
    settings += [("stop_signal", found)] if (found := item.setting("lifecycle", "stopSignal")) else []
    settings += _pre_stop(item)
    settings += _environment(item)
    if item.get("readinessProbe") is not None:
        settings.append(("readiness", Setting("yes", item.span)))
    labels = node.at("metadata", "labels") if kind.value == "Pod" else node.at("spec", "template", "metadata", "labels")
    settings += _labels(labels, "label") if labels is not None else []
    name = item.setting("name")
    place = name.span if name is not None else item.span
    return Unit(
        "pod",
        f"{title}/{name.value if name else '?'}",
        place,
        _words(item, "command"),
        _words(item, "args"),
        tuple(settings),
    )


def _pre_stop(item: Node) -> list[tuple[str, Setting]]:
    hook = item.at("lifecycle", "preStop")
    if hook is None:
        return []
    text = " ".join(command.texts()) if (command := hook.at("exec", "command")) is not None else ""
    sleep = hook.setting("sleep", "seconds")
    value = f"sleep {sleep.value}" if sleep is not None else text or "http"
    return [("preStop", Setting(value, sleep.span if sleep else span_of(hook)))]


def _environment(item: Node) -> list[tuple[str, Setting]]:
    node = item.get("env")
    pairs = [(one.setting("name"), one.setting("value")) for one in node.items if one.kind == "mapping"] if node else []
    return [
        ("env", Setting(f"{name.value}={value.value if value else ''}", name.span)) for name, value in pairs if name
    ]


def _labels(node: Node, word: str) -> list[tuple[str, Setting]]:
    return [(word, Setting(f"{key}={value.value}", value.span)) for key, _, value in node.entries()]


def _words(item: Node, key: str) -> Command | None:
    node = item.get(key)
    if node is None or node.kind != "sequence":
        return None
    return Command(node.texts(), span_of(node))
