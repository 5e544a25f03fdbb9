# One image for all parts; the command picks the service.

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /roomcast
RUN python -m venv --without-pip /venv
COPY requirements.lock ./
# Wheels only: there is one of everything for amd64 and arm64, so that no compiler is needed.
RUN --mount=type=cache,target=/cache \
    pip --cache-dir /cache --python /venv/bin/python install -q --disable-pip-version-check --require-hashes --only-binary=:all: \
    -r requirements.lock
COPY . ./
# The file system is read-only later: what is compiled now need not be compiled at each start.
RUN /venv/bin/python -m compileall -q -j 0 . && rm requirements.lock

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="roomcast" \
      org.opencontainers.image.description="One upstream connection per live room, any number of WebSocket clients" \
      org.opencontainers.image.licenses="MIT"
# Python as process 1 would hear no signal before it is ready, and a second one never.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin roomcast
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /venv /venv
COPY --from=build /roomcast /roomcast
WORKDIR /roomcast
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["python", "-m", "shared.probe"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "gateway"]
