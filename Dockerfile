# vpcdns in a container: its own virtual environment, a numeric user, nothing written at run time.
#
#   docker run --rm -p 127.0.0.1:53:53/udp -p 127.0.0.1:53:53/tcp -v "$PWD/config:/etc/vpcdns:ro" vpcdns
#
# Mount the folder, not the file: a file that is replaced by renaming is never seen through a file's mount.
# The root file system may be read-only (--read-only).
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
# The environment of the final image holds neither pip nor the build backend.
RUN python3 -m venv --without-pip /app \
 && python3 -m venv backend \
 && backend/bin/pip --no-cache-dir install --quiet --require-hashes -r requirements-build.lock \
 && backend/bin/pip --no-cache-dir --python /app/bin/python3 install --quiet --require-hashes -r requirements.lock
COPY pyproject.toml LICENSE README* ./
COPY src src
RUN backend/bin/pip --no-cache-dir wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir dist . \
 && backend/bin/pip --python /app/bin/python3 install --quiet --no-deps --no-index dist/*.whl
# Port 53 without root. Docker opens low ports to everyone inside a container (net.ipv4.ip_unprivileged_port_start=0),
# Podman, buildah and the host's network do not. So the image's own copy of the interpreter carries
# CAP_NET_BIND_SERVICE, which is in the default capability set of all of them: the 20 bytes are what
# `setcap cap_net_bind_service=ep` writes (capabilities(7): revision 2 with the effective bit, bit 10 permitted).
# With --cap-drop ALL, add --cap-add NET_BIND_SERVICE. Where no-new-privileges makes the kernel ignore
# it, add --sysctl net.ipv4.ip_unprivileged_port_start=53 unless the engine sets it already.
RUN cp --remove-destination "$(readlink -f /app/bin/python3)" /app/bin/python3 \
 && python3 -c 'import os, struct; os.setxattr("/app/bin/python3", "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))'

FROM ${BASE}
LABEL org.opencontainers.image.title="vpcdns" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Numeric, so that Kubernetes' runAsNonRoot can tell.
USER 65532:65532
EXPOSE 53/udp 53/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["vpcdns", "health"]
ENTRYPOINT ["vpcdns"]
CMD ["serve", "--config", "/etc/vpcdns/vpcdns.yaml", "--listen", "0.0.0.0:53"]
