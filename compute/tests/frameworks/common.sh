# What the scripts beside this share; sourced. Things are kept in FIRN_FRAMEWORKS or a
# folder of the user's cache, each in the version that is named where it is installed.
here=$(cd "$(dirname "$0")" && pwd)
cache=${FIRN_FRAMEWORKS:-${XDG_CACHE_HOME:-$HOME/.cache}/firn-frameworks}
port=${1:-3306}
[ $# -gt 0 ] && shift
mkdir -p "$cache"
results=$cache/results-$port
mkdir -p "$results"

# Debian packages that have to be installed, by root.
system_packages() {
    missing=
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of words
        apt-get install -qq -y --no-install-recommends $missing >/dev/null
    fi
}

# Debian packages that are only unpacked, with what they need, into $cache/root.
unpacked_packages() {
    if [ ! -f "$cache/root/.done-$1" ]; then
        mkdir -p "$cache/deb/partial" "$cache/root"
        apt-get update -qq
        apt-get install -qq -y --no-install-recommends --download-only \
            -o "Dir::Cache::archives=$cache/deb" "$@" >/dev/null
        for package in "$cache"/deb/*.deb; do
            case $(basename "$package") in
            wordpress*|phpmyadmin*|libjs-*|php-*) dpkg-deb -x "$package" "$cache/root" ;;
            esac
        done
        touch "$cache/root/.done-$1"
    fi
}

# An environment of Python with packages.
python_packages() {
    python=$cache/python/bin/python
    [ -x "$python" ] || python3 -m venv "$cache/python"
    "$python" -m pip -q install "$@"
}

# A package's source, with its tests, unpacked as $cache/NAME-VERSION.
python_source() {
    if [ ! -d "$cache/$1-$2" ]; then
        # Asking a source package what it is takes its build tools.
        python_packages setuptools==80.9.0 wheel==0.48.0 Cython==3.1.4
        "$python" -m pip -q download --no-deps --no-build-isolation --no-binary "$1" \
            -d "$cache" "$1==$2"
        tar -xzf "$cache/$1-$2.tar.gz" -C "$cache"
    fi
}

# Databases made anew.
fresh_databases() {
    "$python" - "$port" "$@" <<'P'
import sys
import MySQLdb
cursor = MySQLdb.connect(host="127.0.0.1", port=int(sys.argv[1]), user="root").cursor()
for name in sys.argv[2:]:
    cursor.execute(f"DROP DATABASE IF EXISTS {name}")
    cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
P
}
