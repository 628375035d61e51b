# The linter's own image:
#   docker build -t shutdown-lint .
#   docker run --rm -v "$PWD:/code:ro" shutdown-lint
FROM python:3.13-slim AS build
COPY pyproject.toml README.md LICENSE /src/
COPY shutdown_lint /src/shutdown_lint
RUN python -m venv /opt/shutdown-lint \
    && /opt/shutdown-lint/bin/pip install --no-cache-dir --disable-pip-version-check /src

FROM python:3.13-slim
# git is for --diff-only, in folders that belong to whoever started the container
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'
COPY --from=build /opt/shutdown-lint /opt/shutdown-lint
ENV PATH="/opt/shutdown-lint/bin:$PATH" \
    SHUTDOWN_LINT_CACHE_DIR=/tmp/shutdown-lint \
    PYTHONDONTWRITEBYTECODE=1
USER 65534:65534
WORKDIR /code
ENTRYPOINT ["shutdown-lint"]
