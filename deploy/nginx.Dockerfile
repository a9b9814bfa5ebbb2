# Debian's nginx with deploy/nginx.conf, for compose.yaml. Debian's, as it gets Debian's security updates: hence the open ends of
# the packages' versions, whose older builds Debian does not keep.

# A tag is built anew with such updates. To pin it to the last byte, give a digest, which only its registry knows:
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
