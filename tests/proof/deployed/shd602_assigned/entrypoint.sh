umask 022
ONCE="${ONCE:-}" python app.py --mode x
