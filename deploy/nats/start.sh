#!/bin/sh
# Starts nats-server with the passwords that are files in /run/secrets: its configuration reads
# them from the environment only.
set -eu
for file in /run/secrets/TRADEDAD_*_NATS_PASSWORD; do
  export "$(basename "$file")=$(cat "$file")"
done
exec nats-server "$@"
