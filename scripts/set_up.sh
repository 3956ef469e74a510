#!/usr/bin/env bash
# Make the virtual environment $1 if it is not there and install the list of packages $2 into it.
# Says in one sentence what is missing: a Python of a version that works, or a system library.
set -euo pipefail
venv=$1
list=$2

works() {
    "$@" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null
}

if ! { [ -x "$venv/bin/python" ] && works "$venv/bin/python"; }; then
    chosen=
    for candidate in python3.12 python3.11 python3 python; do
        if works "$candidate"; then
            chosen=$candidate
            break
        fi
    done
    if [ -z "$chosen" ]; then
        found=$(python3 --version 2>/dev/null || echo "no Python at all")
        echo "Durian needs Python 3.11 or 3.12 with venv, and this machine offers $found: install python3.12 and python3.12-venv (on Debian: python3 and python3-venv), then run make again." >&2
        exit 1
    fi
    echo "Making $venv with $("$chosen" --version)."
    "$chosen" -m venv --clear "$venv"
fi

echo "Installing $list (the first time takes a few minutes)."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list"

if ! problem=$("$venv/bin/python" -c 'import cv2' 2>&1); then
    library=$(grep -o 'lib[A-Za-z0-9_+.-]*\.so[0-9.]*' <<<"$problem" | head -n 1)
    echo "The system library ${library:-that OpenCV needs} is missing: run 'apt-get install $(tr '\n' ' ' <packages.txt | sed 's/ $//')' and then make again." >&2
    exit 1
fi
