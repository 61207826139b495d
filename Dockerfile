# One static program in an otherwise empty image: no shell, no packages, and so nothing else to keep up to date.
#
#   docker build --tag agol-backup .
#   docker run --rm --read-only --cap-drop ALL --env-file agol-backup.env \
#       --volume agol-archive:/srv/agol-backup --volume agol-token:/var/lib/agol-backup agol-backup
#
# What a pass writes must be mounted, because nothing else in the image can be written by its user, 10001:
#   /srv/agol-backup       the destination, when that is a folder
#   /var/lib/agol-backup   the token file, so that it can be renewed
#   /tmp                   only when the destination is OneDrive: large files wait there (--tmpfs /tmp, or TMPDIR)
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The target is named so that the flag is for the program alone: what the compiler itself loads cannot be static.
RUN host="$(rustc --print host-tuple)" \
    && RUSTFLAGS=-Ctarget-feature=+crt-static cargo build --release --locked --target "$host" \
    && mkdir /image /image/empty \
    && cp "target/$host/release/agol-backup" /image/

FROM scratch
# Whom TLS trusts.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /image/agol-backup /agol-backup
# A new volume takes over whose these are.
COPY --from=build --chown=10001:10001 /image/empty /srv/agol-backup
COPY --from=build --chown=10001:10001 /image/empty /var/lib/agol-backup
ENV BACKUP_DESTINATION=/srv/agol-backup
USER 10001:10001
ENTRYPOINT ["/agol-backup"]
