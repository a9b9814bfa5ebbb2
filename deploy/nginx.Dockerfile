# Debian's nginx with deploy/nginx.conf, for compose.yaml. Debian's package gets security updates; the versions end in a
# wildcard because Debian removes older builds.

# A tag is rebuilt with such updates. To pin the exact image, set a digest from its registry:
# --build-arg BASE=debian:bookworm-slim@sha256:…
ARG BASE=debian:bookworm-slim
FROM $BASE
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "nginx-light=1.22.1-*" "wget=1.21.3-*" \
    && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled
COPY nginx.conf compose/replicas.conf compose/listen.conf compose/paths.conf /etc/nginx/
USER www-data:www-data
EXPOSE 8080
STOPSIGNAL SIGQUIT
CMD ["nginx", "-e", "stderr", "-g", "daemon off; pid /tmp/nginx.pid;"]
