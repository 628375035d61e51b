"""skaffold.yaml: which image is built from which Dockerfile (skaffold.dev, "skaffold.yaml", build.artifacts)."""

from __future__ import annotations

from shutdown_lint.deployment.facts import Setting, Unit
from shutdown_lint.deployment.yaml import Node, documents


def read(text: str) -> tuple[Unit, ...]:
    """A unit for each artifact."""
    found = []
    for root in documents(text):
        artifacts = root.at("build", "artifacts") if root.kind == "mapping" else None
        found += [_unit(item) for item in artifacts.items if item.kind == "mapping"] if artifacts is not None else []
    return tuple(unit for unit in found if unit is not None)


def _unit(item: Node) -> Unit | None:
    image = item.setting("image")
    if image is None:
        return None
    settings = [("image", image), ("build", item.setting("context") or Setting(".", image.span))]
    for word in ("dockerfile", "target"):
        settings += [(f"build.{word}", found)] if (found := item.setting("docker", word)) else []
    return Unit("artifact", image.value, image.span, settings=tuple(settings))
