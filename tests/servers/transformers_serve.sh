#!/usr/bin/env bash
# transformers' own server. It needs nothing but .venv, which `make` creates.
# Usage: tests/servers/transformers_serve.sh [install]
#        tests/servers/transformers_serve.sh serve FOLDER PORT    on loopback; the model's name is FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."

case ${1:-install} in
  install) .venv/bin/python -c 'import fastapi, openai, transformers, uvicorn' ;;
  serve) HF_HUB_OFFLINE=1 exec .venv/bin/transformers serve "$2" --host 127.0.0.1 --port "$3" --device cpu ;;
  *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
