"""From the bytes of a deployment file to its facts."""

from __future__ import annotations

import os

from shutdown_lint.deployment.facts import BrokenError, DeploymentFile, Note, Unit
from shutdown_lint.source import SourceFile, Trouble
from shutdown_lint.source.decoding import BOM
from shutdown_lint.source.kinds import deployment_kind

MAX_BYTES = 1024 * 1024  # etcd takes no object above 1.5 MiB; larger ones are data
MAX_SCRIPT_BYTES = 128 * 1024
Outcome = DeploymentFile | Trouble | Note | None


def text_of(data: bytes) -> str:
    """The text, with ``\\n`` for every line end. Raises ``BrokenError``."""
    if b"\0" in data:
        raise BrokenError("is no text: it holds a null byte", data.count(b"\n", 0, data.index(b"\0")) + 1, 1, "SHD902")
    try:
        text = data.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BrokenError(f"byte 0x{data[error.start]:02x} is not UTF-8", line, 1, "SHD902") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(file: SourceFile, kind: str, data: bytes) -> Outcome:
    """The facts of a file; its trouble; a note why it is left out; None when it is no deployment file."""
    from shutdown_lint.deployment import kubernetes, template

    if kind == "kubernetes" and not kubernetes.concerns(data):
        return None
    limit = MAX_SCRIPT_BYTES if kind == "script" else MAX_BYTES
    if len(data) > limit:
        # a large script is an installer with its archive, not an entry point
        return (
            None
            if kind == "script"
            else Trouble("SHD903", f"larger than {limit // 1024} KiB, which no deployment file is")
        )
    try:
        text = text_of(data)
        units = _units(kind, text, os.path.basename(file.absolute))
    except BrokenError as error:
        if kind in ("compose", "kubernetes", "skaffold") and error.code == "SHD900" and template.is_one(text):
            return Note("a template, which is no YAML before it is filled in")
        return Trouble(error.code, error.message, error.line, error.col)
    except Note as note:
        return note
    except RecursionError:
        return Trouble("SHD903", "nested too deeply to be analysed")
    found = DeploymentFile(file.path, file.absolute, kind, file.reported, units, text if kind == "script" else "")
    return found._replace(inner=_inner(found, text)) if kind == "dockerfile" else found


def _inner(file: DeploymentFile, text: str) -> tuple[DeploymentFile, ...]:
    """The scripts for a shell that the Dockerfile holds."""
    from shutdown_lint.deployment import dockerfile, script

    given = ((name, content) for name, content in dockerfile.scripts(text) if _is_script(name, content))
    made = ((content, script.read(content, name)) for name, content in given)
    return tuple(file._replace(kind="script", units=units, text=content) for content, units in made if units)


def _is_script(name: str, content: str) -> bool:
    return content.lstrip("\n").startswith("#!") or deployment_kind(name) == "script"


def _units(kind: str, text: str, name: str) -> tuple[Unit, ...]:
    from shutdown_lint.deployment import (
        compose,
        dockerfile,
        kubernetes,
        procfile,
        script,
        skaffold,
        supervisor,
        systemd,
        uwsgi,
    )

    if kind == "dockerfile":
        return dockerfile.read(text, name)
    if kind == "systemd":
        return systemd.read(text, name)
    if kind == "script":
        return script.read(text, name)
    if kind == "compose":
        return compose.read(text)
    if kind == "kubernetes":
        return kubernetes.read(text)
    if kind == "skaffold":
        return skaffold.read(text)
    if kind == "settings":
        return uwsgi.read(text, name)
    return supervisor.read(text) if kind == "supervisor" else procfile.read(text)
