# docker build -t gradient-explorer . && docker run --rm -p 8050:8050 gradient-explorer

# A tag is rebuilt with Debian's security updates. To pin the exact image, set a digest from its registry:
# --build-arg BASE=python:3.11-slim-bookworm@sha256:…
ARG BASE=python:3.11-slim-bookworm

FROM $BASE AS build
# torch's CPU build comes from PyTorch's own index: the build on PyPI has gigabytes of GPU libraries. If only another index
# can be reached, it may have the CPU build, too; if not, its dependencies are not pinned, and the check ends the build.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt constraints.txt ./
COPY scripts/pins_check.py scripts/
RUN python -m venv --without-pip /venv \
    && pip="pip --quiet --python /venv/bin/python install --no-compile" \
    && { [ -z "$TORCH_INDEX" ] \
        || $pip --no-deps --retries 1 --timeout 15 --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)" \
        || echo "torch is not available from $TORCH_INDEX; installing it from pip's default index."; } \
    && $pip -r requirements.txt -c constraints.txt \
    && /venv/bin/python scripts/pins_check.py
# A quarter of torch is headers and tests.
RUN cd /venv/lib/python3.11/site-packages \
    && rm -rf torch/include torch/share torch/test sympy/*/tests sympy/*/*/tests \
    && find torch/bin -type f ! -name torch_shm_manager -delete
COPY . .
RUN /venv/bin/python scripts/precompress.py
# The server runs as another user than the owner of the checkout.
RUN chmod -R a+rX .

FROM $BASE
# MALLOC_…: as in app.py, which sets them for the workers that it starts; a single worker is the first process itself.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=33554432 MALLOC_MMAP_THRESHOLD_=4194304
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp HOST=0.0.0.0 PORT=8050
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin explorer
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app .
# Serve once, to compile the bytecode of all used modules for a fast start.
RUN export PYTHONDONTWRITEBYTECODE= && { python app.py & } && server=$! \
    && until python scripts/healthcheck.py 2>/dev/null; do kill -0 $server && sleep 1 || exit 1; done \
    && kill $server && wait $server
USER 10001:10001
EXPOSE 8050
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s CMD ["python", "scripts/healthcheck.py"]
CMD ["python", "app.py"]
