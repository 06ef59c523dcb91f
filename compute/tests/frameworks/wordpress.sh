#!/bin/sh
# WordPress, as Debian packages it, under PHP's own web server: installed, posted to,
# searched, browsed, administered, against a running `firn up` with root without a password:
#   compute/tests/frameworks/wordpress.sh [PORT]
# Wants root once, for PHP. Under a minute.
set -eu
. "$(dirname "$0")/common.sh"
system_packages php-cli php-mysql php-xml php-mbstring php-gd php-curl python3
unpacked_packages wordpress wordpress-theme-twentytwentythree
exec python3 "$here/wordpress.py" "$cache/root" "$port"
