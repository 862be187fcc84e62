# SPDX-License-Identifier: Apache-2.0
# FastAPI on uvicorn, started by `ratls-server run`, for GSC with deploy/gsc/fastapi.manifest. The
# stage `build` of deploy/docker/Dockerfile comes first:
#
#   docker build -f deploy/docker/Dockerfile --target build -t ratls-build .
#   docker build -f deploy/docker/fastapi.Dockerfile -t fastapi .
#
# Without SGX, with a simulated platform in DIR (`ratls sim init --dir DIR`):
#
#   docker run --tmpfs /run/ratls -v DIR:/sim:ro -p 8000:8000 fastapi run --tee sim --sim /sim \
#     --cert /run/ratls/crt.pem --key /run/ratls/key.pem -- /usr/bin/python3 -m uvicorn ...

ARG BASE=debian:12-slim
ARG BUILD=ratls-build

FROM ${BUILD} AS build

FROM ${BASE}
ARG SNAPSHOT_MIRROR=
ARG SNAPSHOT=
COPY deploy/docker/snapshot /tmp/snapshot
RUN /tmp/snapshot "${SNAPSHOT_MIRROR}" "${SNAPSHOT}" \
 && apt-get -q update \
 && apt-get -q install -y --no-install-recommends libssl3 libstdc++6 \
    python3 python3-fastapi python3-uvicorn \
 && rm -rf /tmp/snapshot /var/lib/apt/lists/* /var/log/* /var/cache/*
COPY --from=build /usr/local/bin/ratls-server /usr/local/bin/ratls-server
# An image that could not start fails here already.
RUN /usr/local/bin/ratls-server --version
# Under /app, because GSC does not trust what is below /var.
COPY examples/fastapi/app.py /app/app.py
# Gramine denies the folders where Python would put its caches; GSC takes these values over.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
# One word in ENTRYPOINT, the rest in CMD: with more than one GSC drops the first word of CMD.
ENTRYPOINT ["/usr/local/bin/ratls-server"]
CMD ["run", "--cert", "/run/ratls/crt.pem", "--key", "/run/ratls/key.pem", "--", \
     "/usr/bin/python3", "-m", "uvicorn", "--app-dir", "/app", "app:app", \
     "--ssl-certfile", "/run/ratls/crt.pem", "--ssl-keyfile", "/run/ratls/key.pem", \
     "--host", "0.0.0.0", "--port", "8000"]
