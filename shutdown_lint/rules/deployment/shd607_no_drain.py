"""A Pod behind a Service gets requests after it was told to stop.

## What it does
Looks at Deployments and StatefulSets that a Service of the project selects, and whose container runs a Python server, by its own command or
by that of an image which the project builds. Reports those without a `preStop` hook.

## Why it matters
Kubernetes sends SIGTERM and takes the Pod out of the Service's endpoints at the same time. For some seconds proxies go on sending
requests to it: a server that closes its socket at once answers them with "connection refused". A short sleep before SIGTERM lets the news get around.

## Example
```yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: web
          image: registry.example.org/shop:1
          command: [uvicorn, "shop.asgi:app"]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop}
  ports: [{port: 80}]
```

## Use instead
```yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 40
      containers:
        - name: web
          image: registry.example.org/shop:1
          command: [uvicorn, "shop.asgi:app"]
          lifecycle: {preStop: {sleep: {seconds: 5}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop}
  ports: [{port: 80}]
```

## Precision
Tier S. A program of the project's own that handles SIGTERM may turn its readiness off and wait: it is left alone.

## References
- [Kubernetes: Pods and endpoint termination flow](https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/)
- [Kubernetes: container lifecycle hooks](https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.deployment.facts import DeploymentFile, Unit
from shutdown_lint.deployment.kustomize import PATCHED
from shutdown_lint.deployment.world import World
from shutdown_lint.findings import Finding
from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD607",
    name="no-drain",
    summary="a Pod behind a Service that stops listening while requests are still sent to it",
    tier="S",
    severity="info",
    triggers=(),
    origin=("G15",),
)


def check(file: DeploymentFile, world: World) -> Iterator[Finding]:
    """The containers of the file that serve requests."""
    for unit in file.units:
        if unit.kind != "pod" or unit.value("kind") not in ("Deployment", "StatefulSet") or unit.get("preStop"):
            continue
        if unit.get(f"{PATCHED}preStop"):
            continue  # an overlay of Kustomize adds the hook
        program = world.program(file, unit)
        known = world.known_of(program) if program is not None else None
        if known is None or not known.serves:
            continue
        service = next((service for _, service in world.units("service") if _selects(service, unit)), None)
        if service is not None:
            yield RULE.finding(
                file,
                unit.span,
                f"`{unit.name}` stops listening on SIGTERM while the Service `{service.name}` still sends it requests: it has no preStop hook",
                help="add `lifecycle: {preStop: {sleep: {seconds: 5}}}`, and that much to `terminationGracePeriodSeconds`",
            )


def _selects(service: Unit, unit: Unit) -> bool:
    wanted = {setting.value for key, setting in service.settings if key == "selector"}
    return bool(wanted) and wanted <= {setting.value for key, setting in unit.settings if key == "label"}
