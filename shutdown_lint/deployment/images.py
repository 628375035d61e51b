"""What is known of base images by their names: which program ``/bin/sh`` is, and that they have no entry point.

Sources: Debian and Ubuntu ship dash as ``/bin/sh`` (Debian Policy 10.4, package dash), Alpine's is BusyBox ash (Alpine
wiki, BusyBox), Fedora and the Red Hat family link it to bash. The official python images: Debian, but for ``-alpine``
(Docker Hub, python, "Image Variants"). None of the official images named here has an ``ENTRYPOINT`` (their Dockerfiles, linked
from docker-library/official-images).
"""

from __future__ import annotations

import re

_ALPINE = re.compile(r"alpine|busybox")
_BASH = re.compile(
    r"(^|/)(fedora|centos|rockylinux|almalinux|oraclelinux|amazonlinux|ubi\d|opensuse|archlinux|redhat)\b|/ubi\d"
)
_DASH = re.compile(
    r"(^|/)(debian|ubuntu|python|buildpack-deps|pypy|continuumio/(mini|ana)conda3|tiangolo/\S+|condaforge/\S+|node|pytorch/pytorch|tensorflow/tensorflow|apache/airflow|mambaorg/micromamba)(:|@|$)|slim|bookworm|bullseye|buster|stretch|trixie|bionic|jammy|noble|focal|ubuntu\d|debian\d"
)
_UV = re.compile(r"astral-sh/uv:\S*(debian|bookworm|trixie|slim)")  # fmt: skip
_NO_ENTRYPOINT = re.compile(
    r"(?:(?:docker\.io/)?library/|docker\.io/)?(?:python|pypy|debian|ubuntu|alpine|busybox|buildpack-deps|fedora|rockylinux|almalinux|amazonlinux)(?::[\w.-]+)?(?:@[\w:]+)?"
)
SHELLS = {"dash": "dash", "bash": "bash", "busybox": "busybox ash"}


def sh_of(image: str) -> str:
    """``dash``, ``bash`` or ``busybox`` for what ``sh`` is in an image; empty where its name does not tell."""
    name = image.lower()
    if not name or "$" in name:
        return ""
    if _ALPINE.search(name):
        return "busybox"
    if _BASH.search(name):
        return "bash"
    return "dash" if _DASH.search(name) or _UV.search(name) else ""


def has_no_entrypoint(image: str) -> bool:
    """Whether an image is known to start a ``CMD`` as it is."""
    return _NO_ENTRYPOINT.fullmatch(image.lower()) is not None
