"""All deployment files of a project, and the code that they start."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from shutdown_lint.deployment import commands, servers
from shutdown_lint.deployment.built import Built
from shutdown_lint.deployment.commands import Chain, InScript, Program
from shutdown_lint.deployment.composition import composed
from shutdown_lint.deployment.durations import seconds
from shutdown_lint.deployment.facts import Command, DeploymentFile, Setting, Unit
from shutdown_lint.deployment.images import sh_of
from shutdown_lint.deployment.kustomize import patched
from shutdown_lint.facts import Assign, Const, ModuleFacts, Name
from shutdown_lint.models import Program as Known
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.values import Function
from shutdown_lint.source import SourceFile

MAX_MODULES = 300  # of all linked programs together
_START_NOTHING = ("service", "script", "artifact", "settings", "patch")
_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)([smh]?)\b")
# the platforms' own limits in seconds, by the setting that changes them; docs/deployment.md names the sources
GRACE = {
    "compose": ("stop_grace_period", 10.0),
    "pod": ("terminationGracePeriodSeconds", 30.0),
    "systemd": ("TimeoutStopSec", 90.0),
    "supervisor": ("stopwaitsecs", 10.0),
}
# what each platform calls its stop signal
STOP_SIGNAL = {
    "image": "STOPSIGNAL",
    "compose": "stop_signal",
    "pod": "stop_signal",
    "systemd": "KillSignal",
    "supervisor": "stopsignal",
}


class Start(NamedTuple):
    """What a unit starts: its argument vector after the image's part is put in, the image, the chain to the program."""

    words: tuple[str, ...]
    image: str
    stage: Unit | None
    chain: Chain


class Linked(NamedTuple):
    """A program of the project: the function that it enters by, and the modules that belong to it."""

    entry: Fn
    modules: tuple[ModuleFacts, ...]


class Grace(NamedTuple):
    """How long a platform waits between the signal and SIGKILL, in seconds; ``left`` of it when the program is told.

    ``setting`` is None where it is the platform's default; ``key`` is the name of the setting.
    """

    seconds: float
    left: float
    key: str
    setting: Setting | None


def _copied(path: str, stage: Unit | None) -> str:
    """The base name in the project of a file that an image has by another one; empty where COPY does not tell."""
    pairs = [setting.value.split(" ") for key, setting in stage.settings if key == "copy"] if stage is not None else []
    sources = [pair[0].rpartition("/")[2] for pair in pairs if len(pair) == 2 and pair[1] == path]
    return sources[-1] if sources else ""


