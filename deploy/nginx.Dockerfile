# Debian's nginx with deploy/nginx.conf, for compose.yaml. Debian's, as it gets Debian's security updates.

# To pin the base to the last byte, give its digest: --build-arg BASE=debian:bookworm-slim@sha256:…
ARG BASE=debian:bookworm-slim
FROM $BASE
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light wget \
    && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled
COPY nginx.conf compose/replicas.conf compose/listen.conf compose/paths.conf /etc/nginx/
USER www-data:www-data
EXPOSE 8080
STOPSIGNAL SIGQUIT
CMD ["nginx", "-e", "stderr", "-g", "daemon off; pid /tmp/nginx.pid;"]
