#!/bin/sh
# As the entrypoint of nginx's image: makes files from templates, with the container's DNS servers.
set -eu
NGINX_LOCAL_RESOLVERS=$(awk '/^nameserver/ {print $2}' /etc/resolv.conf | tr '\n' ' ')
export NGINX_LOCAL_RESOLVERS
for template in /etc/nginx/templates/*.template; do
  target=$NGINX_ENVSUBST_OUTPUT_DIR/$(basename "$template" .template)
  # Debian's nginx is older than the directive for HTTP/2.
  envsubst "\$NGINX_LOCAL_RESOLVERS" <"$template" | sed "s/http2 on;//" >"$target"
done
exec nginx -g "daemon off;"
