#!/bin/sh
# Starts nats-server with the passwords that are files in /run/secrets: its configuration reads
# them from the environment only.
set -eu
for file in /run/secrets/TRADEDAD_*_NATS_PASSWORD; do
  # An assignment of its own: `export` succeeds even if the file cannot be read.
  password=$(cat "$file")
  export "$(basename "$file")=$password"
done
exec nats-server "$@"
