FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
# TLS trusts the authorities of the system.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/agol-backup /usr/local/bin/
ENV BACKUP_DESTINATION=/archive BACKUP_LOG=json
# The folder mounted at /archive must be writable by this user.
USER 10001:10001
ENTRYPOINT ["agol-backup"]
