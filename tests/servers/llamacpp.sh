#!/usr/bin/env bash
# llama.cpp's own server, llama-server, compiled from the sources in the package llama-cpp-python, in .servers/llamacpp.
# It needs a C++ compiler. Tests marked `real` use it where it is there.
# Usage: tests/servers/llamacpp.sh [install]
#        tests/servers/llamacpp.sh serve FILE.gguf PORT [OPTION...]    on loopback; the model's name is FILE.gguf
#        tests/servers/llamacpp.sh convert FOLDER FILE.gguf    a model folder in float32, by llama.cpp's converter in .venv
#        tests/servers/llamacpp.sh convert-lora FOLDER BASE FILE.gguf    a PEFT folder and its base model's folder
set -euo pipefail
cd "$(dirname "$0")/../.."
env=$(realpath -m "${PHRASEPROOF_SERVERS:-.servers}/llamacpp")
sources=$env/source/vendor/llama.cpp
version=0.3.36

install() {
  [ -f "$env/.ready" ] && return
  if ! command -v c++ >/dev/null; then
    echo "llamacpp.sh: llama.cpp needs a C++ compiler" >&2
    return 1
  fi
  "${PYTHON:-python3}" -m venv "$env"
  local pip=("$env/bin/python" -m pip --quiet --disable-pip-version-check)
  "${pip[@]}" install cmake ninja
  "${pip[@]}" download --no-deps --no-binary llama-cpp-python --dest "$env/source" "llama-cpp-python==$version"
  tar -xzf "$env/source/"*.tar.gz -C "$env/source" --strip-components 1
  PATH="$env/bin:$PATH" cmake -S "$sources" -B "$env/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF \
    -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF > "$env/cmake.log"
  "$env/bin/cmake" --build "$env/build" --target llama-server --parallel "$(nproc)" > "$env/build.log"
  touch "$env/.ready"
}

case ${1:-install} in
  install) install ;;
  serve) exec "$env/build/bin/llama-server" --model "$2" --alias "$2" --host 127.0.0.1 --port "$3" --ctx-size 4096 \
    --parallel 2 --threads "${OMP_NUM_THREADS:-1}" "${@:4}" ;;
  convert) exec .venv/bin/python "$sources/convert_hf_to_gguf.py" "$2" --outfile "$3" --outtype f32 ;;
  convert-lora) exec .venv/bin/python "$sources/convert_lora_to_gguf.py" "$2" --base "$3" --outfile "$4" --outtype f32 ;;
  *) sed -n '2,8s/^# //p' "$0" >&2; exit 2 ;;
esac
