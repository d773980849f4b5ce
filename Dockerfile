# phraseproof on CPUs.
#
#   docker build --tag phraseproof .
#   docker run --rm --network none phraseproof demo --no-real
#   docker run --rm -v "$PWD":/data phraseproof evaluate --model scripted --tasks tickets.yaml --out runs/tickets
#
# The index's torch brings libraries for GPUs, some 5 GB. An index with builds for CPUs makes the image a quarter of
# that: docker build --build-arg PIP_EXTRA_INDEX_URL=... .
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:${PYTHON}-slim
ARG EXTRAS=hf,gguf,report,text,collect,dataframe
ARG PIP_EXTRA_INDEX_URL=
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --disable-pip-version-check -c /tmp/constraints.txt \
      "$(echo /tmp/wheels/*.whl)[${EXTRAS}]" \
    && rm -r /tmp/wheels /tmp/constraints.txt \
    && useradd --create-home --uid 1000 phraseproof \
    && mkdir /data /models && chown phraseproof /data /models
USER phraseproof
# Models that are loaded from the hub; keep them in a volume.
ENV HF_HOME=/models
VOLUME /models
WORKDIR /data
ENTRYPOINT ["phraseproof"]
CMD ["--help"]
