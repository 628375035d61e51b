"""Patches of Kustomize: what they change of a Pod, so far as that takes a hazard away.

Kustomize reference, "patches" and "patchesStrategicMerge": a patch names an object by kind and name, its containers by name; it
stands in a file of its own or in the kustomization, as a part of the object or as operations of JSON Patch (RFC 6902). Which
overlay is applied is not known: a base is judged with what any overlay of the project adds to it, and never for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shutdown_lint.deployment.durations import seconds
from shutdown_lint.deployment.facts import DeploymentFile, Setting, Unit
from shutdown_lint.deployment.yaml import Node

GRACE = "terminationGracePeriodSeconds"
PATCHED = "patched."  # before the name of a setting that only a patch has


def texts(kustomization: Node) -> Iterator[tuple[str, str]]:
    """The patches that stand in a kustomization, each with the name of the object that it is for, if that is said beside it."""
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        given = kustomization.get(key)
        for item in given.items if given is not None and given.kind == "sequence" else ():
            patch = item.get("patch") if item.kind == "mapping" else item
            target = item.setting("target", "name") if item.kind == "mapping" else None
            if patch is not None and patch.kind == "scalar" and "\n" in patch.value:
                yield patch.value, target.value if target is not None else ""


def operations(root: Node, name: str, place: Setting) -> Iterator[Unit]:
    """What the operations of a JSON patch set of a Pod: its grace period, a hook of one of its containers."""
    for item in root.items:
        path = item.setting("path") if item.kind == "mapping" else None
        value = item.setting("value") if item.kind == "mapping" else None
        if path is not None and path.value.endswith(f"/{GRACE}") and value is not None:
            yield Unit("patch", f"{name}/", place.span, settings=((GRACE, Setting(value.value, place.span)),))
        elif path is not None and "/lifecycle" in path.value:
            yield Unit("patch", f"{name}/", place.span, settings=(("preStop", Setting("", place.span)),))


def patched(files: Iterable[DeploymentFile]) -> tuple[DeploymentFile, ...]:
    """The files, their containers with what patches add."""
    given = tuple(files)
    patches = [unit for file in given for unit in file.units if unit.kind == "patch"]
    if not patches:
        return given
    return tuple(file._replace(units=tuple(_with(unit, patches) for unit in file.units)) for file in given)


def _with(unit: Unit, patches: Iterable[Unit]) -> Unit:
    if unit.kind != "pod":
        return unit
    found = unit
    for patch in patches:
        if patch.name in (unit.name, f"{unit.name.partition('/')[0]}/"):
            more = [(f"{PATCHED}{key}", Setting(s.value, unit.span)) for key, s in patch.settings if key == "preStop"]
            longer = patch.get(GRACE)
            if longer is not None and _is_longer(longer, found.get(GRACE)):
                more.append((GRACE, Setting(longer.value, unit.span)))
            found = found._replace(settings=(*found.settings, *more))
    return found


def _is_longer(found: Setting, own: Setting | None) -> bool:
    """Whether it is more than the own period, or than that of Kubernetes."""
    value, other = seconds(found.value), seconds(own.value) if own is not None else 30.0
    return value is not None and other is not None and value > other
