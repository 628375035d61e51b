#!/bin/sh
set -eu
if [ -n "${QUEUE:-}" ]; then
    NAME="$QUEUE mail"
fi
python app.py "${NAME:-all}"  # stays until it is stopped
