#!/usr/bin/env bash
# The server of the package llama-cpp-python, in .servers/llama_cpp_python. Where there is no wheel, pip compiles it:
# some ten minutes on one core, and a C++ compiler. Tests marked `real` use it where it is there.
# Usage: tests/servers/llama_cpp_python.sh [install]
#        tests/servers/llama_cpp_python.sh serve FILE.gguf PORT    on loopback; the model's name is FILE.gguf
set -euo pipefail
cd "$(dirname "$0")/../.."
env=$(realpath -m "${PHRASEPROOF_SERVERS:-.servers}/llama_cpp_python")

install() {
  [ -f "$env/.ready" ] && return
  "${PYTHON:-python3}" -m venv "$env"
  "$env/bin/python" -m pip install --quiet --disable-pip-version-check 'llama-cpp-python[server]==0.3.36'
  touch "$env/.ready"
}

case ${1:-install} in
  install) install ;;
  serve) exec "$env/bin/python" -m llama_cpp.server --model "$2" --model_alias "$2" --host 127.0.0.1 --port "$3" \
    --n_ctx 2048 --n_threads "${OMP_NUM_THREADS:-1}" --n_threads_batch "${OMP_NUM_THREADS:-1}" ;;
  *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
esac
