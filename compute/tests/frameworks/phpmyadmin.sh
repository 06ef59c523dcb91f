#!/bin/sh
# phpMyAdmin, as Debian packages it, under PHP's own web server, against a running `firn up`
# with root without a password:
#   compute/tests/frameworks/phpmyadmin.sh [PORT]
# Wants root once, for PHP. Under a minute.
set -eu
. "$(dirname "$0")/common.sh"
system_packages php-cli php-mysql php-xml php-mbstring php-gd php-curl python3
unpacked_packages phpmyadmin php-zip php-bz2
exec python3 "$here/phpmyadmin.py" "$cache/root" "$port"
