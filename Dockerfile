# docker build -t gradient-explorer . && docker run --rm -p 8050:8050 gradient-explorer

# A tag is built anew with Debian's security updates. To pin it to the last byte, give a digest, which only its registry knows:
# --build-arg BASE=python:3.11-slim-bookworm@sha256:…
ARG BASE=python:3.11-slim-bookworm

FROM $BASE AS build
# torch's CPU build comes from PyTorch's own index: the usual one's brings gigabytes of GPU libraries. Where only the usual one
# can be reached it may have the CPU build too; if not, what comes along is not pinned, and the check ends the build.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt constraints.txt ./
COPY scripts/pins_check.py scripts/
RUN python -m venv --without-pip /venv \
    && pip="pip --quiet --python /venv/bin/python install --no-compile" \
    && { [ -z "$TORCH_INDEX" ] \
        || $pip --no-deps --retries 1 --timeout 15 --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)" \
        || echo "torch is not to be had from $TORCH_INDEX; taking it from pip's usual place."; } \
    && $pip -r requirements.txt -c constraints.txt \
    && /venv/bin/python scripts/pins_check.py
# A quarter of torch is for those who compile against it or test it.
RUN cd /venv/lib/python3.11/site-packages \
    && rm -rf torch/include torch/share torch/test sympy/*/tests sympy/*/*/tests \
    && find torch/bin -type f ! -name torch_shm_manager -delete
COPY . .
RUN /venv/bin/python scripts/precompress.py
# The checkout's modes may be its owner's alone; the server runs as somebody else.
RUN chmod -R a+rX .

FROM $BASE
# MALLOC_…: as in app.py, which sets them for workers that it starts; a single one serves in the first process.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=33554432 MALLOC_MMAP_THRESHOLD_=4194304
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp HOST=0.0.0.0 PORT=8050
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin explorer
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app .
# Serve once, so that bytecode of exactly what is used, Python's own modules included, lies ready for a quick start.
RUN export PYTHONDONTWRITEBYTECODE= && { python app.py & } && server=$! \
    && until python scripts/healthcheck.py 2>/dev/null; do kill -0 $server && sleep 1 || exit 1; done \
    && kill $server && wait $server
USER 10001:10001
EXPOSE 8050
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s CMD ["python", "scripts/healthcheck.py"]
CMD ["python", "app.py"]
