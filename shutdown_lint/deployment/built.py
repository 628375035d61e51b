"""Which stage of which Dockerfile an image is, by its name: silent where that is not certain.

A name is known where a compose service or skaffold builds it, or where one Dockerfile alone bears it: in its folder
(``src/mailer/Dockerfile`` is ``registry.example.org/mailer:2``) or in its own name (``Dockerfile.mailer``), or it is the only
one of a project whose package or command has the image's name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from shutdown_lint.deployment.facts import DeploymentFile, Unit

_PLAIN = re.compile(r"[-_.]")
_TAG = re.compile(r"(?::[\w.-]+)?(?:@[\w:]+)?\Z")


def repository(image: str) -> str:
    """An image without tag and digest; empty for one that a variable names."""
    return "" if "$" in image or "{" in image else _TAG.sub("", image.strip(), count=1).lower()


def _short(name: str) -> str:
    """The last part of a name, in one spelling."""
    return _PLAIN.sub("", name.rpartition("/")[2].lower())


class Built:
    """The Dockerfiles of a project by the names of their images; ``names`` are those of its packages and commands."""

    def __init__(self, files: Sequence[DeploymentFile], names: Iterable[str]) -> None:
        self._files = {file.absolute: file for file in files if file.kind == "dockerfile"}
        self._names = frozenset(map(_short, names))
        self._said: dict[str, list[Unit | None]] = {}
        for file in files:
            for unit in file.units:
                if unit.kind in ("compose", "artifact") and unit.get("build") and repository(unit.value("image")):
                    self._said.setdefault(repository(unit.value("image")), []).append(self.built(file, unit))

    def built(self, file: DeploymentFile, unit: Unit) -> Unit | None:
        """The stage that a compose service or an artifact of skaffold builds, if the project has it."""
        context = unit.get("build")
        if context is None:
            return None
        folder = os.path.normpath(os.path.join(os.path.dirname(file.absolute), context.value))
        found = self._files.get(os.path.normpath(os.path.join(folder, unit.value("build.dockerfile", "Dockerfile"))))
        if found is None or not found.units:
            return None
        target = unit.value("build.target")
        return next((stage for stage in found.units if stage.name == target), None) if target else found.units[-1]

    def named(self, image: str) -> Unit | None:
        """The stage behind the name of an image."""
        name = repository(image)
        if not name:
            return None
        said = self._said.get(name) or [
            stage for other, stages in self._said.items() if _short(other) == _short(name) for stage in stages
        ]
        if said:
            return said[0] if all(stage is said[0] for stage in said) else None
        return self._by_place(_short(name))

    def _by_place(self, name: str) -> Unit | None:
        bearing = [file for path, file in self._files.items() if name in _names_of(path)]
        if not bearing and len(self._files) == 1 and name in self._names:
            bearing = list(self._files.values())
        return bearing[0].units[-1] if len(bearing) == 1 and bearing[0].units else None


def _names_of(path: str) -> tuple[str, ...]:
    """What a Dockerfile is called by: its folder, and what its own name adds."""
    folder, name = os.path.split(path)
    return (
        _short(os.path.basename(folder)),
        _short(re.sub(r"(?i)^(dockerfile|containerfile)\.|\.dockerfile$", "", name)),
    )
