#!/bin/sh
# Find a Python that can run set-up, install Debian's if there is none, and hand over to `python -m deploy`.
set -eu
cd -- "$(dirname -- "$0")/.."

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}

choose() {
    for candidate in python3 python3.11 python3.12 python3.13 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null 2>&1 && suitable "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

install_python() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1; then
        as_root="sudo"
    else
        return 1
    fi
    echo "onemap: installing python3 and python3-venv" >&2
    $as_root apt-get update -qq >/dev/null
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        python3 python3-venv >/dev/null
}

if ! python=$(choose); then
    install_python || true
    if ! python=$(choose); then
        echo "onemap: 需要 Python 3.11–3.13（Debian 12: apt-get install python3 python3-venv）" >&2
        echo "onemap: Python 3.11 to 3.13 is needed (Debian 12: apt-get install python3 python3-venv)" >&2
        exit 1
    fi
fi
exec "$python" -B -m deploy "$@"