class World:
    """Deployment files and code; every answer is remembered."""

    def __init__(self, files: Iterable[DeploymentFile], sources: Sequence[SourceFile], project: Project) -> None:
        self.files, self.project = patched(composed(files)), project
        self.known = project.models.programs
        self._sources = [(source.absolute.replace(os.sep, "/"), source.name) for source in sources if not source.stub]
        self._built = Built(
            self.files, [*dict(project.scripts), *(name.partition(".")[0] for _, name in self._sources)]
        )
        self._scripts: dict[str, list[DeploymentFile]] = {}
        for file in self._all():
            if file.kind == "script":
                name = file.units[0].name if file.units else os.path.basename(file.absolute)
                self._scripts.setdefault(name, []).append(file)
        self.start = cache(self._start)
        self.linked = cache(self._linked)
        self._load()

    def _all(self) -> Iterator[DeploymentFile]:
        """The files, each with the scripts that stand in it."""
        return (part for file in self.files for part in (file, *file.inner))

    def units(self, kind: str) -> Iterator[tuple[DeploymentFile, Unit]]:
        """All units of a kind."""
        return ((file, unit) for file in self.files for unit in file.units if unit.kind == kind)

    # --- what is started -------------------------------------------------------------------------------------------

    def _start(self, file: DeploymentFile, unit: Unit) -> Start:
        stage = self.stage(file, unit)
        first, then = unit.entrypoint, unit.command
        if stage is not None and first is None:
            first, then = stage.entrypoint, then or stage.command
        words = (*(first.words if first else ()), *(then.words if then and not (first and first.shell_form) else ()))
        image = stage.value("image") if stage is not None else unit.value("image")
        return Start(words, image, stage, self._through(commands.resolve(words, self.known), file, unit, stage))

    def _through(self, chain: Chain, file: DeploymentFile, unit: Unit, stage: Unit | None) -> Chain:
        """The chain where its program is an entry script of the project under a name that does not tell."""
        program = chain.program
        if program is None or program.kind != "console" or "/" not in program.words[0]:
            return chain
        path = program.words[0]
        script = self.script(file, path, stage or (unit if unit.kind == "image" else None))
        return chain if script is None else chain._replace(script=path, arguments=program.words[1:], program=None)

    def stage(self, file: DeploymentFile, unit: Unit) -> Unit | None:
        """The stage of a Dockerfile of the project that a compose service or a pod runs, where that is certain."""
        if unit.kind == "compose" and unit.get("build") is not None:
            return self._built.built(file, unit)
        return self._built.named(unit.value("image")) if unit.kind in ("compose", "pod") else None

    def builders(self, file: DeploymentFile, stage: Unit) -> list[tuple[DeploymentFile, Unit]]:
        """The compose services and pods that run this stage."""
        return [
            (other, unit)
            for kind in ("compose", "pod")
            for other, unit in self.units(kind)
            if self.stage(other, unit) is stage
        ]

    def script(self, file: DeploymentFile, path: str, stage: Unit | None = None) -> DeploymentFile | None:
        """The entry script that a command names, by its base name, also before COPY renames it; of several the nearest."""
        name = path.rpartition("/")[2]
        found = self._scripts.get(_copied(path, stage) or name) or self._scripts.get(name, [])
        here = os.path.dirname(file.absolute)
        near = [other for other in found if f"{os.path.dirname(other.absolute)}/".startswith(f"{here}/")]
        beside = [other for other in near if os.path.dirname(other.absolute) == here]
        own = [other for other in found if other.absolute == file.absolute]
        best = own or beside or near or found
        return best[0] if len(best) == 1 else None

    def entry_script(self, file: DeploymentFile, unit: Unit) -> DeploymentFile | None:
        """The script of the project that a unit starts."""
        start = self.start(file, unit)
        stage = start.stage or (unit if unit.kind == "image" else None)
        return self.script(file, start.chain.script, stage) if start.chain.script else None

    def starters(self, script: DeploymentFile) -> list[tuple[DeploymentFile, Unit]]:
        """The units that start an entry script as their first process."""
        return [
            (file, unit)
            for file in self.files
            for unit in file.units
            if unit.kind in ("image", "compose", "pod")
            and (unit.written or unit.kind != "image")
            and self.entry_script(file, unit) is script
        ]

    def program(self, file: DeploymentFile, unit: Unit) -> Program | None:
        """The program in the end: behind inits, shells, and an entry script that has just one."""
        start = self.start(file, unit)
        if start.chain.program is not None or not start.chain.script:
            return start.chain.program
        script = self.entry_script(file, unit)
        found = self.of_script(script) if script is not None else ()
        made = {item.program or commands.program(start.chain.arguments, self.known) for item in found}
        return made.pop() if len(made) == 1 else None

    def of_script(self, script: DeploymentFile) -> tuple[InScript, ...]:
        """The commands of an entry script that are its program."""
        return commands.in_script(script.text, self.known)

    def shell(self, name: str, image: str) -> str:
        """Which shell a name stands for in an image: ``dash``, ``bash``, ``busybox``; empty where that is not known."""
        return {"bash": "bash", "dash": "dash", "ash": "busybox", "sh": sh_of(image)}.get(name, "")

    # --- the code --------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Bring the modules of all programs in before anything is asked about them: answers of the project are remembered."""
        found = [self.linked(program, file) for file in self._all() for program in self._programs(file)]
        room = MAX_MODULES
        for linked in filter(None, found):
            queue, seen = [linked.entry.module.name], {linked.entry.module.name}
            while queue and room:
                entry = self.project.modules.entry(queue.pop())
                room -= 1
                for name in entry.runs if entry is not None else ():
                    if name not in seen and self.project.owns(name):
                        seen.add(name)
                        queue.append(name)
        self.linked = cache(self._linked)

    def _programs(self, file: DeploymentFile) -> Iterator[Program]:
        for unit in file.units:
            program = self.program(file, unit) if unit.kind not in _START_NOTHING else None
            if program is not None:
                yield program
        yield from (item.program for item in (self.of_script(file) if file.kind == "script" else ()) if item.program)

    def _linked(self, program: Program, file: DeploymentFile) -> Linked | None:
        """The project's code behind a program; None where it is not of the project, or not found for sure."""
        entry = self._entry(program, file)
        if entry is None:
            return None
        from shutdown_lint.project.imports import program as modules_of

        names = modules_of([entry.module.name], self.project)
        return Linked(entry, tuple(found.facts for found in self.project.modules.ordered(names)))

    def _entry(self, program: Program, file: DeploymentFile) -> Fn | None:
        if program.kind == "console":
            target = dict(self.project.scripts).get(program.name, "")
            module, _, name = target.partition(":")
            values = self.project.evaluate.member(module, name.partition(".")[0]) if name else ()
            return next((value.fn for value in values if isinstance(value, Function)), None)
        if program.kind == "module":
            path = program.name.replace(".", "/")
            source = self._source(f"{path}/__main__.py", file) or self._source(f"{path}.py", file)
        else:
            source = self._source(program.name, file) if program.kind == "script" else ""
        found = self.project.modules.entry(source) if source else None
        return found.body if found is not None else None

    def _source(self, path: str, file: DeploymentFile) -> str:
        """The module of the file that ends like the path; of several the one nearest to the deployment file."""
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        here = os.path.dirname(file.absolute).replace(os.sep, "/")
        for first in range(len(parts)):
            end = "/" + "/".join(parts[first:])
            found = [(absolute, name) for absolute, name in self._sources if absolute.endswith(end)]
            below = [one for one in found if one[0].startswith(f"{here}/")]
            exact = [one for one in found if one[0] == here + end]
            best = exact or below or found
            if best:
                return best[0][1] if len(best) == 1 else ""
        return ""

    # --- limits ----------------------------------------------------------------------------------------------------

    def grace(self, unit: Unit) -> Grace | None:
        """The grace period of a unit; None where the platform has none that is known, or it is no number."""
        if unit.kind not in GRACE:
            return None
        key, default = GRACE[unit.kind]
        setting = unit.get(key)
        if setting is None and unit.kind == "systemd" and unit.get("TimeoutSec") is not None:
            key, setting = "TimeoutSec", unit.get("TimeoutSec")
        value = seconds(setting.value) if setting is not None else default
        if value is None:
            return None
        if unit.kind == "systemd" and value == 0:
            value = math.inf  # systemd.service(5): 0 disables the timeout for TimeoutSec= of old; `infinity` since
        hook = _SLEEP.search(unit.value("preStop"))
        slept = float(hook.group(1)) * {"": 1, "s": 1, "m": 60, "h": 3600}[hook.group(2)] if hook else 0.0
        return Grace(value, value - slept, key, setting)

    def known_of(self, program: Program) -> Known | None:
        """What the models say of the program."""
        return self.known.get(program.name) if program.kind == "server" else None

    def _around(self, file: DeploymentFile, unit: Unit) -> list[Unit]:
        """The units that make the environment of what a unit starts."""
        stage = self.start(file, unit).stage
        return [unit, *([stage] if stage is not None else [])]

    def options(self, program: Program, file: DeploymentFile, unit: Unit) -> tuple[str, ...] | None:
        """All options that the program is started with; None where not all of them can be seen."""
        known = self.known_of(program)
        return servers.options(program, known, self._around(file, unit), self.files) if known is not None else None

    def stop_signal(self, file: DeploymentFile, unit: Unit) -> str:
        """The stop signal as it is written, here or for the image; empty where it is the platform's default."""
        stage = self.start(file, unit).stage
        return unit.value(STOP_SIGNAL.get(unit.kind, "")) or (stage.value(STOP_SIGNAL["image"]) if stage else "")

    def server_limit(self, program: Program, file: DeploymentFile, unit: Unit) -> tuple[float, str, bool] | None:
        """How long a server waits for its work: seconds, where that is said, whether it is said (or a default)."""
        known = self.known_of(program)
        if known is None or not known.grace:
            return None
        given = commands.option(program.words, known.grace)
        if given is None:
            variables = servers.environment(self._around(file, unit), known)
            given = servers.limit_in(variables, known)
            if variables and given is None:
                return None
        if given is not None:
            value = seconds(given)
            return (value * known.scale, f"`{known.grace} {given}`", True) if value is not None else None
        if known.setting:
            found, sure = self._in_settings(program, known, file)
            if found is not None or not sure:
                return found
        if not known.default:
            return None
        return float(known.default) * known.scale, f"{program.name}'s default", False

    def _in_settings(
        self, program: Program, known: Known, file: DeploymentFile
    ) -> tuple[tuple[float, str, bool] | None, bool]:
        """The limit in the Python file of settings, and whether that file is known."""
        named = commands.option(program.words, *known.config)
        path = (named or known.config_file).removeprefix("file:").removeprefix("python:")
        name = self._source(path if path.endswith(".py") else f"{path.replace('.', '/')}.py", file)
        module = self.project.modules.entry(name) if name else None
        if module is None:
            return None, named is None
        for at in module.body.statements:
            stmt = at.stmt
            if isinstance(stmt, Assign) and any(isinstance(t, Name) and t.id == known.setting for t in stmt.targets):
                value = stmt.value.value if isinstance(stmt.value, Const) else None
                if isinstance(value, (int, float)):
                    return (float(value), f"`{known.setting}` in {os.path.basename(path)}", True), True
                return None, False
        return None, True


__all__ = ["Command", "Grace", "Linked", "Start", "World"]
