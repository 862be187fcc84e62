# SPDX-License-Identifier: Apache-2.0
# The C++ service of examples/hello, for GSC with deploy/gsc/hello.manifest. The stage `build` of
# deploy/docker/Dockerfile comes first:
#
#   docker build -f deploy/docker/Dockerfile --target build -t ratls-build .
#   docker build -f deploy/docker/hello.Dockerfile -t hello .
#
# GSC adds Gramine to the image with the image's own apt and bash, so that it cannot be an empty one;
# all that is in it is measured and trusted. deploy/gramine has the way with less.

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
 && rm -rf /tmp/snapshot /var/lib/apt/lists/* /var/log/* /var/cache/*
COPY --from=build /usr/local/bin/hello /usr/local/bin/hello
EXPOSE 8000
# One word in ENTRYPOINT, the rest in CMD: with more than one GSC drops the first word of CMD.
ENTRYPOINT ["/usr/local/bin/hello"]
CMD ["/dev/attestation", "0.0.0.0"]
